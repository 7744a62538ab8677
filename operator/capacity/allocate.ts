/**
 * How many replicas each revision may have of what it wants, where budgets bound a resource. Pure. Only what is free now is granted; what is on its way to be
 * free is kept for those in front of the line, and is granted once it is there.
 */
import { bounds, type Budget, type Needs } from './budget.ts';

/**
 * Within a priority, in this order. `Called`: it has requests, or had some within its window. `KeptWarm`: it has had none for a whole window, and is kept in case
 * that somebody calls. `Other`: it has yet to be ready for the first time, or nobody knows what it has.
 */
export type Standing = (typeof STANDINGS)[number];

const STANDINGS = ['Called', 'Other', 'KeptWarm'] as const;

/** What a revision wants and has. */
export interface Claim {
  readonly key: string;
  readonly namespace: string;
  /** A higher one comes first. */
  readonly priority: number;
  /** Of one replica. */
  readonly needs: Needs;
  readonly wanted: number;
  /** Replicas that start or are ready, and those that are being made. */
  readonly living: number;
  /** Replicas that are not gone yet. */
  readonly terminating: number;
  /** Of the living, those that may have a request: at most so many. */
  readonly busy: number;
  readonly standing: Standing;
  /** Since when it has waited for its next replica, in milliseconds of any one clock. */
  readonly waitingSince: number;
}

export interface BudgetInUse extends Budget {
  /** By all pods that exist, of whatever revision. */
  readonly held: number;
}

/** Why a revision has fewer replicas than it wants. */
export interface Waiting {
  /** The budget that has no room. */
  readonly budget: BudgetInUse;
  /** Units of one replica. */
  readonly need: number;
  /** Replicas. */
  readonly missing: number;
  /** Place among those that wait for this budget, from 1. */
  readonly position: number;
  readonly waiting: number;
}

export interface Allocation {
  /** Living replicas that it may have; fewer than it has: idle ones are to go. */
  readonly granted: number;
  readonly waiting: Waiting | undefined;
}

/** A budget while it is given out. */
interface Room {
  readonly budget: BudgetInUse;
  /** Units that nobody holds, and that are kept for nobody. */
  free: number;
  /** Units of replicas that are going, kept for nobody. */
  coming: number;
}

interface Share {
  readonly room: Room;
  readonly need: number;
}

interface Entry {
  readonly claim: Claim;
  readonly shares: readonly Share[];
  granted: number;
  /** Replicas for which room is being made. */
  planned: number;
  blockedBy: Share | undefined;
}

/**
 * The line is: higher priority, then those that are called before those that are kept warm, then who has waited longest; of equals, each gets one
 * replica in turn. Nobody passes the one in front, or a replica that needs four GPUs would never find four of them free.
 */
export function allocate(claims: readonly Claim[], budgets: readonly BudgetInUse[]): Map<string, Allocation> {
  const rooms = budgets.map((budget) => ({ budget, free: budget.limit - budget.held, coming: 0 }));
  const line = claims.map((claim) => enter(claim, rooms)).sort((a, b) => inLine(a.claim, b.claim));
  for (const room of rooms) giveBackExcess(room, line);
  for (const equals of groupsOf(line)) {
    for (let turn = equals; turn.length > 0;) turn = turn.filter((entry) => wantsMore(entry) && giveOne(entry, line));
  }
  return told(line);
}

function enter(claim: Claim, rooms: readonly Room[]): Entry {
  const shares = rooms
    .filter(({ budget }) => bounds(budget, claim.namespace, claim.needs))
    .map((room) => ({ room, need: claim.needs[room.budget.resource] ?? 0 }));
  const granted = Math.min(claim.wanted, claim.living);
  // Of those that it does not want itself, the busy ones go when they are done, and nobody knows when that is.
  const going = claim.terminating + claim.living - Math.max(granted, Math.min(claim.busy, claim.living));
  for (const { room, need } of shares) room.coming += going * need;
  return { claim, shares, granted, planned: 0, blockedBy: undefined };
}

function inLine(a: Claim, b: Claim): number {
  return (
    b.priority - a.priority ||
    STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) ||
    a.waitingSince - b.waitingSince ||
    byKey(a, b)
  );
}

function byKey(a: Claim, b: Claim): number {
  return a.key < b.key ? -1 : 1;
}

function groupsOf(line: readonly Entry[]): Entry[][] {
  const groups: Entry[][] = [];
  for (const entry of line) {
    const group = groups.at(-1);
    const first = group?.[0]?.claim;
    const isEqual = first?.priority === entry.claim.priority && first.standing === entry.claim.standing;
    if (group !== undefined && isEqual) group.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/** A limit that was lowered below what runs: idle replicas go, of the last in line first. */
function giveBackExcess(room: Room, line: readonly Entry[]): void {
  for (const entry of line.toReversed()) {
    while (room.free + room.coming < 0 && spareOf(entry) > 0 && holdsIn(entry, room)) giveUp(entry);
  }
  room.coming = Math.max(0, room.coming + Math.min(0, room.free));
  room.free = Math.max(0, room.free);
}

/** Gives whether the next one can be thought of: none can after one that found no room and will not. */
function giveOne(entry: Entry, line: readonly Entry[]): boolean {
  const short = entry.shares.filter(({ room, need }) => room.free < need);
  if (short.length === 0) {
    for (const { room, need } of entry.shares) room.free -= need;
    entry.granted += 1;
    return true;
  }
  const tooSmall = entry.shares.find(isTooSmall);
  // Its namespace's before the cluster's, which may have room again long before.
  entry.blockedBy ??= tooSmall ?? short.find(({ room }) => room.budget.namespace !== undefined) ?? short[0];
  // Whatever were kept for it, it would never fit.
  if (tooSmall !== undefined) return false;
  const isMade = makeRoom(entry, short, line);
  const own = short.filter(({ room }) => room.budget.namespace !== undefined);
  for (const share of isMade || own.length === 0 ? entry.shares : own) keep(share);
  if (isMade) entry.planned += 1;
  return isMade;
}

/** True if all that lacks is on its way, or idle replicas of those behind in line are enough for it: these are given up. */
function makeRoom(entry: Entry, short: readonly Share[], line: readonly Entry[]): boolean {
  const lacks = new Map(short.map(({ room, need }) => [room, need - room.free - room.coming]));
  const isEnough = (): boolean => [...lacks.values()].every((lack) => lack <= 0);
  const chosen: Entry[] = [];
  for (const other of line.toReversed()) {
    if (isEnough() || !mayTakeFrom(entry.claim, other.claim)) break;
    for (let spare = spareOf(other); spare > 0 && helps(other, lacks); spare--) {
      chosen.push(other);
      for (const { room, need } of other.shares) lacks.set(room, (lacks.get(room) ?? 0) - need);
    }
  }
  if (!isEnough()) return false;
  // A large one that came last may make small ones before it needless.
  for (const other of chosen) {
    const isNeeded = other.shares.some(({ room, need }) => (lacks.get(room) ?? -Infinity) + need > 0);
    if (isNeeded) giveUp(other);
    else for (const { room, need } of other.shares) lacks.set(room, (lacks.get(room) ?? -Infinity) + need);
  }
  return true;
}

function helps({ shares }: Entry, lacks: ReadonlyMap<Room, number>): boolean {
  return shares.some(({ room }) => (lacks.get(room) ?? 0) > 0);
}

/** It is the order of the line, so that what is given up is not given back while the other waits. */
function mayTakeFrom(claim: Claim, other: Claim): boolean {
  if (claim.priority !== other.priority) return claim.priority > other.priority;
  return claim.standing === 'Called' && other.standing === 'KeptWarm';
}

function giveUp(entry: Entry): void {
  entry.granted -= 1;
  for (const { room, need } of entry.shares) room.coming += need;
}

function keep({ room, need }: Share): void {
  const now = Math.min(room.free, need);
  room.free -= now;
  room.coming = Math.max(0, room.coming - (need - now));
}

/** Replicas that it has and that are idle. */
function spareOf({ granted, claim }: Entry): number {
  return Math.min(granted, claim.living) - Math.min(claim.busy, claim.living);
}

function holdsIn({ shares }: Entry, room: Room): boolean {
  return shares.some((share) => share.room === room);
}

function wantsMore({ claim, granted, planned }: Entry): boolean {
  return granted + planned < claim.wanted;
}

function isTooSmall({ room, need }: Share): boolean {
  return need > room.budget.limit;
}

function told(line: readonly Entry[]): Map<string, Allocation> {
  const lines = new Map<Room, Entry[]>();
  for (const entry of line) {
    const room = entry.blockedBy?.room;
    if (room === undefined) continue;
    const entries = lines.get(room);
    if (entries === undefined) lines.set(room, [entry]);
    else entries.push(entry);
  }
  const allocations = new Map<string, Allocation>();
  for (const { claim, granted } of line) allocations.set(claim.key, { granted, waiting: undefined });
  for (const [{ budget }, entries] of lines) {
    for (const [at, { claim, granted, blockedBy }] of entries.entries()) {
      const missing = claim.wanted - granted;
      const waiting = { budget, need: blockedBy?.need ?? 0, missing, position: at + 1, waiting: entries.length };
      allocations.set(claim.key, { granted, waiting });
    }
  }
  return allocations;
}
