/** The `kubectl` program, on the cluster of $KUBECONFIG. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Gives what it prints. Rejects with what it complains of. */
export async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  child.stdin.end(input);
  const [output, complaint, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${complaint}`);
  return output;
}

/** What the path of the API answers, as text. */
export function getRaw(path: string): Promise<string> {
  return kubectl(['get', '--raw', path]);
}

export async function getItems<Item>(args: readonly string[]): Promise<Item[]> {
  const list = JSON.parse(await kubectl(['get', ...args, '--output=json'])) as { readonly items: Item[] };
  return list.items;
}
