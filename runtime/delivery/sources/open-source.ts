/** The source of a location; each scheme's code is loaded only where a model is of that scheme. */
import type { RemoteLocation } from '../model-uri.ts';
import type { Source, SourceOptions } from './source.ts';

export async function openSource(location: RemoteLocation, options: SourceOptions): Promise<Source> {
  switch (location.kind) {
    case 'http':
      return (await import('./http-source.ts')).httpSource(location.url, options);
    case 's3':
      return (await import('./s3-source.ts')).s3Source(location.bucket, location.key, options);
    case 'gs':
      return (await import('./gs-source.ts')).gsSource(location.bucket, location.key, options);
    case 'hf':
      return (await import('./hugging-face-source.ts')).huggingFaceSource(location, options);
  }
}
