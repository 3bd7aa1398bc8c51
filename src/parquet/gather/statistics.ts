/** Statistics of a written chunk: exact, or left out (parquet.thrift, Statistics; field numbers are its). */
import { type ThriftField, type ThriftStruct, ThriftType } from "../thrift/thrift.ts";
import { orderOf } from "./order.ts";
import type { LeafShape } from "./shape.ts";
import type { BinaryValues, FixedValues, PlainValues } from "./values.ts";

/** A bound, and whether it is a value of the column. */
interface Bound {
  readonly bytes: Uint8Array;
  readonly exact: boolean;
}

export interface Bounds {
  readonly minimum: Bound | undefined;
  readonly maximum: Bound | undefined;
}

/** Collects the smallest and the largest value of a chunk. */
export interface BoundsFinder {
  /** Takes the values from `first` to before `end` into account; where `used` is given, only those that it marks. */
  scan(values: PlainValues, first: number, end: number, used?: Uint8Array): void;
  finish(): Bounds;
}

const none: Bounds = { minimum: undefined, maximum: undefined };
const noBounds: BoundsFinder = { scan: () => undefined, finish: () => none };

/** A finder for a leaf, which finds nothing where the type has no order. */
export function createFinder({ element, width, boolean }: LeafShape): BoundsFinder {
  const order = orderOf(element);
  if (order === undefined) return noBounds;
  if (order === "float") return new FloatFinder(width);
  if (order === "decimal") return new ByteFinder(compareSigned, false);
  if (order === "bytes" || order === "text") return new ByteFinder(compareUnsigned, order === "text");
  if (boolean) return new ByteFinder(compareUnsigned, false);
  return new IntegerFinder(width, order === "unsigned");
}

/** parquet.thrift, Statistics.null_count and the bounds. */
export function toStatistics(nulls: number | undefined, { minimum, maximum }: Bounds): ThriftStruct {
  const fields: (ThriftField | undefined)[] = [
    nulls === undefined ? undefined : { id: 3, type: ThriftType.i64, value: BigInt(nulls) },
    maximum && { id: 5, type: ThriftType.binary, value: maximum.bytes },
    minimum && { id: 6, type: ThriftType.binary, value: minimum.bytes },
    maximum && flag(7, maximum.exact),
    minimum && flag(8, minimum.exact),
  ];
  return { fields: fields.filter((entry) => entry !== undefined) };
}

function flag(id: number, value: boolean): ThriftField {
  return { id, type: value ? ThriftType.true : ThriftType.false, value };
}

/** NaN is left out of the bounds; a zero counts as -0 below and as +0 above (parquet.thrift, ColumnOrder). */
class FloatFinder implements BoundsFinder {
  readonly #width: number;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = Number.NEGATIVE_INFINITY;

  constructor(width: number) {
    this.#width = width;
  }

  scan(values: FixedValues, first: number, end: number, used?: Uint8Array): void {
    const { buffer, byteOffset } = values.bytes;
    const view =
      this.#width === 4
        ? new Float32Array(buffer, byteOffset, values.count)
        : new Float64Array(buffer, byteOffset, values.count);
    if (used === undefined) return this.#scanAll(view.subarray(first, end));
    for (let index = first; index < end; index += 1) {
      const from = index;
      while (index < end && used[index] !== 0) index += 1;
      if (index > from) this.#scanAll(view.subarray(from, index));
    }
  }

  /** A loop of its own: asking for each value whether it is used would double the time. */
  #scanAll(view: Float32Array | Float64Array): void {
    let minimum = this.#minimum;
    let maximum = this.#maximum;
    for (let index = 0; index < view.length; index += 1) {
      const value = view[index] ?? Number.NaN;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    this.#minimum = minimum;
    this.#maximum = maximum;
  }

  finish(): Bounds {
    if (this.#minimum > this.#maximum) return none;
    return {
      minimum: { bytes: this.#encode(this.#minimum === 0 ? -0 : this.#minimum), exact: true },
      maximum: { bytes: this.#encode(this.#maximum === 0 ? 0 : this.#maximum), exact: true },
    };
  }

  #encode(value: number): Uint8Array {
    const bytes = Buffer.alloc(this.#width);
    if (this.#width === 4) bytes.writeFloatLE(value);
    else bytes.writeDoubleLE(value);
    return bytes;
  }
}

/** Integers of 4 or 8 bytes, compared as words: a bigint for each value would cost more than everything else. */
class IntegerFinder implements BoundsFinder {
  readonly #width: number;
  /** What turns the highest word into one that compares as signed. */
  readonly #flip: number;
  #found = false;
  #minimumHigh = 0;
  #minimumLow = 0;
  #maximumHigh = 0;
  #maximumLow = 0;

  constructor(width: number, unsigned: boolean) {
    this.#width = width;
    this.#flip = unsigned ? -0x80000000 : 0;
  }

  scan(values: FixedValues, first: number, end: number, used?: Uint8Array): void {
    const words = new Int32Array(values.bytes.buffer, values.bytes.byteOffset, (values.count * this.#width) / 4);
    if (this.#width === 8) this.#scanWide(words, first, end, used);
    else this.#scanNarrow(words, first, end, used);
  }

  #scanNarrow(words: Int32Array, first: number, end: number, used: Uint8Array | undefined): void {
    for (let index = first; index < end; index += 1)
      if (used?.[index] !== 0) this.#take((words[index] ?? 0) ^ this.#flip, 0);
  }

  #scanWide(words: Int32Array, first: number, end: number, used: Uint8Array | undefined): void {
    for (let index = first; index < end; index += 1) {
      if (used?.[index] === 0) continue;
      this.#take((words[2 * index + 1] ?? 0) ^ this.#flip, (words[2 * index] ?? 0) >>> 0);
    }
  }

  #take(high: number, low: number): void {
    if (!this.#found) this.#start(high, low);
    if (high < this.#minimumHigh || (high === this.#minimumHigh && low < this.#minimumLow)) {
      this.#minimumHigh = high;
      this.#minimumLow = low;
    }
    if (high > this.#maximumHigh || (high === this.#maximumHigh && low > this.#maximumLow)) {
      this.#maximumHigh = high;
      this.#maximumLow = low;
    }
  }

  finish(): Bounds {
    if (!this.#found) return none;
    return {
      minimum: { bytes: this.#encode(this.#minimumHigh, this.#minimumLow), exact: true },
      maximum: { bytes: this.#encode(this.#maximumHigh, this.#maximumLow), exact: true },
    };
  }

  #start(high: number, low: number): void {
    this.#found = true;
    this.#minimumHigh = high;
    this.#maximumHigh = high;
    this.#minimumLow = low;
    this.#maximumLow = low;
  }

  #encode(high: number, low: number): Uint8Array {
    const bytes = Buffer.alloc(this.#width);
    if (this.#width === 8) bytes.writeUInt32LE(low);
    bytes.writeInt32LE(high ^ this.#flip, this.#width - 4);
    return bytes;
  }
}

type Compare = (left: Uint8Array, leftFrom: number, leftEnd: number, right: Uint8Array) => number;

/** Longer bounds are cut: they stand in the footer of a file of ten thousand columns. */
const longestBound = 64;

class ByteFinder implements BoundsFinder {
  readonly #compare: Compare;
  readonly #text: boolean;
  #minimum: Uint8Array | undefined;
  #maximum: Uint8Array | undefined;

  constructor(compare: Compare, text: boolean) {
    this.#compare = compare;
    this.#text = text;
  }

  scan(values: PlainValues, first: number, end: number, used?: Uint8Array): void {
    const { bytes } = values;
    for (let index = first; index < end; index += 1) {
      if (used !== undefined && used[index] === 0) continue;
      const from = values.kind === "fixed" ? index * values.width : startOf(values, index);
      const to = values.kind === "fixed" ? from + values.width : (values.offsets[index + 1] ?? 0);
      // Kept as copies: the values are overwritten by the next page.
      if (this.#minimum === undefined || this.#compare(bytes, from, to, this.#minimum) < 0)
        this.#minimum = Uint8Array.prototype.slice.call(bytes, from, to);
      if (this.#maximum === undefined || this.#compare(bytes, from, to, this.#maximum) > 0)
        this.#maximum = Uint8Array.prototype.slice.call(bytes, from, to);
    }
  }

  finish(): Bounds {
    if (this.#compare === compareSigned) return { minimum: whole(this.#minimum), maximum: whole(this.#maximum) };
    return { minimum: this.#cutBelow(this.#minimum), maximum: this.#cutAbove(this.#maximum) };
  }

  /** A prefix is never larger. */
  #cutBelow(value: Uint8Array | undefined): Bound | undefined {
    if (value === undefined || value.length <= longestBound) return whole(value);
    return { bytes: value.subarray(0, this.#cutAt(value)), exact: false };
  }

  /** A prefix whose last byte that can be raised is raised; of a text only ASCII characters are, so that it stays UTF-8. */
  #cutAbove(value: Uint8Array | undefined): Bound | undefined {
    if (value === undefined || value.length <= longestBound) return whole(value);
    const highest = this.#text ? 0x7e : 0xfe;
    let last = this.#cutAt(value) - 1;
    while (last >= 0 && (value[last] ?? 0) > highest) last -= 1;
    if (last < 0) return undefined;
    const bytes = Uint8Array.prototype.slice.call(value, 0, last + 1);
    bytes[last] = (bytes[last] ?? 0) + 1;
    return { bytes, exact: false };
  }

  /** Where a value is cut; a text between two characters. */
  #cutAt(value: Uint8Array): number {
    let end = longestBound;
    while (this.#text && end > 0 && ((value[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    return end;
  }
}

function whole(value: Uint8Array | undefined): Bound | undefined {
  return value === undefined ? undefined : { bytes: value, exact: true };
}

/** Where the bytes of a byte array start, behind its length. */
function startOf({ offsets }: BinaryValues, index: number): number {
  return (offsets[index] ?? 0) + 4;
}

/** Byte by byte, unsigned; a prefix comes first. */
function compareUnsigned(left: Uint8Array, from: number, end: number, right: Uint8Array): number {
  const length = Math.min(end - from, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[from + index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return end - from - right.length;
}

/** Decimals: big-endian numbers in two's complement, of any length. */
function compareSigned(left: Uint8Array, from: number, end: number, right: Uint8Array): number {
  const sign = fill(left, from, end);
  const otherSign = fill(right, 0, right.length);
  if (sign !== otherSign) return sign === 0xff ? -1 : 1;
  const length = Math.max(end - from, right.length);
  for (let index = length; index > 0; index -= 1) {
    const byte = index > end - from ? sign : (left[end - index] ?? 0);
    const other = index > right.length ? otherSign : (right[right.length - index] ?? 0);
    if (byte !== other) return byte - other;
  }
  return 0;
}

/** The byte that extends a number in two's complement to the left. */
function fill(bytes: Uint8Array, from: number, end: number): number {
  return from < end && (bytes[from] ?? 0) >= 0x80 ? 0xff : 0;
}
