/** Runs the `kubectl` of $PATH against the cluster of $KUBECONFIG. */
import { spawn } from 'node:child_process';

export interface Run {
  /** To its standard input. */
  readonly input?: string;
  readonly timeoutSeconds?: number;
}

/** Rejected: what kubectl wrote to its standard error is what a person sees. */
export class KubectlError extends Error {
  readonly stderr: string;

  constructor(args: readonly string[], how: string, stderr: string) {
    super(`kubectl ${args.join(' ')} ${how}: ${stderr.trim()}`);
    this.name = 'KubectlError';
    this.stderr = stderr;
  }
}

/** What it wrote to its standard output. Throws a KubectlError if it fails or takes longer than it may. */
export async function kubectl(args: readonly string[], { input = '', timeoutSeconds = 60 }: Run = {}): Promise<string> {
  const child = spawn('kubectl', args, { timeout: timeoutSeconds * 1000, killSignal: 'SIGKILL' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // One that ends before it has read everything says why by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const how = await new Promise<string | undefined>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(signal === null ? `ended with ${code ?? 0}` : `did not end within ${timeoutSeconds} s`);
    });
  });
  if (how !== undefined) throw new KubectlError(args, how, stderr);
  return stdout;
}
