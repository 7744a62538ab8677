/** Brings a model from a server into the cache, within limits, and says what went wrong as a start's failure. Nothing is in the cache before it is whole. */
import { rm } from 'node:fs/promises';
import { MODEL_SECRET_ENVIRONMENT } from '../../common/wire/model-credentials.ts';
import { StartError } from '../inference.ts';
import { ArchiveError } from './archive/archive-error.ts';
import { ModelCache, type CachedModel } from './cache/model-cache.ts';
import { modelCacheBytes } from './cache-limit.ts';
import { DownloadError, toDownloadError } from './download-error.ts';
import { FETCH_LIMITS } from './fetch-limits.ts';
import { HttpClient } from './http/http-client.ts';
import { Fetch, type FetchRequest } from './fetch.ts';
import { errorText } from '../node-error.ts';
import type { OpenOptions } from './open-model.ts';
import { openSource } from './sources/open-source.ts';
import { setting } from './sources/setting.ts';

/** Rejects with StartError, or with the signal's reason. */
export async function fetchModel(request: FetchRequest, options: OpenOptions): Promise<CachedModel> {
  const { directory, clock, signal, environment = process.env, limits = FETCH_LIMITS } = options;
  const cacheBytes = modelCacheBytes(environment);
  const cache = new ModelCache(directory, cacheBytes, clock);
  const found = request.pin === undefined ? undefined : await cache.find(request.pin, signal);
  if (found !== undefined) return found;
  const authorities = setting(environment, MODEL_SECRET_ENVIRONMENT['ca.crt']);
  if (authorities !== undefined && !authorities.includes('-----BEGIN CERTIFICATE-----')) {
    throw new StartError(
      'ConfigurationInvalid',
      'The key ca.crt of the Secret that secretName names holds no certificate in PEM (-----BEGIN CERTIFICATE-----).',
    );
  }
  const workplace = await cache.makeWorkplace().catch((error: unknown) => {
    throw new StartError(
      'ModelFetchFailed',
      `The model directory ${directory} cannot be written to: ${errorText(error)}`,
    );
  });
  const client = new HttpClient({ clock, limits, redirects: limits.redirects, authorities });
  const overall = new AbortController();
  const cancel = clock.after(limits.totalMilliseconds, () => {
    overall.abort(new DownloadError(`it took longer than ${limits.totalMilliseconds / 1000} s`, 'lasting'));
  });
  const bounded = { ...options, signal: AbortSignal.any([signal, overall.signal]), cacheBytes };
  try {
    const source = await openSource(request.location, { client, clock, environment, signal: bounded.signal });
    return await new Fetch(request, bounded, cache, client, workplace).run(source);
  } catch (error) {
    signal.throwIfAborted();
    throw startError(overall.signal.aborted ? overall.signal.reason : error, request.name);
  } finally {
    cancel();
    client.close();
    await rm(workplace, { recursive: true, force: true });
  }
}

function startError(error: unknown, name: string): StartError {
  if (error instanceof StartError) return error;
  if (error instanceof ArchiveError) return new StartError('ModelInvalid', `The archive at ${name} ${error.message}.`);
  const problem = toDownloadError(error);
  if (problem.kind === 'notFound')
    return new StartError('ModelNotFound', `There is no model at ${name}: ${problem.message}.`);
  return new StartError('ModelFetchFailed', `The model at ${name} could not be fetched: ${problem.message}.`);
}
