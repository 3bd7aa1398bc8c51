/** The RLE/bit-packed hybrid of levels, booleans and dictionary indices (Encodings.md, "RLE = 3"). */
import type { ByteReader } from "./byte-reader.ts";
import { PageError } from "./encoding.ts";

/** Receives the runs of a hybrid. */
interface RunSink {
  /** `count` times the same value. */
  repeat(value: number, count: number): void;
  /** `count` values, bit-packed from byte `at` on, least significant bits first. */
  packed(bytes: Uint8Array, at: number, count: number): void;
}

/** Walks `count` values. Runs may state more values than the page has: the last group of eight is padded. */
export function readRuns(reader: ByteReader, bitWidth: number, count: number, sink: RunSink): void {
  if (bitWidth > 32) throw new PageError(`values of ${bitWidth} bits`);
  // A dictionary of one entry has indices of no bits; some writers leave out their runs.
  let left = bitWidth === 0 && reader.at === reader.end ? 0 : count;
  if (left < count) sink.repeat(0, count);
  while (left > 0) {
    const header = reader.varint();
    const packed = header % 2 === 1;
    const length = Math.floor(header / 2) * (packed ? 8 : 1);
    if (length === 0) throw new PageError("an empty run");
    const taken = Math.min(length, left);
    if (packed) {
      // Some writers leave out the padding of the last group.
      const stated = Math.floor(header / 2) * bitWidth;
      const needed = Math.ceil((taken * bitWidth) / 8);
      const at = reader.skip(Math.max(needed, Math.min(stated, reader.end - reader.at)));
      sink.packed(reader.bytes, at, taken);
    } else {
      sink.repeat(reader.unsigned((bitWidth + 7) >> 3), taken);
    }
    left -= taken;
  }
}

/** Decodes `count` values into `out`, from `at` on. */
export function decodeHybrid(
  reader: ByteReader,
  bitWidth: number,
  count: number,
  out: Int32Array | Uint8Array,
  at = 0,
): void {
  let next = at;
  readRuns(reader, bitWidth, count, {
    repeat(value, length) {
      out.fill(value, next, next + length);
      next += length;
    },
    packed(bytes, from, length) {
      unpack(bytes, from, bitWidth, length, out, next);
      next += length;
    },
  });
}

/** Unpacks values of up to 32 bits, least significant bits first. */
export function unpack(
  bytes: Uint8Array,
  from: number,
  bitWidth: number,
  count: number,
  out: Int32Array | Uint32Array | Uint8Array,
  at: number,
): void {
  if (bitWidth > 24) return unpackWide(bytes, from, bitWidth, count, out, at);
  const mask = (1 << bitWidth) - 1;
  let next = from;
  let word = 0;
  let bits = 0;
  for (let index = 0; index < count; index += 1) {
    while (bits < bitWidth) {
      word |= (bytes[next] ?? 0) << bits;
      next += 1;
      bits += 8;
    }
    out[at + index] = word & mask;
    word >>>= bitWidth;
    bits -= bitWidth;
  }
}

function unpackWide(
  bytes: Uint8Array,
  from: number,
  bitWidth: number,
  count: number,
  out: Int32Array | Uint32Array | Uint8Array,
  at: number,
): void {
  const divisor = 2 ** bitWidth;
  let next = from;
  let word = 0;
  let bits = 0;
  for (let index = 0; index < count; index += 1) {
    // At most 31 + 8 bits: exact in a double.
    while (bits < bitWidth) {
      word += (bytes[next] ?? 0) * 2 ** bits;
      next += 1;
      bits += 8;
    }
    out[at + index] = word % divisor;
    word = Math.floor(word / divisor);
    bits -= bitWidth;
  }
}

/** Bits that hold the numbers from 0 to `maximum`. */
export function bitWidthOf(maximum: number): number {
  return maximum === 0 ? 0 : 32 - Math.clz32(maximum);
}

/** Bytes that `encodeHybrid` writes at most. */
export function hybridBound(bitWidth: number, count: number): number {
  const groups = Math.ceil(count / 8);
  return groups * bitWidth + 10 + groups * (1 + ((bitWidth + 7) >> 3));
}

/** Values that have to be equal before a run of them is shorter than packing them. */
const shortestRun = 16;

/** Encodes `count` values into `out` from `at` on; returns where it ends. */
export function encodeHybrid(
  values: Int32Array | Uint8Array,
  count: number,
  bitWidth: number,
  out: Uint8Array,
  at: number,
): number {
  let end = at;
  let packedFrom = 0;
  let index = 0;
  while (index < count) {
    const value = values[index] ?? 0;
    let runEnd = index + 1;
    while (runEnd < count && values[runEnd] === value) runEnd += 1;
    // Packed runs hold whole groups of eight: the run starts after the group that its first values fill up.
    const start = index + ((8 - ((index - packedFrom) & 7)) & 7);
    if (runEnd - start >= shortestRun) {
      end = packGroups(values, packedFrom, start, bitWidth, out, end);
      end = writeRun(value, runEnd - start, bitWidth, out, end);
      packedFrom = runEnd;
    }
    index = runEnd;
  }
  return packGroups(values, packedFrom, count, bitWidth, out, end);
}

function writeRun(value: number, count: number, bitWidth: number, out: Uint8Array, at: number): number {
  let end = writeVarint(count * 2, out, at);
  for (let rest = bitWidth, shift = 0; rest > 0; rest -= 8, shift += 8) {
    out[end] = value >>> shift;
    end += 1;
  }
  return end;
}

function packGroups(
  values: Int32Array | Uint8Array,
  from: number,
  to: number,
  bitWidth: number,
  out: Uint8Array,
  at: number,
): number {
  if (from === to) return at;
  const groups = Math.ceil((to - from) / 8);
  let end = writeVarint(groups * 2 + 1, out, at);
  const stop = end + groups * bitWidth;
  let word = 0;
  let bits = 0;
  for (let index = from; index < to; index += 1) {
    const value = values[index] ?? 0;
    // At most 7 bits wait: with up to 24 more they fit a word; wider values go in two steps.
    if (bitWidth <= 24) {
      word |= value << bits;
      bits += bitWidth;
    } else {
      word |= (value & 0xffff) << bits;
      bits += 16;
      while (bits >= 8) {
        out[end] = word;
        end += 1;
        word >>>= 8;
        bits -= 8;
      }
      word |= (value >>> 16) << bits;
      bits += bitWidth - 16;
    }
    while (bits >= 8) {
      out[end] = word;
      end += 1;
      word >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) {
    out[end] = word;
    end += 1;
  }
  out.fill(0, end, stop);
  return stop;
}

/** Bytes of a ULEB128 number below 2^35. */
export function varintSize(value: number): number {
  return value < 2 ** 7 ? 1 : value < 2 ** 14 ? 2 : value < 2 ** 21 ? 3 : value < 2 ** 28 ? 4 : 5;
}

/** ULEB128; returns where it ends. */
export function writeVarint(value: number, out: Uint8Array, at: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    out[end] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    end += 1;
  }
  out[end] = rest;
  return end + 1;
}
