import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';
import { StartError } from '../inference.ts';

/** What a container's own layer can mostly bear, and the size of the volume that takes its place on a read-only root. */
const DEFAULT_MODEL_CACHE_BYTES = 16 * 2 ** 30;

/** Bytes that fetched models, and what is made of them, may take on disk. Throws StartError. */
export function modelCacheBytes(environment: Readonly<Record<string, string | undefined>>): number {
  const name = RUNTIME_ENVIRONMENT.modelCacheBytes;
  const text = environment[name]?.trim() ?? '';
  if (text === '') return DEFAULT_MODEL_CACHE_BYTES;
  const bytes = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (bytes > 0) return bytes;
  throw new StartError(
    'ConfigurationInvalid',
    `Environment variable ${name} must be a number of bytes but is "${text}".`,
  );
}
