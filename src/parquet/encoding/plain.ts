/** PLAIN values (Encodings.md, "Plain: PLAIN = 0"). */
import type { ByteReader } from "./byte-reader.ts";
import { PageError } from "./encoding.ts";

/** Copies `count` values of `width` bytes. */
export function copyPlain(reader: ByteReader, width: number, count: number, out: Uint8Array, at: number): void {
  const start = reader.skip(count * width);
  out.set(reader.bytes.subarray(start, start + count * width), at);
}

/** Booleans, one bit each, as one byte each. */
export function unpackBooleans(reader: ByteReader, count: number, out: Uint8Array, at: number): void {
  const start = reader.skip(Math.ceil(count / 8));
  for (let index = 0; index < count; index += 1)
    out[at + index] = ((reader.bytes[start + (index >> 3)] ?? 0) >> (index & 7)) & 1;
}

/**
 * Finds the ends of `count` byte arrays, each behind its length in four bytes. `offsets[first]` is where the first starts
 * relative to `base`; the ends are written behind it. Returns the bytes that they take, lengths included.
 */
export function measureByteArrays(
  reader: ByteReader,
  count: number,
  offsets: Float64Array,
  first: number,
): { readonly start: number; readonly length: number } {
  const { bytes, at: start, end } = reader;
  const base = (offsets[first] ?? 0) - start;
  let at = start;
  for (let index = 1; index <= count; index += 1) {
    if (at + 4 > end) throw new PageError("the page ends within a length");
    const length =
      ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>>
      0;
    at += 4 + length;
    if (at > end) throw new PageError(`a value of ${length} bytes at the end of the page`);
    offsets[first + index] = at + base;
  }
  reader.at = at;
  return { start, length: at - start };
}

/** BYTE_STREAM_SPLIT: the first bytes of all values, then their second bytes, and so on (Encodings.md). */
export function joinStreams(reader: ByteReader, width: number, count: number, out: Uint8Array, at: number): void {
  const start = reader.skip(count * width);
  for (let stream = 0; stream < width; stream += 1) {
    const from = start + stream * count;
    let to = at + stream;
    for (let index = 0; index < count; index += 1) {
      out[to] = reader.bytes[from + index] ?? 0;
      to += width;
    }
  }
}
