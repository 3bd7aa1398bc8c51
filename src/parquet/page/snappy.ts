/**
 * Snappy blocks, read and written in place. Pages of float noise do not shrink: their blocks are literals, and copying
 * literals needs no library and no buffer of its own.
 * Rules: https://github.com/google/snappy/blob/main/format_description.txt ; section numbers below are its.
 */
import { ByteReader } from "../encoding/byte-reader.ts";
import { PageError } from "../encoding/encoding.ts";
import { writeVarint } from "../encoding/hybrid.ts";

/** Encoders cut their input into blocks of this size, so no decoder has seen longer literals. */
const literalBytes = 65_536;
/** A call of `set` or `copyWithin` costs more than a few bytes by hand. */
const fewBytes = 32;

/**
 * Decodes a block into `out`, which must be as long as the block says (section 1).
 * @throws PageError when the block is damaged.
 */
export function decodeSnappy(block: Uint8Array, out: Uint8Array): void {
  const reader = new ByteReader(block);
  const length = reader.varint();
  if (length !== out.length) throw new PageError(`Snappy states ${length} bytes, the header ${out.length}`);
  let from = reader.at;
  let at = 0;
  while (from < block.length) {
    const tag = block[from] ?? 0;
    const extra = extraBytes(tag);
    const size = (tag & 3) === 0 ? literalSize(block, from, tag, extra) : copySize(tag);
    const offset = (tag & 3) === 0 ? 0 : copyOffset(block, from, tag, extra);
    from += 1 + extra;
    if (from > block.length || at + size > length) throw new PageError("a Snappy block that ends too early");
    if ((tag & 3) === 0) {
      copyLiteral(block, from, out, at, size);
      from += size;
    } else copyBack(out, at, offset, size);
    at += size;
  }
  if (at !== length) throw new PageError(`a Snappy block of ${at} bytes where it states ${length}`);
}

/** Bytes of an element between its tag and its data (section 2). */
function extraBytes(tag: number): number {
  const kind = tag & 3;
  if (kind === 0) return Math.max(0, (tag >>> 2) - 59);
  return kind === 3 ? 4 : kind;
}

/** Section 2.1. */
function literalSize(block: Uint8Array, from: number, tag: number, extra: number): number {
  return 1 + (extra === 0 ? tag >>> 2 : littleEndian(block, from + 1, extra));
}

/** Section 2.2. */
function copySize(tag: number): number {
  return (tag & 3) === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
}

function copyOffset(block: Uint8Array, from: number, tag: number, extra: number): number {
  return (tag & 3) === 1 ? ((tag >>> 5) << 8) | (block[from + 1] ?? 0) : littleEndian(block, from + 1, extra);
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

function copyLiteral(block: Uint8Array, from: number, out: Uint8Array, at: number, size: number): void {
  if (from + size > block.length) throw new PageError(`a Snappy literal of ${size} bytes`);
  if (size > fewBytes) out.set(block.subarray(from, from + size), at);
  else for (let index = 0; index < size; index += 1) out[at + index] = block[from + index] ?? 0;
}

/** A copy may overlap what it writes: then it repeats it. */
function copyBack(out: Uint8Array, at: number, offset: number, size: number): void {
  if (offset === 0 || offset > at) throw new PageError(`a Snappy copy from ${offset} bytes before`);
  if (size > fewBytes && offset >= size) out.copyWithin(at, at - offset, at - offset + size);
  else for (let index = 0; index < size; index += 1) out[at + index] = out[at - offset + index] ?? 0;
}

/** Bytes of `length` bytes as literals. */
export function literalBound(length: number): number {
  return 5 + length + 3 * Math.ceil(length / literalBytes);
}

/** Writes bytes as a block of literals; returns where it ends. */
export function encodeLiterals(bytes: Uint8Array, out: Uint8Array, at: number): number {
  let end = writeVarint(bytes.length, out, at);
  for (let from = 0; from < bytes.length; from += literalBytes) {
    const size = Math.min(literalBytes, bytes.length - from);
    out[end] = 61 << 2;
    out[end + 1] = size - 1;
    out[end + 2] = (size - 1) >>> 8;
    out.set(bytes.subarray(from, from + size), end + 3);
    end += 3 + size;
  }
  return end;
}
