/**
 * Unpacks tar: POSIX (ustar and pax) and GNU's long names. Of what the format can hold it takes files and folders; a link, a device or a sparse file is
 * refused, which is most of what a library for tar is for.
 */
import { createReadStream } from 'node:fs';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveWriter } from './archive-writer.ts';

const BLOCK = 512;
/** Long names and pax headers are kept in memory. */
const MOST_META_BYTES = 64 * 1024;

interface Meta {
  path?: string;
  size?: number;
}

export async function unpackTar(
  path: string,
  isCompressed: boolean,
  writer: ArchiveWriter,
  onProgress: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const parser = new TarParser(writer);
  const file = createReadStream(path, { highWaterMark: 1 << 20, signal });
  try {
    if (!isCompressed) {
      for await (const chunk of file as AsyncIterable<Buffer>) {
        parser.push(chunk);
        await onProgress();
      }
    } else {
      const { createGunzip } = await import('node:zlib');
      const gunzip = createGunzip({ chunkSize: 256 * 1024 });
      file.once('error', (error) => gunzip.destroy(error));
      for await (const chunk of file.pipe(gunzip) as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        writer.expanded(chunk.byteLength);
        parser.push(chunk);
        await onProgress();
      }
    }
  } finally {
    file.destroy();
    writer.close();
  }
  parser.finish();
}

class TarParser {
  readonly #writer: ArchiveWriter;
  #header = Buffer.alloc(0);
  #left = 0;
  #padding = 0;
  #meta: { readonly kind: 'pax' | 'name'; readonly chunks: Buffer[] } | undefined;
  #next: Meta = {};
  #inFile = false;
  #zeroBlocks = 0;
  #entries = 0;

  constructor(writer: ArchiveWriter) {
    this.#writer = writer;
  }

  push(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.byteLength) {
      if (this.#left > 0) {
        const end = Math.min(chunk.byteLength, position + this.#left);
        this.#content(chunk.subarray(position, end));
        this.#left -= end - position;
        position = end;
        if (this.#left === 0) this.#endEntry();
      } else if (this.#padding > 0) {
        const skipped = Math.min(chunk.byteLength - position, this.#padding);
        this.#padding -= skipped;
        position += skipped;
      } else {
        const end = Math.min(chunk.byteLength, position + BLOCK - this.#header.byteLength);
        this.#header = Buffer.concat([this.#header, chunk.subarray(position, end)]);
        position = end;
        if (this.#header.byteLength === BLOCK) this.#readHeader();
      }
    }
  }

  finish(): void {
    const isCut = this.#left > 0 || this.#padding > 0 || this.#header.byteLength > 0;
    if (isCut || this.#zeroBlocks === 0) throw new ArchiveError('ends too early');
    if (this.#entries === 0) throw new ArchiveError('is empty');
  }

  #readHeader(): void {
    const header = this.#header;
    this.#header = Buffer.alloc(0);
    // Two blocks of zeros end it; what follows them is nothing.
    if (this.#zeroBlocks >= 2) return;
    if (header.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      return;
    }
    this.#zeroBlocks = 0;
    if (checksum(header) !== octal(header, 148, 8)) throw new ArchiveError('is no tar, or damaged');
    this.#entries += 1;
    const type = String.fromCharCode(header[156] ?? 0);
    const size = this.#next.size ?? octal(header, 124, 12);
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.#left = size;
    switch (type) {
      case 'x':
      case 'L':
        if (size > MOST_META_BYTES) throw new ArchiveError('has a name that is too long');
        this.#meta = { kind: type === 'x' ? 'pax' : 'name', chunks: [] };
        break;
      case 'g':
        if (size > MOST_META_BYTES) throw new ArchiveError('has a header that is too long');
        break;
      case '5':
        if (size !== 0) throw new ArchiveError('has a folder with a content');
        this.#writer.folder(this.#name(header));
        break;
      case '0':
      case '\0':
      case '7':
        this.#writer.begin(this.#name(header), size);
        this.#inFile = true;
        break;
      default:
        throw new ArchiveError(
          `has an entry that is neither a file nor a folder: ${JSON.stringify(this.#name(header).slice(0, 200))}`,
        );
    }
    if (this.#left === 0) this.#endEntry();
  }

  #content(bytes: Buffer): void {
    if (this.#meta !== undefined) this.#meta.chunks.push(Buffer.from(bytes));
    else if (this.#inFile) this.#writer.write(bytes);
  }

  #endEntry(): void {
    if (this.#inFile) this.#writer.end();
    this.#inFile = false;
    const meta = this.#meta;
    this.#meta = undefined;
    if (meta === undefined) return;
    const bytes = Buffer.concat(meta.chunks);
    if (meta.kind === 'name') this.#next.path = text(bytes);
    else Object.assign(this.#next, parsePax(bytes));
  }

  #name(header: Buffer): string {
    const { path } = this.#next;
    this.#next = {};
    if (path !== undefined) return path;
    const name = text(header.subarray(0, 100));
    const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(header.subarray(345, 500)) : '';
    return prefix === '' ? name : `${prefix}/${name}`;
  }
}

/** `27 path=digits/1/model.onnx\n`, again and again; the number counts the whole record. */
function parsePax(bytes: Buffer): Meta {
  const meta: Meta = {};
  for (let position = 0; position < bytes.byteLength;) {
    const space = bytes.indexOf(0x20, position);
    const length = Number(bytes.toString('latin1', position, space));
    const end = position + length;
    if (
      space === -1 ||
      !Number.isInteger(length) ||
      end > bytes.byteLength ||
      end <= space ||
      bytes[end - 1] !== 0x0a
    ) {
      throw new ArchiveError('has a pax header that is damaged');
    }
    const record = bytes.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key === 'path') meta.path = value;
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) throw new ArchiveError('has a size that is none');
      meta.size = Number(value);
    }
    if (key.startsWith('GNU.sparse')) throw new ArchiveError('has a sparse file');
    position = end;
  }
  return meta;
}

/** Up to the first NUL. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.byteLength : end);
}

/** GNU writes numbers that are too large for octal digits in base 256, with the highest bit set. */
function octal(header: Buffer, start: number, length: number): number {
  if (((header[start] ?? 0) & 0x80) !== 0) {
    const value = header.readUIntBE(start + length - 6, 6);
    if (header.subarray(start + 1, start + length - 6).some((byte) => byte !== 0))
      throw new ArchiveError('has a size that is too large');
    return value;
  }
  const digits = header
    .toString('latin1', start, start + length)
    .replace(/[\0 ]+$/, '')
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw new ArchiveError('is no tar, or damaged');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** The sum of the bytes, with spaces where the sum itself stands. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}
