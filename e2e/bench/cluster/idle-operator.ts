/** What functions cost that nobody calls: the operator's memory, and what it writes when nothing changes. */
import { SYSTEM_NAMESPACE } from '../../cluster/support/installation.ts';
import { kubectl } from '../../cluster/support/kubectl.ts';
import type { Workplace } from '../in-cluster/workplace.ts';

/** Whatever the operators write, by resource; Leases are left out, for those are renewed each second on purpose. */
export type Writes = Readonly<Record<string, number>>;

export interface IdleOperator {
  /** Bytes, of each operator, the leader first. */
  readonly resident: readonly number[];
  /** Bytes of a process that only imports the Kubernetes client. */
  readonly importResident: number;
  /** In a minute in which nothing happened. */
  readonly quietWrites: Writes;
  /** After each function had been touched without a change of its spec. */
  readonly touchedWrites: Writes;
  /** Reconciliations in that time, to show that there were any. */
  readonly reconciles: number;
}

const QUIET_MILLISECONDS = 60_000;
const SETTLE_MILLISECONDS = 30_000;
const TOUCHED_MILLISECONDS = 15_000;
const WRITE = /^apiserver_request_total\{(.*)\} (\S+)$/;
const WRITE_VERBS = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);
/** What an operator writes to, but for pods and events, which others write to at any time. Events come only with a write to what they are about. */
const RESOURCES = new Set(['modelfunctions', 'modelrevisions', 'services', 'networkpolicies', 'secrets']);

export async function measureIdleOperator(workplace: Workplace, importScript: string): Promise<IdleOperator> {
  const importResident = await importMemory(workplace, importScript);
  await pause(SETTLE_MILLISECONDS);
  const before = await countWrites();
  await pause(QUIET_MILLISECONDS);
  const after = await countWrites();
  const operators = await operatorPods();
  const resident = await Promise.all(operators.map(residentBytes));

  const reconciled = await countReconciles(operators[0]);
  await kubectl(['annotate', 'modelfunctions', '--all', `--namespace=${workplace.namespace}`, 'bench=touched']);
  await pause(TOUCHED_MILLISECONDS);
  const touched = difference(after, await countWrites());
  const { 'modelfunctions PATCH': own = 0, ...others } = touched;
  const count = (await getItems(['modelfunctions', `--namespace=${workplace.namespace}`])).length;
  return {
    resident,
    importResident,
    quietWrites: difference(before, after),
    touchedWrites: own === count ? others : { ...others, 'modelfunctions PATCH': own - count },
    reconciles: (await countReconciles(operators[0])) - reconciled,
  };
}

async function importMemory({ run }: Workplace, script: string): Promise<number> {
  let bytes = 0;
  await run(script, [], (line) => (bytes = Number(line)));
  return bytes;
}

/** The leader first. */
async function operatorPods(): Promise<string[]> {
  const pods = await getItems<{ readonly metadata: { readonly name: string } }>([
    ...['pods', `--namespace=${SYSTEM_NAMESPACE}`],
    '--selector=app.kubernetes.io/name=pilotlight,app.kubernetes.io/component=operator',
  ]);
  const leases = await getItems<{ readonly spec: { readonly holderIdentity?: string } }>([
    ...['leases', `--namespace=${SYSTEM_NAMESPACE}`],
  ]);
  const leads = (name: string): boolean => leases.some(({ spec }) => spec.holderIdentity?.startsWith(name) === true);
  return pods.map(({ metadata }) => metadata.name).sort((a, b) => Number(leads(b)) - Number(leads(a)));
}

async function residentBytes(pod: string): Promise<number> {
  const status = await inOperator(pod, `console.log(require('node:fs').readFileSync('/proc/1/status', 'utf8'))`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function countReconciles(pod = ''): Promise<number> {
  const metrics = await inOperator(
    pod,
    `fetch('http://127.0.0.1:9090/metrics').then((answer) => answer.text()).then((text) => console.log(text))`,
  );
  const counts = [...metrics.matchAll(/^pilotlight_reconciles_total\{.*\} (\S+)$/gm)];
  return counts.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function getItems<Item>(args: readonly string[]): Promise<Item[]> {
  const list = JSON.parse(await kubectl(['get', ...args, '--output=json'])) as { readonly items: Item[] };
  return list.items;
}

function inOperator(pod: string, script: string): Promise<string> {
  return kubectl(['exec', `--namespace=${SYSTEM_NAMESPACE}`, pod, '--', 'node', '--eval', script]);
}

async function countWrites(): Promise<Writes> {
  const counts: Record<string, number> = {};
  for (const line of (await kubectl(['get', '--raw', '/metrics'])).split('\n')) {
    const [, labels = '', value] = WRITE.exec(line) ?? [];
    const label = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (!WRITE_VERBS.has(label('verb')) || !RESOURCES.has(label('resource'))) continue;
    const what = [label('resource'), label('subresource')].filter((part) => part !== '').join('/');
    const key = `${what} ${label('verb')}`;
    counts[key] = (counts[key] ?? 0) + Number(value);
  }
  return counts;
}

/** What grew. */
function difference(before: Writes, after: Writes): Writes {
  return Object.fromEntries(
    Object.entries(after)
      .map(([key, count]) => [key, count - (before[key] ?? 0)] as const)
      .filter(([, grown]) => grown > 0),
  );
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
