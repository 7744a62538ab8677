/** The runtime's program: environment in, one model served, until SIGTERM. It only wires. */
import { systemClock } from '../common/platform/clock.ts';
import { createLogger } from '../common/platform/logging.ts';
import { RUNTIME_ENVIRONMENT } from '../common/wire/runtime-environment.ts';
import { parseConfiguration } from './configuration.ts';
import { StartError } from './inference.ts';
import { endThread, type StartedThread } from './model/start-thread.ts';
import { startRuntime } from './runtime.ts';
import { writeStartFailure } from './start-failure.ts';

const terminated = new Promise<void>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
});

/** Ends the process. `threads` are started, and have no model yet. */
export async function serve(threads: readonly StartedThread[]): Promise<never> {
  try {
    await serveUntilTerminated(threads);
    process.exit(0);
  } catch (error) {
    report(error);
    await Promise.all(threads.map(endThread));
    process.exit(1);
  }
}

/** Returns once everything has ended orderly: no thread is left in a run, where process.exit() would abort. */
async function serveUntilTerminated(threads: readonly StartedThread[]): Promise<void> {
  const configuration = parseConfiguration(process.env);
  const logger = createLogger('runtime', configuration.logLevel);
  // A run blocks every orderly end; this signal is sure. supervise.sh then starts the program anew in the same container.
  const onFatal = (reason: string): void => {
    logger.fatal({ reason }, 'Killed itself');
    process.kill(process.pid, 'SIGKILL');
  };
  process.on('uncaughtException', (error) => {
    onFatal(error.stack ?? error.message);
  });
  const runtime = await startRuntime({
    ...configuration,
    threads,
    clock: systemClock,
    logger,
    random: Math.random,
    onFatal,
  });
  try {
    await Promise.race([terminated, runtime.ready.then(() => terminated)]);
    logger.info('Began to end');
  } finally {
    await runtime.close();
  }
}

function report(error: unknown): void {
  const logger = createLogger('runtime');
  logger.fatal({ err: error }, 'Could not start');
  const path = process.env[RUNTIME_ENVIRONMENT.terminationLog];
  if (!(error instanceof StartError) || path === undefined) return;
  try {
    writeStartFailure(path, error);
  } catch (cause) {
    logger.error({ err: cause, path }, 'Could not write the termination log');
  }
}
