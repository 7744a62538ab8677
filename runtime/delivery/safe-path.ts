/** Names that come from archives, listings and models: which of them may become a path below a folder of ours. */

const MOST_PATH_BYTES = 1024;
const MOST_SEGMENT_BYTES = 255;
const MOST_SEGMENTS = 32;

/**
 * The name as a relative path, or undefined if it is none that every file system takes as the same one below the folder: absolute, with "..", a drive,
 * a backslash or a control character, too long or too deep. A leading "./" and a "/" at the end go.
 */
export function safePath(name: string): string | undefined {
  const path = name
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/$/, '')
    .normalize('NFC');
  if (path === '' || Buffer.byteLength(path) > MOST_PATH_BYTES || /[\0-\x1f\x7f\\:\ufffd]/.test(path)) return undefined;
  const segments = path.split('/');
  const areSafe = segments.every(
    (segment) =>
      segment !== '' && segment !== '.' && segment !== '..' && Buffer.byteLength(segment) <= MOST_SEGMENT_BYTES,
  );
  return areSafe && segments.length <= MOST_SEGMENTS ? path : undefined;
}

/** Equal for names that some file system holds for the same: by case, or by how their accents are written. */
export function collisionKey(path: string): string {
  return path.normalize('NFKC').toLowerCase().toUpperCase().normalize('NFKC');
}
