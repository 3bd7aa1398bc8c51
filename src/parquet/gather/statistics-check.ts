/**
 * Checks statistics against decoded values: null counts have to be exact, bounds have to hold (parquet.thrift, Statistics and
 * ColumnOrder; field numbers are its). Written apart from the code that finds bounds, so that one fault is not in both.
 */
import { readMetadata } from "../chunk-metadata.ts";
import type { ColumnChunk } from "../footer.ts";
import { field, type ThriftStruct, type ThriftValue } from "../thrift/thrift.ts";
import type { Leaf } from "./decode.ts";
import { orderOf, type ValueOrder } from "./order.ts";
import type { PlainValues, Values } from "./values.ts";

/** Fields of Statistics. The other fields are deprecated bounds and counts that a gathered chunk does not have. */
const Statistic = { nulls: 3, maximum: 5, minimum: 6, maximumIsExact: 7, minimumIsExact: 8 } as const;
/** Statistics of sizes and places in ColumnMetaData, which a gathered chunk does not have. */
const otherStatistics: Readonly<Record<number, string>> = { 16: "size statistics", 17: "geospatial statistics" };

/**
 * What is wrong with the statistics of a gathered chunk, whose decoded values are `leaf`; as texts. `ordered`: whether the
 * footer states the type-defined order for the column.
 */
export function checkStatistics(chunk: ColumnChunk, leaf: Leaf, ordered: boolean): string[] {
  const { meta } = readMetadata(chunk);
  const others = Object.entries(otherStatistics).filter(([id]) => field(meta, Number(id)) !== undefined);
  const unexpected = others.map(([, name]) => `${name} that the merge does not write`);
  const statistics = toStruct(field(meta, 12));
  if (statistics === undefined) return unexpected;
  const order = ordered ? orderOf(leaf.shape.element) : undefined;
  return [
    ...unexpected,
    ...checkFields(statistics),
    ...checkNulls(statistics, leaf),
    ...checkBounds(statistics, leaf, order),
  ];
}

function checkFields({ fields }: ThriftStruct): string[] {
  const known: readonly number[] = Object.values(Statistic);
  return fields
    .filter(({ id }) => !known.includes(id))
    .map(({ id }) => `field ${id} of the statistics, which the merge does not write`);
}

function checkNulls(statistics: ThriftStruct, { shape, rows, values }: Leaf): string[] {
  const stated = field(statistics, Statistic.nulls);
  if (stated === undefined) return [];
  // Writers count the nulls of lists in different ways.
  if (shape.maxRepetition > 0) return ["a null count of a list"];
  const nulls = BigInt(rows - values.count);
  return stated === nulls ? [] : [`a null count of ${stated} where there are ${nulls}`];
}

function checkBounds(statistics: ThriftStruct, leaf: Leaf, order: ValueOrder): string[] {
  const minimum = field(statistics, Statistic.minimum);
  const maximum = field(statistics, Statistic.maximum);
  if (minimum === undefined && maximum === undefined) return [];
  if (order === undefined) return ["bounds of a type without an order"];
  const extremes = findExtremes(leaf.values, order);
  if (extremes === undefined) return ["bounds where there are no values"];
  const compare = comparerOf(leaf, order);
  // Bounds of bytes may be cut.
  const width = order === "signed" || order === "unsigned" || order === "float" ? leaf.shape.width : undefined;
  const isExact = (id: number) => field(statistics, id) === true;
  return [
    ...checkBound(minimum, {
      width,
      isExact: isExact(Statistic.minimumIsExact),
      difference: (stated) => compare(stated, extremes.least),
      names: { bound: "a minimum", fault: "a minimum above a value" },
    }),
    ...checkBound(maximum, {
      width,
      isExact: isExact(Statistic.maximumIsExact),
      difference: (stated) => compare(extremes.most, stated),
      names: { bound: "a maximum", fault: "a maximum below a value" },
    }),
  ];
}

interface BoundRule {
  /** Bytes of a bound; undefined for any number. */
  readonly width: number | undefined;
  readonly isExact: boolean;
  /** At most 0 for a bound that holds, 0 for an exact one. */
  readonly difference: (stated: Buffer) => number;
  readonly names: { readonly bound: string; readonly fault: string };
}

function checkBound(stated: ThriftValue | undefined, { width, isExact, difference, names }: BoundRule): string[] {
  if (stated === undefined) return [];
  if (!(stated instanceof Uint8Array) || (width !== undefined && stated.length !== width))
    return [`${names.bound} of another size`];
  const found = difference(Buffer.from(stated));
  // NaN is neither below nor above.
  if (!(found <= 0)) return [names.fault];
  return isExact && found < 0 ? [`${names.bound} that is marked as exact and is not`] : [];
}

type Compare = (left: Buffer, right: Buffer) => number;

interface Extremes {
  readonly least: Buffer;
  readonly most: Buffer;
}

/** The smallest and the largest value as they are stored; undefined where there is none that has a place in the order. */
function findExtremes(values: Values, order: NonNullable<ValueOrder>): Extremes | undefined {
  const used = values.kind === "indexed" ? markUsed(values) : undefined;
  const plain = values.kind === "indexed" ? values.dictionary : values;
  return plain.kind === "fixed" && (order === "signed" || order === "unsigned" || order === "float")
    ? extremesOfNumbers(plain, order, used)
    : extremesOfBytes(plain, order === "decimal" ? compareDecimals : Buffer.compare, used);
}

/** The entries of a dictionary that are a value of the chunk. */
function markUsed({ indices, dictionary, count }: Extract<Values, { readonly kind: "indexed" }>): Uint8Array {
  const used = new Uint8Array(dictionary.count);
  for (const index of indices.subarray(0, count)) used[index] = 1;
  return used;
}

type NumberValues = Extract<PlainValues, { readonly kind: "fixed" }>;

function extremesOfNumbers(
  values: NumberValues,
  order: "signed" | "unsigned" | "float",
  used: Uint8Array | undefined,
): Extremes | undefined {
  const numbers = toNumbers(values, order);
  let least = -1;
  let most = -1;
  for (let index = 0; index < numbers.length; index += 1) {
    const value = numbers[index] ?? Number.NaN;
    // NaN has no place in the type-defined order.
    if (used?.[index] === 0 || Number.isNaN(value)) continue;
    if (least === -1 || value < (numbers[least] ?? value)) least = index;
    if (most === -1 || value > (numbers[most] ?? value)) most = index;
  }
  if (least === -1) return undefined;
  const valueAt = (index: number) =>
    Buffer.from(values.bytes.subarray(index * values.width, (index + 1) * values.width));
  return { least: valueAt(least), most: valueAt(most) };
}

type Numbers = Uint8Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array | Float32Array | Float64Array;

/** The values as numbers of their type; bytes of decoded values are aligned. */
function toNumbers({ bytes, width, count }: NumberValues, order: "signed" | "unsigned" | "float"): Numbers {
  const { buffer, byteOffset } = bytes;
  if (width === 1) return bytes.subarray(0, count);
  if (order === "float")
    return width === 4 ? new Float32Array(buffer, byteOffset, count) : new Float64Array(buffer, byteOffset, count);
  if (width === 4)
    return order === "signed" ? new Int32Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count);
  return order === "signed"
    ? new BigInt64Array(buffer, byteOffset, count)
    : new BigUint64Array(buffer, byteOffset, count);
}

function extremesOfBytes(values: PlainValues, compare: Compare, used: Uint8Array | undefined): Extremes | undefined {
  let least: Buffer | undefined;
  let most: Buffer | undefined;
  for (let index = 0; index < values.count; index += 1) {
    if (used?.[index] === 0) continue;
    const value = valueAt(values, index);
    if (least === undefined || compare(value, least) < 0) least = value;
    if (most === undefined || compare(value, most) > 0) most = value;
  }
  return least === undefined || most === undefined ? undefined : { least, most };
}

/** A view of a stored value, without the length in front of a byte array. */
function valueAt(values: PlainValues, index: number): Buffer {
  const { buffer, byteOffset } = values.bytes;
  const from = values.kind === "fixed" ? index * values.width : (values.offsets[index] ?? 0) + 4;
  const end = values.kind === "fixed" ? from + values.width : (values.offsets[index + 1] ?? 0);
  return Buffer.from(buffer, byteOffset + from, end - from);
}

/** Compares a bound with a value of the column; NaN where one of them is. */
function comparerOf({ shape }: Leaf, order: NonNullable<ValueOrder>): Compare {
  if (order === "decimal") return compareDecimals;
  if (order === "bytes" || order === "text") return Buffer.compare;
  return (left, right) => {
    const [one, other] = [toNumber(left, shape.width, order), toNumber(right, shape.width, order)];
    return one < other ? -1 : one > other ? 1 : one === other ? 0 : Number.NaN;
  };
}

function toNumber(bytes: Buffer, width: number, order: ValueOrder): number | bigint {
  if (width === 1) return bytes.readUInt8();
  if (order === "float") return width === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
  if (width === 4) return order === "signed" ? bytes.readInt32LE() : bytes.readUInt32LE();
  return order === "signed" ? bytes.readBigInt64LE() : bytes.readBigUInt64LE();
}

/** Decimals are big-endian numbers in two's complement (LogicalTypes.md, "DECIMAL"). */
function compareDecimals(left: Buffer, right: Buffer): number {
  const [one, other] = [toInteger(left), toInteger(right)];
  return one < other ? -1 : one > other ? 1 : 0;
}

function toInteger(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString("hex")}`));
}

function toStruct(value: ThriftValue | undefined): ThriftStruct | undefined {
  return typeof value === "object" && "fields" in value ? value : undefined;
}
