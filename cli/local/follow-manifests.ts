/** Keeps a cluster like the manifest files: applies them, and each later edit of them. */
import { statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import { apply, remove } from '../../operator/cluster/apply.ts';
import type { Cluster } from '../../operator/cluster/port.ts';
import { MODEL_FUNCTIONS } from '../../operator/cluster/resources.ts';
import { readManifestFiles } from './manifest-files.ts';
import { DEFAULT_NAMESPACE, manifestChanges, readManifests, type ManifestReading } from './manifests.ts';

/** An editor writes, renames and touches a file within a few milliseconds of one save. */
const SETTLE_MILLISECONDS = 100;

export interface FollowOptions {
  readonly paths: readonly string[];
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly report: (line: string) => void;
  /** Ends the following. */
  readonly signal: AbortSignal;
}

/** Resolves once the files are applied; rejects if they cannot be. A later edit that is wrong is reported and changes nothing. */
export async function followManifests(options: FollowOptions): Promise<void> {
  const { paths, clock, report, signal } = options;
  let applied = await carryOut(options, { manifests: new Map(), findings: [] });
  let working = Promise.resolve();
  let cancel: Cancel = () => undefined;
  const edited = (): void => {
    cancel();
    cancel = clock.after(SETTLE_MILLISECONDS, () => {
      working = working.then(async () => {
        try {
          applied = await carryOut(options, applied);
        } catch (error) {
          report(`${error instanceof Error ? error.message : String(error)}\nNothing was changed.`);
        }
      });
    });
  };
  // A file is watched through its folder, because most editors replace it by another one of the same name.
  for (const folder of new Set(paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path))))) {
    watch(folder, { signal }, edited).on('error', () => undefined);
  }
  signal.addEventListener('abort', () => cancel(), { once: true });
  // For what was edited before the watch began.
  edited();
}

type Applied = Pick<ManifestReading, 'manifests' | 'findings'>;

async function carryOut({ paths, cluster, report }: FollowOptions, before: Applied): Promise<Applied> {
  const { manifests, findings, valid } = readManifests(await readManifestFiles(paths));
  if (!valid) throw new Error(findings.join('\n'));
  for (const finding of findings) if (!before.findings.includes(finding)) report(finding);
  const changes = manifestChanges(before.manifests, manifests);
  for (const fn of changes.apply) {
    const { name, namespace } = fn.metadata;
    const outcome = await apply(cluster, MODEL_FUNCTIONS, fn);
    report(`modelfunction/${name} ${outcome}${namespace === DEFAULT_NAMESPACE ? '' : ` in ${namespace}`}`);
  }
  for (const { metadata } of changes.remove) {
    await remove(cluster, MODEL_FUNCTIONS, metadata);
    const { name, namespace } = metadata;
    report(`modelfunction/${name} deleted${namespace === DEFAULT_NAMESPACE ? '' : ` from ${namespace}`}`);
  }
  return { manifests, findings };
}
