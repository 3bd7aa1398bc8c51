/**
 * Values of one leaf column as they are stored, without nulls. A value is bytes: nothing here knows what it means, so every
 * logical type passes.
 */
import type { Arena } from "../arena.ts";
import type { ByteReader } from "../encoding/byte-reader.ts";
import { decodeDelta } from "../encoding/delta.ts";
import { Encoding, PageError } from "../encoding/encoding.ts";
import { decodeHybrid } from "../encoding/hybrid.ts";
import { copyPlain, joinStreams, measureByteArrays, unpackBooleans } from "../encoding/plain.ts";
import type { LeafShape } from "./shape.ts";

/** Values of one width; booleans have a byte each. `bytes` is aligned to 8. */
export interface FixedValues {
  readonly kind: "fixed";
  readonly width: number;
  readonly count: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Byte arrays in PLAIN encoding, each behind its length; value i lies in bytes `offsets[i]` to `offsets[i + 1]`. */
export interface BinaryValues {
  readonly kind: "binary";
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly offsets: Float64Array;
}

export type PlainValues = FixedValues | BinaryValues;

/** Values that are places in a dictionary. */
export interface IndexedValues {
  readonly kind: "indexed";
  readonly count: number;
  readonly indices: Int32Array;
  readonly dictionary: PlainValues;
}

export type Values = PlainValues | IndexedValues;

/** Collects the values of a chunk's pages. */
export interface ValueBuilder {
  /** Adds `count` values; at most as many as were announced in all. */
  add(reader: ByteReader, encoding: number, count: number): void;
  finish(): PlainValues;
}

/** A builder for up to `capacity` values that take about `bytes` bytes in their pages. */
export function createBuilder(shape: LeafShape, capacity: number, bytes: number, arena: Arena): ValueBuilder {
  return shape.width === 0 ? new BinaryBuilder(capacity, bytes, arena) : new FixedBuilder(shape, capacity, arena);
}

class FixedBuilder implements ValueBuilder {
  readonly #shape: LeafShape;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #arena: Arena;
  #count = 0;

  constructor(shape: LeafShape, capacity: number, arena: Arena) {
    this.#shape = shape;
    this.#bytes = arena.bytes(capacity * shape.width);
    this.#arena = arena;
  }

  add(reader: ByteReader, encoding: number, count: number): void {
    const { width, boolean, integer } = this.#shape;
    const at = this.#count * width;
    if (encoding === Encoding.plain && boolean) unpackBooleans(reader, count, this.#bytes, at);
    else if (encoding === Encoding.plain) copyPlain(reader, width, count, this.#bytes, at);
    else if (encoding === Encoding.rle && boolean) this.#addRuns(reader, count, at);
    else if (encoding === Encoding.byteStreamSplit && !boolean) joinStreams(reader, width, count, this.#bytes, at);
    else if (encoding === Encoding.deltaBinaryPacked && integer) this.#addDeltas(reader, count, at);
    else if (encoding === Encoding.deltaByteArray && !boolean && !integer) this.#addSuffixes(reader, count, at);
    else throw new PageError(`encoding ${encoding} for this type`);
    this.#count += count;
  }

  finish(): FixedValues {
    const { width } = this.#shape;
    return { kind: "fixed", width, count: this.#count, bytes: this.#bytes.subarray(0, this.#count * width) };
  }

  /** Booleans as RLE (Encodings.md, "RLE = 3"): behind a length of four bytes. */
  #addRuns(reader: ByteReader, count: number, at: number): void {
    const length = reader.unsigned(4);
    if (length > reader.end - reader.at) throw new PageError(`runs of ${length} bytes`);
    decodeHybrid(reader, 1, count, this.#bytes, at);
  }

  #addDeltas(reader: ByteReader, count: number, at: number): void {
    const words = wordsOf(this.#arena, count);
    decodeDelta(reader, checkCount(count, words));
    const { width } = this.#shape;
    const out = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset + at, (count * width) / 4);
    if (width === 8) out.set(words.subarray(0, 2 * count));
    else for (let index = 0; index < count; index += 1) out[index] = words[2 * index] ?? 0;
  }

  #addSuffixes(reader: ByteReader, count: number, at: number): void {
    const texts = new BinaryBuilder(count, count * (this.#shape.width + 4), this.#arena);
    texts.add(reader, Encoding.deltaByteArray, count);
    const { bytes, offsets } = texts.finish();
    const { width } = this.#shape;
    for (let index = 0; index < count; index += 1) {
      const [from = 0, to = 0] = [offsets[index], offsets[index + 1]];
      if (to - from !== width + 4) throw new PageError(`a value of ${to - from - 4} bytes where all have ${width}`);
      this.#bytes.set(bytes.subarray(from + 4, to), at + index * width);
    }
  }
}

class BinaryBuilder implements ValueBuilder {
  readonly #arena: Arena;
  readonly #offsets: Float64Array;
  #bytes: Uint8Array;
  #count = 0;

  constructor(capacity: number, bytes: number, arena: Arena) {
    this.#arena = arena;
    this.#offsets = arena.float64(capacity + 1);
    this.#offsets[0] = 0;
    this.#bytes = arena.bytes(bytes);
  }

  add(reader: ByteReader, encoding: number, count: number): void {
    if (encoding === Encoding.plain) this.#addPlain(reader, count);
    else if (encoding === Encoding.deltaLengthByteArray) this.#addLengths(reader, count);
    else if (encoding === Encoding.deltaByteArray) this.#addPrefixed(reader, count);
    else throw new PageError(`encoding ${encoding} for byte arrays`);
    this.#count += count;
  }

  finish(): BinaryValues {
    const used = this.#offsets[this.#count] ?? 0;
    const offsets = this.#offsets.subarray(0, this.#count + 1);
    return { kind: "binary", count: this.#count, bytes: this.#bytes.subarray(0, used), offsets };
  }

  #addPlain(reader: ByteReader, count: number): void {
    const at = this.#offsets[this.#count] ?? 0;
    const { start, length } = measureByteArrays(reader, count, this.#offsets, this.#count);
    this.#reserve(at + length);
    this.#bytes.set(reader.bytes.subarray(start, start + length), at);
  }

  /** DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. */
  #addLengths(reader: ByteReader, count: number): void {
    const lengths = wordsOf(this.#arena, count);
    decodeDelta(reader, checkCount(count, lengths));
    for (let index = 0; index < count; index += 1) {
      const length = lengthAt(lengths, index);
      const from = reader.skip(length);
      const at = this.#open(this.#count + index, length);
      this.#bytes.set(reader.bytes.subarray(from, from + length), at);
    }
  }

  /** DELTA_BYTE_ARRAY: how much of the value before is shared, then the rest of each value. */
  #addPrefixed(reader: ByteReader, count: number): void {
    const prefixes = wordsOf(this.#arena, count);
    const lengths = wordsOf(this.#arena, count);
    decodeDelta(reader, checkCount(count, prefixes));
    decodeDelta(reader, checkCount(count, lengths));
    let before = 0;
    let beforeLength = 0;
    for (let index = 0; index < count; index += 1) {
      const [prefix, length] = [lengthAt(prefixes, index), lengthAt(lengths, index)];
      if (prefix > beforeLength) throw new PageError(`a prefix of ${prefix} bytes of a value of ${beforeLength}`);
      const from = reader.skip(length);
      const at = this.#open(this.#count + index, prefix + length);
      this.#bytes.copyWithin(at, before, before + prefix);
      this.#bytes.set(reader.bytes.subarray(from, from + length), at + prefix);
      before = at;
      beforeLength = prefix + length;
    }
  }

  /** Makes room for value `index` of `length` bytes and writes its length; returns where its bytes go. */
  #open(index: number, length: number): number {
    const at = this.#offsets[index] ?? 0;
    const end = at + 4 + length;
    this.#reserve(end);
    this.#bytes[at] = length;
    this.#bytes[at + 1] = length >>> 8;
    this.#bytes[at + 2] = length >>> 16;
    this.#bytes[at + 3] = length >>> 24;
    this.#offsets[index + 1] = end;
    return at + 4;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = this.#arena.bytes(Math.max(length, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

function wordsOf(arena: Arena, count: number): Uint32Array {
  const bytes = arena.bytes(8 * count);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, 2 * count);
}

function checkCount(expected: number, words: Uint32Array): (count: number) => Uint32Array {
  return (count) => {
    if (count !== expected) throw new PageError(`${count} delta-encoded values where the page has ${expected}`);
    return words;
  };
}

function lengthAt(words: Uint32Array, index: number): number {
  const length = words[2 * index] ?? 0;
  if ((words[2 * index + 1] ?? 0) !== 0 || length > 0x7fffffff) throw new PageError(`a length of ${length | 0} bytes`);
  return length;
}

/** The dictionary's values in the order of `indices`, as plain values. */
export function lookUp({ indices, dictionary, count }: IndexedValues, arena: Arena): PlainValues {
  return dictionary.kind === "fixed"
    ? lookUpFixed(indices, count, dictionary, arena)
    : lookUpBinary(indices, count, dictionary, arena);
}

function lookUpFixed(indices: Int32Array, count: number, { width, bytes }: FixedValues, arena: Arena): FixedValues {
  const out = arena.bytes(count * width);
  let to = 0;
  for (let index = 0; index < count; index += 1) {
    const from = (indices[index] ?? 0) * width;
    for (let byte = 0; byte < width; byte += 1) out[to + byte] = bytes[from + byte] ?? 0;
    to += width;
  }
  return { kind: "fixed", width, count, bytes: out };
}

function lookUpBinary(indices: Int32Array, count: number, dictionary: BinaryValues, arena: Arena): BinaryValues {
  const offsets = arena.float64(count + 1);
  offsets[0] = 0;
  for (let index = 0; index < count; index += 1) {
    const entry = indices[index] ?? 0;
    const length = (dictionary.offsets[entry + 1] ?? 0) - (dictionary.offsets[entry] ?? 0);
    offsets[index + 1] = (offsets[index] ?? 0) + length;
  }
  const bytes = arena.bytes(offsets[count] ?? 0);
  for (let index = 0; index < count; index += 1) {
    const from = dictionary.offsets[indices[index] ?? 0] ?? 0;
    const at = offsets[index] ?? 0;
    const length = (offsets[index + 1] ?? 0) - at;
    copyBytes(dictionary.bytes, from, bytes, at, length);
  }
  return { kind: "binary", count, bytes, offsets };
}

/** A call of `set` costs more than a few bytes by hand. */
const fewBytes = 48;

export function copyBytes(source: Uint8Array, from: number, out: Uint8Array, at: number, length: number): void {
  if (length > fewBytes) out.set(source.subarray(from, from + length), at);
  else for (let index = 0; index < length; index += 1) out[at + index] = source[from + index] ?? 0;
}
