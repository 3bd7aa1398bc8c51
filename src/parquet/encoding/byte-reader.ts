import { PageError } from "./encoding.ts";

/** Reads numbers from a part of a page, never beyond its end. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    if (at < 0 || end > bytes.length || at > end) throw new PageError(`bytes ${at} to ${end} of ${bytes.length}`);
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw new PageError("the page ends too early");
    const value = this.bytes[this.at] ?? 0;
    this.at += 1;
    return value;
  }

  /** Takes `length` bytes; returns where they start. */
  skip(length: number): number {
    if (length < 0 || length > this.end - this.at)
      throw new PageError(`${length} bytes where ${this.end - this.at} are left`);
    this.at += length;
    return this.at - length;
  }

  /** A little-endian number of `width` bytes, at most 4. */
  unsigned(width: number): number {
    const start = this.skip(width);
    let value = 0;
    for (let index = 0; index < width; index += 1) value += (this.bytes[start + index] ?? 0) * 2 ** (8 * index);
    return value;
  }

  /** ULEB128 of at most 53 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new PageError("a number of more than 53 bits");
  }

  /** A zigzag number of 64 bits. */
  zigzag(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const bits = BigInt.asUintN(64, value);
        return (bits >> 1n) ^ -(bits & 1n);
      }
    }
    throw new PageError("a number of more than 64 bits");
  }
}
