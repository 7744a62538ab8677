/** Writes down what somebody needs who was not there when a test failed. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubectl } from './kubectl.ts';
import { SYSTEM_NAMESPACE } from './installation.ts';

const KINDS = 'pods,modelfunctions,modelrevisions,services,networkpolicies,resourcequotas';

/**
 * Files in the folder, one for each question; one that could not be asked says why.
 * @param since when the suite began; older lines of operator and gateways are left out
 */
export async function writeDiagnostics(folder: string, namespace: string, since: Date): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = async (file: string, ...args: readonly string[]): Promise<void> => {
    const text = await kubectl(args, { timeoutSeconds: 20 }).catch(String);
    await writeFile(join(folder, file), text);
  };
  const sinceTime = `--since-time=${since.toISOString()}`;
  await write('overview.txt', 'get', KINDS, '-n', namespace, '-o=wide');
  await write('objects.yaml', 'get', KINDS, '-n', namespace, '-o=yaml');
  await write('events.txt', 'get', 'events', '-n', namespace, '--sort-by=.lastTimestamp');
  await write('system-pods.yaml', 'get', 'pods', '-n', SYSTEM_NAMESPACE, '-o=yaml');
  for (const pod of await names(namespace)) await write(`${pod}.log`, 'logs', '-n', namespace, pod, '--all-containers');
  for (const pod of await names(SYSTEM_NAMESPACE)) {
    await write(`${pod}.log`, 'logs', '-n', SYSTEM_NAMESPACE, pod, sinceTime);
    await write(`${pod}.previous.log`, 'logs', '-n', SYSTEM_NAMESPACE, pod, '--previous');
  }
}

async function names(namespace: string): Promise<string[]> {
  const text = await kubectl(['get', 'pods', '-n', namespace, '-o=name'], { timeoutSeconds: 20 }).catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace('pod/', ''));
}
