/**
 * What a thousand functions cost a gateway that has the routes of all: the time to find one, its memory for one that nobody calls, and the time to take one changed
 * route, each beside the same with fewer functions. 200 of a thousand have a pod. All in this process, without a network.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../common/platform/clock.ts';
import type { FunctionRoute, RoutesUpdate } from '../../common/wire/routes.ts';
import { parseOperatorMessage } from '../../gateway/control/parse-operator-message.ts';
import { DemandLedger } from '../../gateway/demand/demand-ledger.ts';
import { functionRoute, revisionRoute } from '../../gateway/testing/gateway-fixture.ts';
import { connectPod } from '../../gateway/proxy/pod-connections.ts';
import { BarredPods } from '../../gateway/revision/barred-pods.ts';
import { Holdings } from '../../gateway/revision/holdings.ts';
import { Revision } from '../../gateway/revision/revision.ts';
import { RouteTable } from '../../gateway/routing/route-table.ts';
import { formatSummary, summarise } from './median.ts';
import { formatTable } from './table.ts';

const ROUNDS = 9;
const COUNTS = [10, 100, 1_000];
const LOOKUPS = 200_000;
const CHANGES = 200;
/** One function in so many has a pod. */
const ACTIVE = 5;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Table {
  readonly routes: RouteTable;
  readonly functions: readonly FunctionRoute[];
  /** Bytes. */
  readonly memory: number;
}

const idle = COUNTS.map((count) => makeTable(count, false).memory);
const tables = COUNTS.map((count) => makeTable(count, true));
const lookups = tables.map((): number[] => []);
const changes = tables.map((): number[] => []);
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [at, table] of tables.entries()) {
    const lookup = lookupNanoseconds(table);
    const change = changeMicroseconds(table);
    // The first round also compiles.
    if (round === 0) continue;
    lookups[at]?.push(lookup);
    changes[at]?.push(change);
  }
}
const rows = COUNTS.map((count, at) => [
  String(count),
  formatSummary(summarise(lookups[at] ?? []), 0),
  formatSummary(summarise(changes[at] ?? []), 0),
  ((idle[at] ?? Number.NaN) / count).toFixed(0),
  ((tables[at]?.memory ?? Number.NaN) / count).toFixed(0),
]);
console.log(
  `${formatTable(['functions', 'find one, ns', 'take one changed route, µs', 'bytes of an idle one', 'with a fifth active'], rows)}\n` +
    'Memory is the heap’s growth with all routes, metrics and meters; the goal is 2048 bytes for one of a thousand that nobody calls.',
);

function makeTable(count: number, hasPods: boolean): Table {
  const ledger = new DemandLedger('bench', 0, () => undefined);
  const services = {
    clock: systemClock,
    random: Math.random,
    barred: new BarredPods(),
    holdings: new Holdings({ maxQueuedRequests: 0, maxHeldBytes: 0 }),
    mostRetries: 0,
    ownerOf: () => undefined,
    connect: (address: Parameters<typeof connectPod>[0]) => connectPod(address, systemClock, () => undefined),
  };
  const routes = new RouteTable(
    { clusterDomain: 'cluster.local', domain: '' },
    (namespace, name, settings) => new Revision(namespace, name, settings, ledger.meter(namespace, name), services),
  );
  const text = JSON.stringify(
    update(
      Array.from({ length: count }, (_, at) => routeOf(at, hasPods)),
      true,
    ),
  );
  const before = heapBytes();
  const message = parsed(text);
  routes.apply(message);
  const memory = heapBytes() - before;
  return { routes, functions: message.functions, memory };
}

function routeOf(at: number, hasPods: boolean, timeoutSeconds = 60): FunctionRoute {
  const name = `model-${at}`;
  const revision = `${name}-00001`;
  const pod = {
    name: `${revision}-0`,
    uid: `uid-${at}`,
    state: 'Ready' as const,
    host: '10.0.0.7',
    ports: { http: 8080, grpc: 8081, control: 9091 },
  };
  const pods = hasPods && at % ACTIVE === 0 ? [pod] : [];
  return functionRoute({
    namespace: 'models',
    name,
    timeoutSeconds,
    revisions: [revisionRoute(pods, { name: revision })],
  });
}

function update(functions: readonly FunctionRoute[], full: boolean): RoutesUpdate {
  return { type: 'routes', epoch: 1, sequence: 1, full, functions, removed: [] };
}

/** As it comes from an operator: strings of its own, and no object shared. */
function parsed(text: string): RoutesUpdate {
  const message = parseOperatorMessage(JSON.parse(text));
  if (message.type !== 'routes') throw new Error('These must be routes.');
  return message;
}

function lookupNanoseconds({ routes, functions }: Table): number {
  const hosts = functions.map(({ name, namespace }) => `${name}.${namespace}`);
  let found = 0;
  const start = performance.now();
  for (let turn = 0; turn < LOOKUPS; turn += 1) {
    const match = routes.find(hosts[(turn * 7) % hosts.length] ?? '', '/v2/models/m/infer', 'cluster');
    if (typeof match !== 'string' && routes.choose(match, Math.random) !== undefined) found += 1;
  }
  const nanoseconds = ((performance.now() - start) * 1e6) / LOOKUPS;
  if (found !== LOOKUPS) throw new Error(`${LOOKUPS - found} functions were not found.`);
  return nanoseconds;
}

function changeMicroseconds({ routes, functions }: Table): number {
  const texts = Array.from({ length: CHANGES }, (_, turn) =>
    JSON.stringify(update([routeOf((turn * 7) % functions.length, true, 60 + turn)], false)),
  );
  const start = performance.now();
  for (const text of texts) routes.apply(parsed(text));
  return ((performance.now() - start) * 1e3) / CHANGES;
}

function heapBytes(): number {
  for (let turn = 0; turn < 3; turn += 1) collectGarbage();
  return process.memoryUsage().heapUsed;
}
