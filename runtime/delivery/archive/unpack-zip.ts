/**
 * Unpacks zip by its directory at the end: files stored or deflated, zip64 too. Entries that overlap, as in a bomb whose files share their bytes, are
 * refused, as are encryption, other methods and links; sizes and checksums must be right.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { createInflateRaw, crc32 } from 'node:zlib';
import { createReadStream } from 'node:fs';
import { ArchiveError } from './archive-error.ts';
import { ARCHIVE_LIMITS, type ArchiveWriter } from './archive-writer.ts';

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly offset: number;
}

const END_BYTES = 22;
const MOST_COMMENT_BYTES = 65_535;
/** 10 000 entries with long names. */
const MOST_DIRECTORY_BYTES = 16 * 2 ** 20;
const STORED = 0;
const DEFLATED = 8;
const UNKNOWN = 0xffffffff;

export async function unpackZip(
  path: string,
  writer: ArchiveWriter,
  onProgress: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const entries = await readDirectory(file, size);
  let behind = 0;
  try {
    for (const entry of entries.sort((a, b) => a.offset - b.offset)) {
      signal.throwIfAborted();
      if (entry.offset < behind) throw new ArchiveError('has entries that overlap');
      behind = await unpackEntry(file, path, entry, size, writer, onProgress, signal);
    }
  } finally {
    writer.close();
  }
}

async function readDirectory(file: FileHandle, size: number): Promise<Entry[]> {
  const tailBytes = Math.min(size, END_BYTES + MOST_COMMENT_BYTES);
  const tail = await read(file, size - tailBytes, tailBytes);
  const at = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (at === -1 || at + END_BYTES > tail.byteLength) throw new ArchiveError('is no zip, or ends too early');
  let count = tail.readUInt16LE(at + 10);
  let bytes = tail.readUInt32LE(at + 12);
  let start = tail.readUInt32LE(at + 16);
  if (count === 0xffff || bytes === UNKNOWN || start === UNKNOWN) {
    const locator = await read(file, size - tailBytes + at - 20, 20);
    if (locator.toString('latin1', 0, 4) !== 'PK\x06\x07') throw new ArchiveError('is damaged');
    const end = await read(file, wide(locator, 8), 56);
    if (end.toString('latin1', 0, 4) !== 'PK\x06\x06') throw new ArchiveError('is damaged');
    count = wide(end, 32);
    bytes = wide(end, 40);
    start = wide(end, 48);
  }
  if (count > ARCHIVE_LIMITS.entries) throw new ArchiveError(`has more than ${ARCHIVE_LIMITS.entries} entries`);
  if (bytes > MOST_DIRECTORY_BYTES || start + bytes > size)
    throw new ArchiveError('is damaged, or its directory is too large');
  const directory = await read(file, start, bytes);
  const entries: Entry[] = [];
  for (let position = 0; entries.length < count;) {
    if (position + 46 > bytes || directory.readUInt32LE(position) !== 0x02014b50) throw new ArchiveError('is damaged');
    const lengths = [28, 30, 32].map((offset) => directory.readUInt16LE(position + offset));
    const [nameBytes = 0, extraBytes = 0, commentBytes = 0] = lengths;
    const end = position + 46 + nameBytes + extraBytes + commentBytes;
    if (end > bytes) throw new ArchiveError('is damaged');
    entries.push(readEntry(directory, position, nameBytes, extraBytes));
    position = end;
  }
  return entries;
}

function readEntry(directory: Buffer, position: number, nameBytes: number, extraBytes: number): Entry {
  const name = directory.toString('utf8', position + 46, position + 46 + nameBytes);
  const flags = directory.readUInt16LE(position + 8);
  if ((flags & 0x41) !== 0) throw new ArchiveError(`is encrypted: ${JSON.stringify(name.slice(0, 200))}`);
  // The upper half holds the mode where the archive was made on Unix.
  const fileType = (directory.readUInt32LE(position + 38) >>> 28) & 0xf;
  if (fileType !== 0 && fileType !== 0o10 && fileType !== 0o4) {
    throw new ArchiveError(`has an entry that is neither a file nor a folder: ${JSON.stringify(name.slice(0, 200))}`);
  }
  const extra = directory.subarray(position + 46 + nameBytes, position + 46 + nameBytes + extraBytes);
  const wideFields = zip64Fields(extra);
  const field = (offset: number): number => {
    const value = directory.readUInt32LE(position + offset);
    return value === UNKNOWN ? (wideFields.shift() ?? value) : value;
  };
  const sizeBytes = field(24);
  const compressedBytes = field(20);
  const offset = field(42);
  return {
    name,
    method: directory.readUInt16LE(position + 10),
    crc: directory.readUInt32LE(position + 16),
    sizeBytes,
    compressedBytes,
    offset,
  };
}

async function unpackEntry(
  file: FileHandle,
  path: string,
  entry: Entry,
  size: number,
  writer: ArchiveWriter,
  onProgress: () => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { name, method, sizeBytes, compressedBytes } = entry;
  const local = await read(file, entry.offset, 30);
  if (local.readUInt32LE(0) !== 0x04034b50) throw new ArchiveError('is damaged');
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const end = start + compressedBytes;
  if (end > size) throw new ArchiveError('ends too early');
  if (name.endsWith('/')) {
    if (sizeBytes !== 0) throw new ArchiveError('has a folder with a content');
    writer.folder(name);
    return end;
  }
  if (method !== STORED && method !== DEFLATED) {
    throw new ArchiveError(`is compressed by method ${method}; only stored and deflated entries are taken`);
  }
  writer.begin(name, sizeBytes);
  let crc = 0;
  let received = 0;
  const take = (chunk: Buffer): void => {
    received += chunk.byteLength;
    if (received > sizeBytes)
      throw new ArchiveError(`has an entry that is larger than it says: ${JSON.stringify(name)}`);
    crc = crc32(chunk, crc);
    writer.write(chunk);
  };
  if (compressedBytes > 0) {
    const raw = createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024, signal });
    const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
    raw.once('error', (error) => inflate.destroy(error));
    try {
      for await (const chunk of (method === STORED ? raw : raw.pipe(inflate)) as AsyncIterable<Buffer>) {
        take(chunk);
        await onProgress();
      }
    } finally {
      raw.destroy();
      inflate.destroy();
    }
  }
  if (received !== sizeBytes || crc !== entry.crc)
    throw new ArchiveError(`is damaged: ${JSON.stringify(name)} is not what its checksum says`);
  writer.end();
  return end;
}

function zip64Fields(extra: Buffer): number[] {
  for (let position = 0; position + 4 <= extra.byteLength;) {
    const length = extra.readUInt16LE(position + 2);
    if (extra.readUInt16LE(position) === 1) {
      const fields = extra.subarray(position + 4, position + 4 + length);
      return Array.from({ length: Math.floor(fields.byteLength / 8) }, (_, index) => wide(fields, index * 8));
    }
    position += 4 + length;
  }
  return [];
}

function wide(bytes: Buffer, position: number): number {
  const value = bytes.readBigUInt64LE(position);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ArchiveError('is damaged');
  return Number(value);
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  if (position < 0 || (await file.read(bytes, 0, length, position)).bytesRead < length)
    throw new ArchiveError('ends too early');
  return bytes;
}
