/** Pages of a column chunk, encoded in the plainest way from the format's text: bits as strings, numbers as bigints. */
import { brotliCompressSync, crc32, gzipSync, zstdCompressSync } from "node:zlib";
import { compressSync as packLz4 } from "lz4-napi";
import { compressSync as packSnappy } from "snappy";
import { type ThriftField, ThriftType } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";

/** One place of a nested column: levels, and a value where the definition level is the highest. */
export interface Entry {
  readonly repetition: number;
  readonly definition: number;
  readonly value: Buffer | undefined;
}

export interface PageSketch {
  readonly entries: readonly Entry[];
  readonly encoding: number;
  readonly version: 1 | 2;
  readonly checksum: boolean;
  /** Version 1: levels as BIT_PACKED instead of RLE. */
  readonly oldLevels: boolean;
}

export interface ColumnSketch {
  readonly boolean: boolean;
  /** Bytes of a value; 0 for byte arrays. */
  readonly width: number;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly codec: number;
}

const dictionaryEncodings = [2, 8];

/** The encoded chunk; a dictionary of all values comes first where a page needs it. */
export function encodeChunk(column: ColumnSketch, pages: readonly PageSketch[]): Buffer {
  const needed = pages.filter(({ encoding }) => dictionaryEncodings.includes(encoding));
  const values = needed.flatMap(({ entries }) => valuesOf(entries));
  const dictionary = [...new Map(values.map((value) => [value.toString("hex"), value])).values()];
  const first = needed.length === 0 ? [] : [encodeDictionary(column, dictionary)];
  return Buffer.concat([...first, ...pages.map((page) => encodePage(column, page, dictionary))]);
}

function valuesOf(entries: readonly Entry[]): Buffer[] {
  return entries.flatMap(({ value }) => (value === undefined ? [] : [value]));
}

function encodeDictionary(column: ColumnSketch, dictionary: readonly Buffer[]): Buffer {
  const body = encodePlain(column, dictionary);
  return frame(2, body.length, compress(column.codec, body), false, { id: 7, numbers: [dictionary.length, 0] });
}

function encodePage(column: ColumnSketch, page: PageSketch, dictionary: readonly Buffer[]): Buffer {
  const { entries, encoding, version, checksum, oldLevels } = page;
  const values = encodeValues(column, encoding, valuesOf(entries), dictionary);
  const repetitions = entries.map(({ repetition }) => repetition);
  const definitions = entries.map(({ definition }) => definition);
  const count = entries.length;
  if (version === 2) {
    const [left, right] = [
      encodeHybrid(repetitions, column.maxRepetition),
      encodeHybrid(definitions, column.maxDefinition),
    ];
    const packed = Buffer.concat([left, right, compress(column.codec, values)]);
    const rows = repetitions.filter((level) => level === 0).length;
    const numbers = [count, count - valuesOf(entries).length, rows, encoding, right.length, left.length];
    return frame(3, left.length + right.length + values.length, packed, checksum, { id: 8, numbers });
  }
  const levels = (all: number[], maximum: number) =>
    maximum === 0
      ? Buffer.alloc(0)
      : oldLevels
        ? packBits(all, widthOf(maximum), true)
        : prefixed(encodeHybrid(all, maximum));
  const body = Buffer.concat([
    levels(repetitions, column.maxRepetition),
    levels(definitions, column.maxDefinition),
    values,
  ]);
  const levelEncoding = oldLevels ? 4 : 3;
  return frame(0, body.length, compress(column.codec, body), checksum, {
    id: 5,
    numbers: [count, encoding, levelEncoding, levelEncoding],
  });
}

function frame(
  type: number,
  uncompressed: number,
  body: Buffer,
  checksum: boolean,
  details: { readonly id: number; readonly numbers: readonly number[] },
): Buffer {
  const i32 = (id: number, value: number): ThriftField => ({ id, type: ThriftType.i32, value });
  const writer = new ThriftWriter();
  writer.writeStruct({
    fields: [
      i32(1, type),
      i32(2, uncompressed),
      i32(3, body.length),
      ...(checksum ? [i32(4, crc32(body) | 0)] : []),
      {
        id: details.id,
        type: ThriftType.struct,
        value: { fields: details.numbers.map((value, index) => i32(index + 1, value)) },
      },
    ],
  });
  return Buffer.concat([writer.bytes(), body]);
}

function compress(codec: number, body: Buffer): Buffer {
  switch (codec) {
    case 1:
      return packSnappy(body);
    case 2:
      return gzipSync(body);
    case 4:
      return brotliCompressSync(body);
    case 5: {
      // Hadoop's frame: two lengths, big-endian.
      const block = packLz4(body).subarray(4);
      const head = Buffer.alloc(8);
      head.writeUInt32BE(body.length);
      head.writeUInt32BE(block.length, 4);
      return Buffer.concat([head, block]);
    }
    case 6:
      return zstdCompressSync(body);
    case 7:
      return packLz4(body).subarray(4);
    default:
      return body;
  }
}

function encodeValues(
  column: ColumnSketch,
  encoding: number,
  values: readonly Buffer[],
  dictionary: readonly Buffer[],
): Buffer {
  switch (encoding) {
    case 0:
      return encodePlain(column, values);
    case 2:
    case 8: {
      const places = values.map((value) => dictionary.findIndex((entry) => entry.equals(value)));
      const highest = Math.max(0, dictionary.length - 1);
      return Buffer.concat([Buffer.from([widthOf(highest)]), encodeHybrid(places, highest)]);
    }
    case 3:
      return prefixed(
        encodeHybrid(
          values.map((value) => value[0] ?? 0),
          1,
        ),
      );
    case 5:
      return encodeDelta(values.map(signed));
    case 6:
      return Buffer.concat([encodeDelta(values.map((value) => BigInt(value.length))), ...values]);
    case 7:
      return encodePrefixes(values);
    case 9: {
      const streams = Array.from({ length: column.width }, (_, byte) =>
        Buffer.from(values.map((value) => value[byte] ?? 0)),
      );
      return Buffer.concat(streams);
    }
    default:
      throw new Error(`encoding ${encoding}`);
  }
}

function encodePlain({ boolean, width }: ColumnSketch, values: readonly Buffer[]): Buffer {
  if (boolean)
    return packBits(
      values.map((value) => value[0] ?? 0),
      1,
      false,
    );
  return Buffer.concat(width > 0 ? values : values.map(prefixed));
}

function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function signed(value: Buffer): bigint {
  return value.length === 4 ? BigInt(value.readInt32LE()) : value.readBigInt64LE();
}

function encodePrefixes(values: readonly Buffer[]): Buffer {
  const prefixes = values.map((value, index) => {
    const before = values[index - 1] ?? Buffer.alloc(0);
    let length = 0;
    while (length < Math.min(before.length, value.length) && before[length] === value[length]) length += 1;
    return length;
  });
  const suffixes = values.map((value, index) => value.subarray(prefixes[index]));
  const lengths = encodeDelta(suffixes.map((suffix) => BigInt(suffix.length)));
  return Buffer.concat([encodeDelta(prefixes.map(BigInt)), lengths, ...suffixes]);
}

function widthOf(maximum: number): number {
  return maximum === 0 ? 0 : maximum.toString(2).length;
}

/** Bits as a string, eight to a byte; least significant first, or most significant first for BIT_PACKED. */
function packBits(values: readonly (number | bigint)[], width: number, bigEndian: boolean): Buffer {
  const text = values.map((value) =>
    value
      .toString(2)
      .padStart(width, "0")
      .slice(width === 0 ? 1 : 0),
  );
  const bits = (bigEndian ? text : text.map((one) => [...one].reverse().join(""))).join("");
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Buffer.from(
    bytes.map((byte) => Number.parseInt(bigEndian ? byte.padEnd(8, "0") : [...byte].reverse().join(""), 2)),
  );
}

/** Runs of three or more equal values, and bit-packed groups of eight between them. */
function encodeHybrid(values: readonly number[], maximum: number): Buffer {
  const width = widthOf(maximum);
  const parts: Buffer[] = [];
  for (let at = 0; at < values.length; ) {
    let end = at;
    while (end < values.length && values[end] === values[at]) end += 1;
    if (end - at >= 3 || values.length - at < 8) {
      const value = Buffer.alloc(4);
      value.writeUInt32LE(values[at] ?? 0);
      parts.push(varint(BigInt(end - at) * 2n), value.subarray(0, Math.ceil(width / 8)));
      at = end;
    } else {
      parts.push(varint(3n), packBits(values.slice(at, at + 8), width, false));
      at += 8;
    }
  }
  return maximum === 0 ? Buffer.alloc(0) : Buffer.concat(parts);
}

/** DELTA_BINARY_PACKED in blocks of 128 values and miniblocks of 32. */
function encodeDelta(values: readonly bigint[]): Buffer {
  const parts = [varint(128n), varint(4n), varint(BigInt(values.length)), zigzag(values[0] ?? 0n)];
  const deltas = values.slice(1).map((value, index) => BigInt.asIntN(64, value - (values[index] ?? 0n)));
  for (let at = 0; at < deltas.length; at += 128) {
    const block = deltas.slice(at, at + 128);
    const least = block.toSorted((left, right) => (left < right ? -1 : 1))[0] ?? 0n;
    const rest = block.map((delta) => BigInt.asUintN(64, delta - least));
    const minis = [0, 32, 64, 96].map((from) => rest.slice(from, from + 32));
    const widths = minis.map((mini) =>
      Math.max(0, ...mini.map((delta) => (delta === 0n ? 0 : delta.toString(2).length))),
    );
    const padded = minis.map((mini) =>
      mini.length === 0 ? [] : [...mini, ...Array<bigint>(32 - mini.length).fill(0n)],
    );
    parts.push(
      zigzag(least),
      Buffer.from(widths),
      ...padded.map((mini, index) => packBits(mini, widths[index] ?? 0, false)),
    );
  }
  return Buffer.concat(parts);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128n) {
    bytes.push(Number(rest % 128n) + 128);
    rest /= 128n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

function zigzag(value: bigint): Buffer {
  return varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}
