/** `pilotlight serve`: one runtime on one ONNX file, without gateway, operator or scaling. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { DEFAULT_MAX_BODY_BYTES } from '../../runtime/configuration.ts';
import { startRuntime } from '../../runtime/runtime.ts';
import { UsageError, port, type Command } from '../command.ts';

const HOST = '127.0.0.1';

export const serve: Command = {
  name: 'serve',
  summary: 'Serves one ONNX model by HTTP and gRPC, without scaling.',
  positionals: 'MODEL',
  options: {
    name: { value: 'NAME', description: "the model's name in paths (default the file's)" },
    port: { value: 'PORT', description: 'port to listen on; 0 takes a free one', default: '8080' },
    'grpc-port': { value: 'PORT', description: 'port for gRPC; 0 takes a free one', default: '8081' },
    'metrics-port': { value: 'PORT', description: 'port of /metrics; 0 takes a free one', default: '9090' },
    threads: { value: 'NUMBER', description: 'threads of one run (default the number of processors)' },
    verbose: { description: 'show what the runtime logs' },
  },
  async run([model, ...rest], options, terminal) {
    if (model === undefined || rest.length > 0) throw new UsageError('Name one ONNX file, or its URL.');
    const uri = /^[a-z0-9]+:/.test(model) ? model : localUri(model);
    const name = options['name'] ?? basename(model, extname(model));
    const directory = mkdtempSync(join(tmpdir(), 'pilotlight-'));
    const logger = createLogger('runtime', options['verbose'] === 'true' ? 'info' : 'error');
    const runtime = await startRuntime({
      specification: {
        namespace: 'default',
        function: name,
        revision: '1',
        model: { uri },
        executionProviders: ['CPU'],
        instances: 1,
        intraOpThreads: threads(options['threads']),
        batching: { maxBatchSize: 32, maxDelayMilliseconds: 0 },
        timeoutSeconds: 60,
      },
      ports: {
        http: port('port', options['port']),
        grpc: port('grpc-port', options['grpc-port']),
        metrics: port('metrics-port', options['metrics-port']),
        control: 0,
      },
      // It asks nobody who they are, so other machines do not reach it.
      host: HOST,
      maxBodyBytes: DEFAULT_MAX_BODY_BYTES,
      modelDirectory: directory,
      clock: systemClock,
      logger,
      random: Math.random,
      onFatal: (reason) => {
        terminal.err(`The runtime cannot go on: ${reason}`);
        // A run that does not end would keep every orderly way out waiting.
        process.kill(process.pid, 'SIGKILL');
      },
    });
    try {
      const { facts } = await runtime.ready;
      terminal.out(`${name} is ready at http://${HOST}:${runtime.ports.http}/v2/models/${name}`);
      terminal.out(`gRPC      ${HOST}:${runtime.ports.grpc}`);
      terminal.out(`Batching  ${facts.batching.enabled ? 'on' : 'off'}: ${facts.batching.reason}`);
      await new Promise<void>((ended) => {
        if (terminal.interrupted.aborted) ended();
        else terminal.interrupted.addEventListener('abort', () => ended(), { once: true });
      });
      return 0;
    } finally {
      await runtime.close();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

function localUri(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw new Error(`There is no file ${path}.`);
  return pathToFileURL(resolve(path)).href;
}

function threads(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 256) return number;
  throw new UsageError(`--threads must be a number from 1 to 256, not ${JSON.stringify(text)}.`);
}
