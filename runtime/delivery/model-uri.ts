/** Where a model is, from its URI. What a URI may hold of secrets (a password, a signed query) never reaches a message. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MODEL_CLAIM_DIRECTORY, parseModelClaim } from '../../common/wire/model-claim.ts';
import { StartError } from '../inference.ts';

export type ModelLocation =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'http'; readonly url: URL };

const FORMS = 'file:/absolute/model.onnx, file:relative/model.onnx, http://…, https://… or pvc://claim/path/model.onnx';

/** Relative paths are taken from `workingDirectory`. Throws StartError ConfigurationInvalid, which names the forms there are. */
export function parseModelUri(uri: string, workingDirectory: string): ModelLocation {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'file':
      return { kind: 'file', path: filePath(uri, workingDirectory) };
    case 'http':
    case 'https': {
      const url = URL.parse(uri);
      if (url !== null) return { kind: 'http', url };
      throw invalid(uri, 'is not a valid URL');
    }
    case 'pvc': {
      const claim = parseModelClaim(uri);
      if (claim !== undefined) return { kind: 'file', path: `${MODEL_CLAIM_DIRECTORY}${claim.path}` };
      throw invalid(uri, 'names no file on a claim');
    }
    case undefined:
      throw invalid(uri, 'has no scheme');
    default:
      throw invalid(uri, `has the scheme "${scheme}", which this runtime cannot fetch from`);
  }
}

/** The URI without user, password, query and fragment. */
export function printableUri(uri: string): string {
  return uri.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1').replace(/[?#].*$/s, '');
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

function invalid(uri: string, problem: string): StartError {
  return new StartError(
    'ConfigurationInvalid',
    `The model URI "${printableUri(uri)}" ${problem}. It must be ${FORMS}.`,
  );
}
