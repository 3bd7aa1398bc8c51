/** Keys of a table in the targets' terms: equal keys have equal words, or equal bytes. */
import { Arena } from "../arena.ts";
import type { Column, ColumnChunk, Footer } from "../footer.ts";
import { type DecodeMemory, decodeChunk, type Leaf } from "../gather/decode.ts";
import { joinLeaves } from "../gather/join-leaves.ts";
import { leavesOf } from "../gather/shape.ts";
import { lookUp, type PlainValues } from "../gather/values.ts";
import { showBytes, showText } from "../show-bytes.ts";
import { describeKeyType, type KeyType, unitNames } from "./key-type.ts";
import { parseTimestamp } from "./timestamp-text.ts";

/** Keys of all rows, in order. */
export interface KeyVector {
  readonly type: KeyType;
  readonly rows: number;
  readonly nulls: number;
  /** 1 for rows without a key, and for keys that the targets' type cannot hold, which equal no target; undefined for none. */
  readonly skip: Uint8Array | undefined;
  readonly values: WordKeys | ByteKeys;
}

/** Bytes of memory that the vector takes. */
export function vectorSize({ skip, values }: KeyVector): number {
  const keys =
    values.kind === "words"
      ? values.words.byteLength
      : values.bytes.length + values.starts.byteLength + values.ends.byteLength;
  return keys + (skip?.length ?? 0);
}

/** Integers of 64 bits as two words, low word first. */
export interface WordKeys {
  readonly kind: "words";
  readonly words: Int32Array;
}

/** Byte arrays: `starts[i]` to `ends[i]` of `bytes`. */
export interface ByteKeys {
  readonly kind: "bytes";
  readonly bytes: Uint8Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

const nanosecondsPerDay = 86_400_000_000_000n;
/** Julian day of 1970-01-01. */
const epochDay = 2_440_588n;
const ticksOfNanoseconds = 1_000_000_000n;

/** A flat key column, and how its encoded chunks are found. */
export interface KeyColumn {
  readonly footer: Footer;
  readonly column: Column;
  readonly type: KeyType;
  readonly bytesOf: (chunk: ColumnChunk) => Uint8Array;
}

/** Decodes key columns, one after the other, in the same memory. */
export class KeyDecoder {
  readonly #memory: DecodeMemory = { column: new Arena(), page: new Arena() };

  /**
   * The keys of a column. `targets`: the type whose values the keys are written as; a key that it cannot hold is skipped.
   * The vector has memory of its own: 8 bytes a row, or 16 and the bytes of texts.
   * @throws PageError when a page is damaged.
   */
  decode(column: KeyColumn, targets: KeyType): KeyVector {
    this.#memory.column.reset();
    const leaf = decodeLeaf(column, this.#memory);
    const values = leaf.values.kind === "indexed" ? lookUp(leaf.values, this.#memory.column) : leaf.values;
    return toVector(leaf, values, column.type, targets);
  }
}

function toVector({ rows, positions }: Leaf, values: PlainValues, type: KeyType, targets: KeyType): KeyVector {
  const skip = positions === undefined ? undefined : markNulls(positions, rows);
  const nulls = positions === undefined ? 0 : rows - (positions[rows] ?? 0);
  const at = (row: number): number => (positions === undefined ? row : (positions[row] ?? 0));
  const converter = new KeyConverter(type, targets, values, rows, skip);
  if (skip !== undefined || !converter.copyAll())
    for (let row = 0; row < rows; row += 1) if (skip?.[row] !== 1) converter.add(row, at(row));
  return { type: targets, rows, nulls, ...converter.finish() };
}

function decodeLeaf({ footer, column, bytesOf }: KeyColumn, memory: DecodeMemory): Leaf {
  const [shape] = leavesOf(column);
  if (shape === undefined) throw new Error(`no leaf in ${column.name}`);
  const leaves: Leaf[] = [];
  for (const group of footer.rowGroups) {
    const chunk = group.chunks[column.firstLeaf];
    if (group.rows === 0 || chunk === undefined) continue;
    const { codec, values } = chunk;
    leaves.push(decodeChunk({ bytes: bytesOf(chunk), codec, values, rows: group.rows }, shape, false, memory));
  }
  if (leaves.length === 0)
    leaves.push(decodeChunk({ bytes: new Uint8Array(), codec: 0, values: 0, rows: 0 }, shape, false, memory));
  return joinLeaves(leaves, memory.column);
}

function markNulls(positions: Int32Array, rows: number): Uint8Array | undefined {
  if (positions[rows] === rows) return undefined;
  const skip = new Uint8Array(rows);
  for (let row = 0; row < rows; row += 1) skip[row] = positions[row] === positions[row + 1] ? 1 : 0;
  return skip;
}

/** Writes stored values in the targets' terms, one by one. */
class KeyConverter {
  readonly #values: PlainValues;
  readonly #rows: number;
  readonly #write: (row: number, value: number) => boolean;
  readonly #out: WordKeys | ByteKeys;
  /** Whether stored values are equal exactly where keys are. */
  readonly #stored: boolean;
  #skip: Uint8Array | undefined;

  constructor(type: KeyType, targets: KeyType, values: PlainValues, rows: number, skip: Uint8Array | undefined) {
    this.#values = values;
    this.#rows = rows;
    this.#skip = skip;
    const bytes = targets.family === "text" || targets.family === "binary" || targets.family === "int96";
    this.#out = bytes ? this.#byteKeys(targets.family === "int96") : { kind: "words", words: new Int32Array(2 * rows) };
    const isText = type.family === "instant" && type.text === true;
    this.#stored = !isText && describeKeyType(type) === describeKeyType(targets);
    this.#write = this.#chooseWriter(type, targets);
  }

  add(row: number, value: number): void {
    if (this.#write(row, value)) return;
    this.#skip ??= new Uint8Array(this.#rows);
    this.#skip[row] = 1;
  }

  /** Adds the values of all rows at once, if each row has one and they are stored as they are compared. */
  copyAll(): boolean {
    const values = this.#values;
    if (!this.#stored || this.#out.kind !== "words" || values.kind !== "fixed" || values.width !== 8) return false;
    this.#out.words.set(new Int32Array(values.bytes.buffer, values.bytes.byteOffset, 2 * values.count));
    return true;
  }

  finish(): Pick<KeyVector, "skip" | "values"> {
    return { skip: this.#skip, values: this.#out };
  }

  #byteKeys(int96: boolean): ByteKeys {
    const starts = new Float64Array(this.#rows);
    const ends = new Float64Array(this.#rows);
    return { kind: "bytes", bytes: int96 ? new Uint8Array(12 * this.#rows) : copyOf(this.#values.bytes), starts, ends };
  }

  #chooseWriter(type: KeyType, targets: KeyType): (row: number, value: number) => boolean {
    const out = this.#out;
    if (out.kind === "bytes") return targets.family === "int96" ? this.#int96Writer(out, type) : this.#byteWriter(out);
    if (type.family === "instant" && targets.family === "instant" && (type.text || type.ticks !== targets.ticks))
      return this.#instantWriter(out, this.#instantReader(type), type.ticks, targets.ticks);
    if (type.family === "int96" && targets.family === "instant")
      return this.#instantWriter(out, this.#instantReader(type), ticksOfNanoseconds, targets.ticks);
    return this.#wordWriter(out, type, targets);
  }

  #byteWriter({ starts, ends }: ByteKeys): (row: number, value: number) => boolean {
    const values = this.#values;
    return (row, value) => {
      starts[row] = values.kind === "fixed" ? value * values.width : (values.offsets[value] ?? 0) + 4;
      ends[row] = values.kind === "fixed" ? (value + 1) * values.width : (values.offsets[value + 1] ?? 0);
      return true;
    };
  }

  /** Integers of 32 or 64 bits, and instants of the same unit: the stored words, the sign extended. */
  #wordWriter({ words: out }: WordKeys, type: KeyType, targets: KeyType): (row: number, value: number) => boolean {
    const { bytes } = this.#values;
    const stored = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const wide = this.#values.kind === "fixed" && this.#values.width === 8;
    const signed = type.family !== "integer" || type.signed;
    // Of two numbers with equal words, one of each kind, only those below 2^63 are the same.
    const crossing = type.family === "integer" && targets.family === "integer" && type.signed !== targets.signed;
    return (row, value) => {
      const low = (wide ? stored[2 * value] : stored[value]) ?? 0;
      const high = wide ? (stored[2 * value + 1] ?? 0) : signed ? low >> 31 : 0;
      out[2 * row] = low;
      out[2 * row + 1] = high;
      return !(crossing && high < 0);
    };
  }

  /** Instants in another unit: only those that both units can say are the same. */
  #instantWriter(
    { words }: WordKeys,
    read: (value: number) => bigint,
    from: bigint,
    to: bigint,
  ): (row: number, value: number) => boolean {
    return (row, value) => {
      const instant = read(value) * to;
      if (instant % from !== 0n) return false;
      const ticks = instant / from;
      if (BigInt.asIntN(64, ticks) !== ticks) return false;
      words[2 * row] = Number(BigInt.asIntN(32, ticks));
      words[2 * row + 1] = Number(BigInt.asIntN(32, ticks >> 32n));
      return true;
    };
  }

  /** INT96 as the day and the nanoseconds within it, which writers need not keep below one day. */
  #int96Writer({ bytes, starts, ends }: ByteKeys, type: KeyType): (row: number, value: number) => boolean {
    const out = new DataView(bytes.buffer, bytes.byteOffset);
    const read = this.#instantReader(type);
    const factor = type.family === "instant" ? ticksOfNanoseconds / type.ticks : 1n;
    return (row, value) => {
      const nanoseconds = read(value) * factor;
      const day = floorDivide(nanoseconds, nanosecondsPerDay);
      if (BigInt.asIntN(32, day) !== day) return false;
      out.setBigInt64(12 * row, nanoseconds - day * nanosecondsPerDay);
      out.setInt32(12 * row + 8, Number(day));
      starts[row] = 12 * row;
      ends[row] = 12 * (row + 1);
      return true;
    };
  }

  /** How an instant is read in its own unit. */
  #instantReader(type: KeyType): (value: number) => bigint {
    if (type.family === "int96") return (value) => this.#nanosecondsAt(value);
    if (type.family !== "instant" || type.text !== true) return (value) => this.#wordsAt(value);
    return (value) => parseTimestamp(this.#textAt(value), type.zoned);
  }

  #textAt(value: number): string {
    const values = this.#values;
    const [start, end] =
      values.kind === "fixed"
        ? [value * values.width, (value + 1) * values.width]
        : [(values.offsets[value] ?? 0) + 4, values.offsets[value + 1] ?? 0];
    return Buffer.from(values.bytes.subarray(start, end)).toString("latin1");
  }

  #wordsAt(value: number): bigint {
    const { bytes } = this.#values;
    return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(8 * value, true);
  }

  /** Nanoseconds since 1970 of an INT96: the time of day in 8 bytes, the Julian day in 4. */
  #nanosecondsAt(value: number): bigint {
    const { bytes } = this.#values;
    const view = new DataView(bytes.buffer, bytes.byteOffset + 12 * value, 12);
    return (BigInt(view.getInt32(8, true)) - epochDay) * nanosecondsPerDay + view.getBigInt64(0, true);
  }
}

/** `slice` of a Buffer would be a view. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

/** A key as a person writes it: "2025-03-20 00:00:00.000000+00:00", "7", "EURUSD". */
export function formatKey({ type, values }: KeyVector, row: number): string {
  if (values.kind === "bytes") {
    const bytes = Buffer.from(values.bytes.subarray(values.starts[row], values.ends[row]));
    if (type.family === "text") return showText(bytes);
    return type.family === "int96" ? formatInt96(bytes) : showBytes(bytes);
  }
  const number = (BigInt(values.words[2 * row + 1] ?? 0) << 32n) | BigInt((values.words[2 * row] ?? 0) >>> 0);
  if (type.family === "date") return formatDate(number);
  if (type.family === "instant") return formatInstant(number, type.ticks, type.zoned ? "+00:00" : "");
  return String(type.family === "integer" && !type.signed ? BigInt.asUintN(64, number) : number);
}

function formatInt96(bytes: Buffer): string {
  const nanoseconds = BigInt(bytes.readInt32BE(8)) * nanosecondsPerDay + bytes.readBigInt64BE(0);
  return formatInstant(nanoseconds, ticksOfNanoseconds, "");
}

/** Years beyond those of a JavaScript date are shown as ticks. */
function formatInstant(value: bigint, ticks: bigint, zone: string): string {
  const seconds = floorDivide(value, ticks);
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return `${value} ${unitNames.get(ticks)} since 1970`;
  const fraction = String(value - seconds * ticks).padStart(String(ticks).length - 1, "0");
  const [text = ""] = date.toISOString().split(".");
  return `${text.replace("T", " ")}.${fraction}${zone}`;
}

function formatDate(days: bigint): string {
  const date = new Date(Number(days) * 86_400_000);
  if (Number.isNaN(date.getTime())) return `${days} days since 1970`;
  const [text = ""] = date.toISOString().split("T");
  return text;
}
