/** Unpacks an archive, whatever its name says, by its first bytes. */
import { open } from 'node:fs/promises';
import { DownloadError } from '../download-error.ts';
import { errorCode, errorText } from '../../node-error.ts';
import { ArchiveError } from './archive-error.ts';
import { ARCHIVE_LIMITS, ArchiveWriter, type WrittenFile } from './archive-writer.ts';

export type ArchiveKind = 'tar' | 'gzip' | 'zip';

/** Undefined for anything else, an ONNX file for instance: its first byte is 8. */
export async function archiveKind(path: string): Promise<ArchiveKind | undefined> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
  if (bytesRead >= 2 && buffer.readUInt16BE(0) === 0x1f8b) return 'gzip';
  if (/^PK(?:\x03\x04|\x05\x06)/.test(buffer.toString('latin1', 0, 4))) return 'zip';
  return bytesRead === 512 && buffer.toString('latin1', 257, 262) === 'ustar' ? 'tar' : undefined;
}

/** So much is written before room is asked for, which is what is kept free anyway. */
const ROOM_BYTES = 64 * 2 ** 20;

/**
 * Gives what it wrote below `directory`, which exists and is empty. `makeRoom` is told how much that is as it grows, and at the end. Rejects with
 * ArchiveError, the file system's error, what `makeRoom` rejects with, or the signal's reason.
 */
export async function unpack(
  path: string,
  kind: ArchiveKind,
  directory: string,
  mostBytes: number,
  makeRoom: (written: number) => Promise<void>,
  signal: AbortSignal,
): Promise<readonly WrittenFile[]> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const writer = new ArchiveWriter(directory, size, { ...ARCHIVE_LIMITS, bytes: mostBytes });
  let roomFor = 0;
  const onProgress = async (): Promise<void> => {
    if (writer.bytes < roomFor + ROOM_BYTES) return;
    roomFor = writer.bytes;
    await makeRoom(roomFor);
  };
  try {
    if (kind === 'zip') await (await import('./unpack-zip.ts')).unpackZip(path, writer, onProgress, signal);
    else await (await import('./unpack-tar.ts')).unpackTar(path, kind === 'gzip', writer, onProgress, signal);
    await makeRoom(writer.bytes);
  } catch (error) {
    signal.throwIfAborted();
    // Of the file system, or of whoever makes room; what zlib says is of the archive.
    const isOfArchive = !(error instanceof DownloadError) && !/^E[A-Z]/.test(errorCode(error) ?? '');
    if (error instanceof ArchiveError || !isOfArchive) throw error;
    throw new ArchiveError(`is damaged: ${errorText(error)}`);
  }
  return writer.files;
}
