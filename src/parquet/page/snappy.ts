/**
 * Snappy blocks, read and written in place. Pages of float noise do not shrink: their blocks are literals, and copying
 * literals needs no library and no buffer of its own.
 * Rules: https://github.com/google/snappy/blob/main/format_description.txt ; section numbers below are its.
 */
import { ByteReader } from "../encoding/byte-reader.ts";
import { PageError } from "../encoding/encoding.ts";
import { varintSize, writeVarint } from "../encoding/hybrid.ts";

/** Encoders cut their input into blocks of this size, so no decoder has seen longer literals. */
const literalBytes = 65_536;
/** A call of `set` or `copyWithin` costs more than a few bytes by hand. */
const fewBytes = 32;
const endsTooEarly = "a Snappy block that ends too early";

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
    const kind = tag & 3;
    if (kind === 1) {
      at = copyNear(block, from, out, at);
      from += 2;
    } else if (kind === 0) {
      const extra = Math.max(0, (tag >>> 2) - 59);
      const size = literalSize(block, from, tag, extra);
      from += 1 + extra;
      copyLiteral(block, from, out, at, size);
      from += size;
      at += size;
    } else {
      const extra = kind === 3 ? 4 : 2;
      at = copyFar(block, from, extra, out, at);
      from += 1 + extra;
    }
  }
  if (at !== length) throw new PageError(`a Snappy block of ${at} bytes where it states ${length}`);
}

/** Section 2.2.1: a copy of 4 to 11 bytes, by far the most frequent element of blocks that shrink. Returns where it ends. */
function copyNear(block: Uint8Array, from: number, out: Uint8Array, at: number): number {
  const tag = block[from] ?? 0;
  const end = at + ((tag >>> 2) & 7) + 4;
  const offset = ((tag >>> 5) << 8) | (block[from + 1] ?? 0);
  if (from + 2 > block.length || end > out.length) throw new PageError(endsTooEarly);
  if (offset === 0 || offset > at) throw copiesFromOutside(offset);
  for (let to = at; to < end; to += 1) out[to] = out[to - offset] ?? 0;
  return end;
}

/** Section 2.1. */
function literalSize(block: Uint8Array, from: number, tag: number, extra: number): number {
  return 1 + (extra === 0 ? tag >>> 2 : littleEndian(block, from + 1, extra));
}

function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] ?? 0);
  return value;
}

function copyLiteral(block: Uint8Array, from: number, out: Uint8Array, at: number, size: number): void {
  if (from > block.length || at + size > out.length) throw new PageError(endsTooEarly);
  if (from + size > block.length) throw new PageError(`a Snappy literal of ${size} bytes`);
  if (size > fewBytes) out.set(block.subarray(from, from + size), at);
  else for (let index = 0; index < size; index += 1) out[at + index] = block[from + index] ?? 0;
}

function copiesFromOutside(offset: number): PageError {
  return new PageError(`a Snappy copy from ${offset} bytes before`);
}

/** Sections 2.2.2 and 2.2.3: a copy whose offset has `extra` bytes; where it overlaps what it writes, it repeats it. */
function copyFar(block: Uint8Array, from: number, extra: number, out: Uint8Array, at: number): number {
  const size = ((block[from] ?? 0) >>> 2) + 1;
  const offset = littleEndian(block, from + 1, extra);
  if (from + 1 + extra > block.length || at + size > out.length) throw new PageError(endsTooEarly);
  if (offset === 0 || offset > at) throw copiesFromOutside(offset);
  if (size > fewBytes && offset >= size) out.copyWithin(at, at - offset, at - offset + size);
  else for (let index = 0; index < size; index += 1) out[at + index] = out[at - offset + index] ?? 0;
  return at + size;
}

/** The size of a block of literals that holds `length` bytes. */
export function literalsSize(length: number): number {
  return varintSize(length) + length + 3 * Math.ceil(length / literalBytes);
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
