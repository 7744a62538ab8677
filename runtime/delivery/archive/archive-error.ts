/** The archive cannot be unpacked, or must not be. The message goes on from "the archive". */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
