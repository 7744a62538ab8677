/** Archives byte by byte, so that tests can make those that no program writes. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface FixtureEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Of tar; a file if absent. */
  readonly type?: string;
  /** Of zip: what its directory says instead of the truth. */
  readonly says?: {
    readonly size?: number;
    readonly offset?: number;
    readonly mode?: number;
    readonly flags?: number;
    readonly method?: number;
  };
}

export function tarOf(entries: readonly FixtureEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0' }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write(bytes.byteLength.toString(8).padStart(11, '0'), 124);
    header.write('        ', 148);
    header.write(type, 156);
    header.write('ustar\x0000', 257, 'latin1');
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return [header, bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function zipOf(entries: readonly FixtureEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', says = {} } of entries) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE((says.flags ?? 0) | 0x800, 2);
    fields.writeUInt16LE(says.method ?? 8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(packed.byteLength, 14);
    fields.writeUInt32LE(says.size ?? bytes.byteLength, 18);
    fields.writeUInt16LE(nameBytes.byteLength, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, nameBytes, packed]);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 0, 'latin1');
    fields.copy(entry, 6);
    entry.writeUInt16LE((3 << 8) | 20, 4);
    entry.writeUInt32LE(((says.mode ?? 0o100644) << 16) >>> 0, 38);
    entry.writeUInt32LE(says.offset ?? offset, 42);
    directory.push(entry, nameBytes);
    files.push(local);
    offset += local.byteLength;
  }
  const bytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(bytes.byteLength, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, bytes, end]);
}
