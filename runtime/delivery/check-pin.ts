import { StartError } from '../inference.ts';
import type { FileDigest } from './hash-file.ts';

/** Throws StartError ModelDigestMismatch unless the digest is what is pinned, or nothing is. `files` is how many make up the model. */
export function checkPin(digest: FileDigest, pin: string | undefined, name: string, files = 1): void {
  if (pin === undefined || digest.sha256 === pin) return;
  const of =
    files === 1 ? '' : ` over its ${files} files (the digest of their listing; see the documentation of models)`;
  throw new StartError(
    'ModelDigestMismatch',
    `The model at ${name} has the SHA-256 ${digest.sha256}${of}, but sha256 pins ${pin}. Correct the pin if the new file is meant.`,
  );
}
