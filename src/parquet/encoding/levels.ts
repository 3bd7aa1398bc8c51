/** Repetition and definition levels of a page. */
import { ByteReader } from "./byte-reader.ts";
import { Encoding, PageError } from "./encoding.ts";
import { bitWidthOf, decodeHybrid, readRuns } from "./hybrid.ts";

/**
 * The part of a version 1 page that holds levels: RLE behind a length of four bytes, or BIT_PACKED without one
 * (Encodings.md, "BIT_PACKED = 4"). The reader moves behind it.
 */
export function takeLevels(reader: ByteReader, encoding: number, maximum: number, count: number): ByteReader {
  if (encoding !== Encoding.rle && encoding !== Encoding.bitPacked)
    throw new PageError(`levels of encoding ${encoding}`);
  const length = encoding === Encoding.rle ? reader.unsigned(4) : Math.ceil((count * bitWidthOf(maximum)) / 8);
  const start = reader.skip(length);
  return new ByteReader(reader.bytes, start, start + length);
}

/** Decodes `count` levels into `out`, from `at` on. */
export function decodeLevels(
  reader: ByteReader,
  encoding: number,
  maximum: number,
  count: number,
  out: Uint8Array,
  at: number,
): void {
  if (maximum > 255) throw new PageError(`a schema nested ${maximum} deep`);
  const bitWidth = bitWidthOf(maximum);
  if (encoding === Encoding.bitPacked) unpackBigEndian(reader, bitWidth, count, out, at);
  else decodeHybrid(reader, bitWidth, count, out, at);
  for (let index = at; index < at + count; index += 1)
    if ((out[index] ?? 0) > maximum) throw new PageError(`a level ${out[index]} where ${maximum} is the highest`);
}

/** BIT_PACKED: most significant bits first. */
function unpackBigEndian(reader: ByteReader, bitWidth: number, count: number, out: Uint8Array, at: number): void {
  let word = 0;
  let bits = 0;
  for (let index = 0; index < count; index += 1) {
    while (bits < bitWidth) {
      word = ((word << 8) | reader.byte()) & 0xffff;
      bits += 8;
    }
    out[at + index] = (word >>> (bits - bitWidth)) & ((1 << bitWidth) - 1);
    bits -= bitWidth;
  }
}

/** How many of a page's `count` rows are null, when one run of equal definition levels (0 or 1) says so; else undefined. */
export function uniformLevel(reader: ByteReader, count: number): 0 | 1 | undefined {
  const header = reader.varint();
  if (header % 2 === 1 || header / 2 < count) return undefined;
  return reader.byte() === 0 ? 0 : 1;
}

/** Every number in its place, as far as it was needed: copying some of it takes a tenth of the time of writing them. */
let numbers = new Int32Array();
/** Beyond, numbers are written one by one; 1 MiB. */
const mostNumbers = 1 << 18;

/** Writes `length` numbers from `first` on into `out`, from `at` on. */
function countUp(out: Int32Array, at: number, length: number, first: number): void {
  const end = first + length;
  if (end > mostNumbers) {
    for (let index = 0; index < length; index += 1) out[at + index] = first + index;
    return;
  }
  if (end > numbers.length) numbers = Int32Array.from({ length: 2 ** Math.ceil(Math.log2(end)) }, (_, index) => index);
  out.set(numbers.subarray(first, end), at);
}

/**
 * Turns the definition levels (0 or 1) of `count` rows into positions: `positions[at + 1 + i]` is the number of values
 * up to and with row i. Returns the number of values.
 */
export function countPresent(reader: ByteReader, count: number, positions: Int32Array, at: number): number {
  let next = at + 1;
  let values = positions[at] ?? 0;
  const before = values;
  readRuns(reader, 1, count, {
    repeat(level, length) {
      if (level === 0) positions.fill(values, next, next + length);
      else {
        countUp(positions, next, length, values + 1);
        values += length;
      }
      next += length;
    },
    packed(bytes, from, length) {
      for (let index = 0; index < length; index += 1) {
        values += ((bytes[from + (index >> 3)] ?? 0) >> (index & 7)) & 1;
        positions[next + index] = values;
      }
      next += length;
    },
  });
  return values - before;
}
