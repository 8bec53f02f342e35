// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Fields of protocol buffers messages (protobuf.dev/programming-guides/encoding).

/** Wire type of texts, bytes and messages. */
export const LENGTH_DELIMITED = 2;

export interface Field {
  readonly field: number;
  /** A number for a varint, the content in bytes for everything else. */
  readonly value: number | Uint8Array;
  /** The whole field, with its tag and its length. */
  readonly raw: Uint8Array;
}

/**
 * The fields of a message, in its order.
 *
 * @throws RangeError when the bytes are no message.
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = { at: 0 };
  while (reader.at < bytes.length) {
    const start = reader.at;
    const tag = varint(bytes, reader);
    const value = valueAt(bytes, reader, tag % 8);
    yield { field: Math.floor(tag / 8), value, raw: bytes.subarray(start, reader.at) };
  }
}

/** A field whose content has its length in front. */
export function delimitedField(field: number, content: Uint8Array): Uint8Array {
  const head = [...varintBytes(field * 8 + LENGTH_DELIMITED), ...varintBytes(content.length)];
  return Buffer.concat([Uint8Array.from(head), content]);
}

function valueAt(bytes: Uint8Array, reader: { at: number }, wireType: number): number | Uint8Array {
  switch (wireType) {
    case 0:
      return varint(bytes, reader);
    case 1:
      return taken(bytes, reader, 8);
    case LENGTH_DELIMITED:
      return taken(bytes, reader, varint(bytes, reader));
    case 5:
      return taken(bytes, reader, 4);
    default:
      throw new RangeError("unknown wire type");
  }
}

/** At most ten bytes of seven bits each; a negative number comes out as a negative number. */
function varint(bytes: Uint8Array, reader: { at: number }): number {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[reader.at++];
    if (byte === undefined) throw new RangeError("the message ends within a number");
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return Number(BigInt.asIntN(64, value));
  }
  throw new RangeError("a number has too many bytes");
}

function varintBytes(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

function taken(bytes: Uint8Array, reader: { at: number }, length: number): Uint8Array {
  const end = reader.at + length;
  if (length < 0 || end > bytes.length) throw new RangeError("the message ends within a field");
  const part = bytes.subarray(reader.at, end);
  reader.at = end;
  return part;
}
