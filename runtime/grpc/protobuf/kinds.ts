/** The kinds of values that fields have: how one is read and written. */
import { WIRE, type ProtobufReader, type WireType } from './protobuf-reader.ts';
import type { ProtobufWriter } from './protobuf-writer.ts';

export interface Kind<T> {
  readonly wireType: WireType;
  /** What a field has that was not sent. */
  readonly zero: T;
  read(reader: ProtobufReader): T;
  write(writer: ProtobufWriter, value: T): void;
}

const integer = (writer: ProtobufWriter, value: number): void => {
  writer.integer(value);
};

export const STRING: Kind<string> = {
  wireType: WIRE.delimited,
  zero: '',
  read: (reader) => reader.string(),
  write: (writer, value) => {
    writer.string(value);
  },
};

/** What is read is a view of the message. */
export const BYTES: Kind<Uint8Array> = {
  wireType: WIRE.delimited,
  zero: new Uint8Array(),
  read: (reader) => reader.bytes(),
  write: (writer, value) => {
    writer.bytes(value);
  },
};

export const BOOL: Kind<boolean> = {
  wireType: WIRE.varint,
  zero: false,
  read: (reader) => reader.bool(),
  write: (writer, value) => {
    writer.integer(value ? 1 : 0);
  },
};

/** Also enums. */
export const INT32: Kind<number> = {
  wireType: WIRE.varint,
  zero: 0,
  read: (reader) => reader.int32(),
  write: integer,
};

/** Rounded beyond 2⁵³, as UINT64 is. */
export const INT64: Kind<number> = {
  wireType: WIRE.varint,
  zero: 0,
  read: (reader) => reader.int64(),
  write: integer,
};

export const UINT64: Kind<number> = {
  wireType: WIRE.varint,
  zero: 0,
  read: (reader) => reader.uint64(),
  write: integer,
};

export const DOUBLE: Kind<number> = {
  wireType: WIRE.fixed64,
  zero: 0,
  read: (reader) => reader.double(),
  write: (writer, value) => {
    writer.double(value);
  },
};
