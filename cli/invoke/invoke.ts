/** `pilotlight invoke`: sends one inference request to a function through a gateway and prints the answer. */
import { readFile } from 'node:fs/promises';
import { request } from 'undici';
import { UsageError, type Command } from '../command.ts';

const DEFAULT_GATEWAY = 'http://127.0.0.1:8080';

export const invoke: Command = {
  name: 'invoke',
  summary: 'Sends an inference request to a function and prints its answer.',
  positionals: 'FUNCTION',
  options: {
    data: { value: 'FILE', description: 'the request as Open Inference Protocol JSON; - reads standard input' },
    namespace: { value: 'NAME', description: 'namespace of the function', default: 'default' },
    gateway: { value: 'URL', description: `the gateway's address (default $PILOTLIGHT_GATEWAY or ${DEFAULT_GATEWAY})` },
  },
  async run(positionals, options, terminal) {
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) throw new UsageError('Name one function.');
    if (options['data'] === undefined) throw new UsageError('Name the file of the request with --data.');
    const gateway = options['gateway'] ?? terminal.environment['PILOTLIGHT_GATEWAY'] ?? DEFAULT_GATEWAY;
    const body = options['data'] === '-' ? process.stdin : await readFile(options['data']);
    const path = `/functions/${encodeURIComponent(options['namespace'] ?? 'default')}/${encodeURIComponent(name)}/v2/models/${encodeURIComponent(name)}/infer`;

    const started = performance.now();
    const answer = await request(new URL(path, gateway), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: terminal.interrupted,
      headersTimeout: 0,
      bodyTimeout: 0,
    }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `The gateway at ${gateway} did not answer (${reason}). Is \`pilotlight local\` running, or --gateway right?`,
      );
    });
    terminal.out(await answer.body.text());
    terminal.err(timing(performance.now() - started, answer.statusCode, answer.headers));
    return answer.statusCode < 400 ? 0 : 1;
  },
};

function timing(milliseconds: number, status: number, headers: Record<string, string | string[] | undefined>): string {
  const parts = [`${status} in ${milliseconds.toFixed(1)} ms`];
  const coldStart = headers['pilotlight-cold-start'];
  if (typeof coldStart === 'string') parts.push(`waited ${coldStart} ms for a replica`);
  const revision = headers['pilotlight-revision'];
  if (typeof revision === 'string') parts.push(`revision ${revision}`);
  return parts.join(', ');
}
