/** `pilotlight local`: runs manifests on this machine and follows edits of them, until it is interrupted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { MODEL_FUNCTIONS } from '../../operator/cluster/resources.ts';
import { UsageError, port, type Command, type Terminal } from '../command.ts';
import { followManifests } from './follow-manifests.ts';
import { startLocalPlatform, type LocalPlatform } from './local-platform.ts';
import { statusLine } from './status-line.ts';

export const local: Command = {
  name: 'local',
  summary: 'Runs manifests on this machine, scaling from zero as on Kubernetes, and follows edits of them.',
  positionals: 'PATH...',
  options: {
    port: { value: 'PORT', description: 'port of the gateway; 0 takes a free one', default: '8080' },
    'metrics-port': { value: 'PORT', description: 'port of /metrics; 0 takes a free one', default: '9090' },
    verbose: { description: 'show what gateway, operator and pods log' },
  },
  async run(paths, options, terminal) {
    if (paths.length === 0) throw new UsageError('Name at least one manifest, or a folder of them.');
    const verbose = options['verbose'] === 'true';
    const directory = mkdtempSync(join(tmpdir(), 'pilotlight-'));
    try {
      const platform = await startLocalPlatform({
        ports: { http: port('port', options['port']), metrics: port('metrics-port', options['metrics-port']) },
        directory,
        clock: systemClock,
        random: Math.random,
        logger: createLogger('local', verbose ? 'info' : 'error'),
        runtimeLogLevel: verbose ? 'info' : 'error',
        // Otherwise the status line has what a person needs of it.
        onPodLine: (pod, line) => {
          if (verbose) terminal.err(`${pod}  ${line}`);
        },
      });
      try {
        await follow(platform, paths, terminal);
        return 0;
      } finally {
        await platform.close();
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** Applies the manifests and tells what becomes of them, until the user has enough. */
async function follow(platform: LocalPlatform, paths: readonly string[], terminal: Terminal): Promise<void> {
  const { cluster, gateway, metrics } = platform;
  const signal = terminal.interrupted;
  const report = (line: string): void => terminal.out(line);
  report(`Gateway  ${gateway}\nMetrics  ${metrics}`);
  const lines = new Map<string, string>();
  cluster.watch(
    MODEL_FUNCTIONS,
    {},
    (event) => {
      if (event.type !== 'Applied') return;
      const line = statusLine(event.object);
      const { uid = '' } = event.object.metadata;
      if (lines.get(uid) !== line) report(line);
      lines.set(uid, line);
    },
    signal,
  );
  await followManifests({ paths, cluster, clock: systemClock, report, signal });
  await aborted(signal);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
