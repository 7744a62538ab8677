/**
 * Message types as tables of fields, which read and write themselves. Everything is proto3: a field that was not sent has its zero, and one that is
 * not known is passed over. Nothing recurses, so nothing can be nested too deep, and whatever repeats has a bound.
 */
import { ByteCollector } from '../../../common/platform/byte-collector.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import { STRING, type Kind } from './kinds.ts';
import { malformed, ProtobufReader, WIRE, type WireType } from './protobuf-reader.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

export interface Field<T> {
  readonly number: number;
  readonly zero: T;
  /** The field's value once this was read, having been `before`. */
  read(reader: ProtobufReader, wireType: number, before: T): T;
  /** Writes nothing for what is not sent. */
  write(writer: ProtobufWriter, value: T): void;
}

export type ValueOf<Type> = Type extends MessageType<infer T> ? Readonly<T> : never;

type AnyField = Field<unknown>;

/** A message of the type T is itself a kind of value, for the fields of others. */
export class MessageType<T extends object> implements Kind<T> {
  readonly wireType = WIRE.delimited;
  readonly zero: T;
  readonly #names: readonly (keyof T)[];
  readonly #fields: readonly AnyField[];
  readonly #byNumber: readonly (number | undefined)[];

  constructor(fields: { readonly [Name in keyof T]: Field<T[Name]> }) {
    this.#names = Object.keys(fields) as (keyof T)[];
    this.#fields = this.#names.map((name) => fields[name] as unknown as AnyField);
    const byNumber: (number | undefined)[] = [];
    for (const [index, { number }] of this.#fields.entries()) byNumber[number] = index;
    this.#byNumber = byNumber;
    this.zero = this.#empty() as T;
  }

  /** Throws ProtocolError. Bytes of the message are views of these. */
  decode(bytes: Buffer): T {
    return this.#decode(new ProtobufReader(bytes));
  }

  #decode(reader: ProtobufReader): T {
    const values = this.#empty();
    while (!reader.isAtEnd) {
      const tag = reader.tag();
      const index = this.#byNumber[tag >>> 3];
      const field = index === undefined ? undefined : this.#fields[index];
      const name = index === undefined ? undefined : this.#names[index];
      if (field === undefined || name === undefined) reader.raw(tag & 7);
      else values[name] = field.read(reader, tag & 7, values[name]);
    }
    return values as T;
  }

  /** Into a buffer of its own, whose first `reserved` bytes are the caller's to fill; `expected` is its length, if known. */
  encode(value: Partial<T>, reserved = 0, expected?: number): Buffer {
    const writer = new ProtobufWriter(reserved, expected);
    this.#write(writer, value);
    return writer.written;
  }

  read(reader: ProtobufReader): T {
    return this.#decode(reader.nested());
  }

  write(writer: ProtobufWriter, value: T): void {
    writer.bytes(this.encode(value));
  }

  #empty(): Record<keyof T, unknown> {
    const values: Partial<Record<keyof T, unknown>> = {};
    for (const [index, name] of this.#names.entries()) values[name] = this.#fields[index]?.zero;
    return values as Record<keyof T, unknown>;
  }

  #write(writer: ProtobufWriter, values: Partial<T>): void {
    for (const [index, name] of this.#names.entries()) {
      const value = values[name];
      if (value !== undefined) this.#fields[index]?.write(writer, value);
    }
  }
}

export function message<T extends object>(fields: { readonly [Name in keyof T]: Field<T[Name]> }): MessageType<T> {
  return new MessageType(fields);
}

/** The same kind of value, of which only what is not zero need be written down. */
export function partial<T extends object>(type: MessageType<T>): Kind<Partial<T>> {
  return {
    wireType: type.wireType,
    zero: type.zero,
    read: (reader) => type.read(reader),
    write: (writer, value) => {
      writer.bytes(type.encode(value));
    },
  };
}

/** One value, or its zero. */
export function single<T>(number: number, kind: Kind<T>): Field<T> {
  return {
    number,
    zero: kind.zero,
    read: (reader, wireType) => readOne(reader, wireType, kind, number),
    write: (writer, value) => {
      if (value !== kind.zero) writeOne(writer, number, kind, value);
    },
  };
}

/** One value, or undefined: a message, or one of several of which one is sent. */
export function optional<T>(number: number, kind: Kind<T>): Field<T | undefined> {
  return {
    number,
    zero: undefined,
    read: (reader, wireType) => readOne(reader, wireType, kind, number),
    write: (writer, value) => {
      if (value !== undefined) writeOne(writer, number, kind, value);
    },
  };
}

/** At most `most` values in order; packed if they are numbers. More are refused. */
export function repeated<T>(number: number, kind: Kind<T>, most: number): Field<readonly T[]> {
  const NONE: readonly T[] = [];
  const isPacked = kind.wireType !== WIRE.delimited;
  const add = (values: T[], value: T): void => {
    if (values.length >= most) throw tooMany(number, most);
    values.push(value);
  };
  return {
    number,
    zero: NONE,
    read(reader, wireType, before) {
      // Ours since the first value.
      const values = before === NONE ? [] : (before as T[]);
      if (isPacked && wireType === WIRE.delimited) {
        const packed = new ProtobufReader(reader.bytes());
        while (!packed.isAtEnd) add(values, kind.read(packed));
      } else add(values, readOne(reader, wireType, kind, number));
      return values;
    },
    write(writer, values) {
      if (values.length === 0) return;
      if (!isPacked) {
        for (const value of values) writeOne(writer, number, kind, value);
        return;
      }
      const packed = new ProtobufWriter();
      for (const value of values) kind.write(packed, value);
      writer.tag(number, WIRE.delimited);
      writer.bytes(packed.written);
    },
  };
}

/** Numbers one after the other without tags, as they lie in the message: they are read when it is known how many there may be. */
export interface PackedNumbers {
  readonly bytes: Uint8Array;
}

/** What is read is a view, if the sender packed it as one piece; undefined if there are none. */
export function packed(number: number, elementWireType: WireType): Field<PackedNumbers | undefined> {
  return {
    number,
    zero: undefined,
    read(reader, wireType, before) {
      if (wireType !== WIRE.delimited && wireType !== elementWireType) throw wrongType(number);
      const collected = before instanceof ByteCollector ? before : new ByteCollector();
      collected.push(reader.raw(wireType));
      return collected;
    },
    write(writer, value) {
      if (value === undefined) return;
      writer.tag(number, WIRE.delimited);
      writer.bytes(value.bytes);
    },
  };
}

/** At most `most` entries by name. The last of a name counts. */
export function map<T>(number: number, kind: Kind<T>, most: number): Field<ReadonlyMap<string, T>> {
  const NONE: ReadonlyMap<string, T> = new Map();
  const entries = message<{ key: string; value: T }>({ key: single(1, STRING), value: single(2, kind) });
  return {
    number,
    zero: NONE,
    read(reader, wireType, before) {
      const entry = readOne(reader, wireType, entries, number);
      const all = before === NONE ? new Map<string, T>() : (before as Map<string, T>);
      if (all.size >= most) throw tooMany(number, most);
      return all.set(entry.key, entry.value);
    },
    write(writer, all) {
      for (const [key, value] of all) writeOne(writer, number, entries, { key, value });
    },
  };
}

function readOne<T>(reader: ProtobufReader, wireType: number, kind: Kind<T>, number: number): T {
  if (wireType !== kind.wireType) throw wrongType(number);
  return kind.read(reader);
}

function writeOne<T>(writer: ProtobufWriter, number: number, kind: Kind<T>, value: T): void {
  writer.tag(number, kind.wireType);
  kind.write(writer, value);
}

function wrongType(number: number): ProtocolError {
  return malformed(`field ${number} is of another type`);
}

function tooMany(number: number, most: number): ProtocolError {
  return new ProtocolError(
    `Field ${number} of the message repeats more than ${most} times, the most that is taken.`,
    413,
  );
}
