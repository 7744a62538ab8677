/** Brings the model to a path that ONNX Runtime can load, verified against its pin before anybody may load it. */
import { existsSync } from 'node:fs';
import type { Clock } from '../../common/platform/clock.ts';
import type { RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import { StartError } from '../inference.ts';
import type { FetchLimits } from './fetch-limits.ts';
import type { FileDigest } from './hash-file.ts';
import { parseModelUri, printableUri } from './model-uri.ts';
import { openLocal } from './open-local.ts';

export interface ModelFile {
  readonly path: string;
  /** What pins the model. Of a local file without a pin it is still being computed, so that the session need not wait for it. */
  readonly digest: Promise<FileDigest>;
  /** Rejects with StartError if what has been loaded meanwhile need not be what was hashed, because a file changed. Absent where nobody else can write. */
  readonly confirm?: () => Promise<void>;
}

export interface OpenOptions {
  /** Fetched models go to `sha256/<digest>` in it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Credentials and PILOTLIGHT_MODEL_CACHE_BYTES are looked for in it; the process' own if absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Others only in tests. */
  readonly limits?: FetchLimits;
  /** From 0 to 1, spreads attempts; another one only in tests. */
  readonly random?: () => number;
}

type ModelReference = RuntimeSpecification['model'];

/** Rejects with StartError, whose message names the URI, or with the signal's reason. */
export async function openModel(model: ModelReference, options: OpenOptions): Promise<ModelFile> {
  const pin = model.sha256?.toLowerCase();
  if (pin !== undefined && !/^[0-9a-f]{64}$/.test(pin)) {
    throw new StartError('ConfigurationInvalid', `model.sha256 is "${pin}"; it must be 64 hexadecimal digits.`);
  }
  const location = parseModelUri(model.uri, process.cwd());
  const name = printableUri(model.uri);
  if (location.kind === 'image') {
    requireImage(location.path, name);
    return openLocal(location.path, name, pin, options);
  }
  if (location.kind === 'file') return openLocal(location.path, name, pin, options);
  // Most models of a quick start are local; the rest wait for a network anyway.
  const { fetchModel } = await import('./fetch-model.ts');
  const { path, digest } = await fetchModel({ location, uri: model.uri, name, pin }, options);
  return { path, digest: Promise.resolve(digest) };
}

/** Where image volumes are off, the API server takes the volume out of the pod without a word. */
function requireImage(path: string, name: string): void {
  if (existsSync(path)) return;
  throw new StartError(
    'ModelNotFound',
    `The image of ${name} is not mounted: this cluster has no image volumes. They need Kubernetes 1.33 or later with the feature gate ImageVolume, and a container runtime that has them.`,
  );
}
