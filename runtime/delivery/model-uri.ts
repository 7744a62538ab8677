/** Where a model is, from its URI. What a URI may hold of secrets (a password, a signed query) never reaches a message. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODEL_CLAIM_DIRECTORY, parseModelClaim } from '../../common/wire/model-claim.ts';
import { MODEL_IMAGE_DIRECTORY, parseModelImage } from '../../common/wire/model-image.ts';
import { StartError } from '../inference.ts';

export type ModelLocation =
  | { readonly kind: 'file'; readonly path: string }
  /** A folder that an image is mounted at. */
  | { readonly kind: 'image'; readonly path: string }
  | RemoteLocation;

export type RemoteLocation =
  | { readonly kind: 'http'; readonly url: URL }
  /** A key may name an object or, with or without a "/" at its end, what is below it. */
  | { readonly kind: 's3' | 'gs'; readonly bucket: string; readonly key: string }
  /** The path is empty where the URI names the whole repository. */
  | { readonly kind: 'hf'; readonly repository: string; readonly revision: string; readonly path: string };

const FORMS =
  'file:/absolute/path, file:relative/path, http://…, https://…, s3://bucket/path, gs://bucket/path, hf://organisation/model[@revision][/path], ' +
  'pvc://claim/path or oci://registry/repository:tag, where a path leads to an ONNX file, a folder with one, or an archive';

/** Relative paths are taken from `workingDirectory`. Throws StartError ConfigurationInvalid, which names the forms there are. */
export function parseModelUri(uri: string, workingDirectory: string): ModelLocation {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'file':
      return { kind: 'file', path: filePath(uri, workingDirectory) };
    case 'http':
    case 'https': {
      // Browsers take other numbers of slashes, and backslashes, for the same; nobody means them.
      const url = /^https?:\/\/[^/\\]/i.test(uri) ? URL.parse(uri) : null;
      if (url !== null) return { kind: 'http', url };
      // What cannot be read may have a password anywhere.
      throw invalid(`${scheme}://…`, 'is not a valid URL');
    }
    case 's3':
    case 'gs': {
      const [, bucket, key] = /^\w+:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])\/([^?#]+)$/i.exec(uri) ?? [];
      if (bucket !== undefined && key !== undefined) return { kind: scheme, bucket, key: decoded(uri, key) };
      throw invalid(uri, 'names no path in a bucket');
    }
    case 'hf': {
      const [, repository, revision = 'main', path = ''] =
        /^hf:\/\/([\w-][\w.-]*\/[\w-][\w.-]*)(?:@((?:[\w.-]|%2F)+))?(?:\/([^?#]*))?$/i.exec(uri) ?? [];
      if (repository !== undefined) {
        return { kind: 'hf', repository, revision: decoded(uri, revision), path: decoded(uri, path) };
      }
      throw invalid(uri, 'names no repository');
    }
    case 'pvc': {
      const claim = parseModelClaim(uri);
      if (claim !== undefined) return { kind: 'file', path: `${MODEL_CLAIM_DIRECTORY}${claim.path}` };
      throw invalid(uri, 'names nothing on a claim');
    }
    case 'oci':
      if (parseModelImage(uri) !== undefined) return { kind: 'image', path: MODEL_IMAGE_DIRECTORY };
      throw invalid(uri, 'names no image');
    case undefined:
      throw invalid(uri, 'has no scheme');
    default:
      throw invalid(uri, `has the scheme "${scheme}", which there is not`);
  }
}

/** The URI without user, password, query and fragment. */
export function printableUri(uri: string): string {
  return uri.replace(/^([a-z][a-z0-9+.-]*:[\\/\s]*)[^/?#]*@/i, '$1').replace(/[?#].*$/s, '');
}

function filePath(uri: string, workingDirectory: string): string {
  const rest = uri.slice('file:'.length);
  try {
    if (rest.startsWith('/')) return fileURLToPath(uri);
    if (rest !== '') return resolve(workingDirectory, decodeURIComponent(rest));
  } catch {
    throw invalid(uri, 'is not a valid file URI; behind "file://" there must be one more slash, or no slash at all');
  }
  throw invalid(uri, 'names no file');
}

function decoded(uri: string, path: string): string {
  let text: string;
  try {
    text = decodeURIComponent(path);
  } catch {
    throw invalid(uri, 'has a "%" that begins no character');
  }
  // Servers pass over such segments, each in its own way.
  if (!/(?:^|\/)\.{1,2}(?:\/|$)|\/\/|[\0-\x1f\x7f]/.test(text)) return text;
  throw invalid(uri, 'has an empty segment, "." or ".." in its path');
}

function invalid(uri: string, problem: string): StartError {
  return new StartError(
    'ConfigurationInvalid',
    `The model URI "${printableUri(uri)}" ${problem}. It must be ${FORMS}.`,
  );
}
