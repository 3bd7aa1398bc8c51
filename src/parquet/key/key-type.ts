import type { KeyCast } from "../../model/settings.ts";
import type { SchemaElement } from "../footer.ts";
import { PhysicalType } from "../gather/shape.ts";
import { field, type ThriftStruct } from "../thrift/thrift.ts";

/** What the values of a key column mean: keys of two tables can be equal only if they mean the same. */
export type KeyType =
  | { readonly family: "integer"; readonly signed: boolean; readonly bits: number }
  /** `text`: written as text, which `parseTimestamp` reads. */
  | { readonly family: "instant"; readonly ticks: bigint; readonly zoned: boolean; readonly text?: true }
  /** INT96: nanoseconds of a day and a Julian day; the format does not say whether they are UTC. */
  | { readonly family: "int96" }
  | { readonly family: "date" }
  | { readonly family: "text" }
  | { readonly family: "binary" };

/** LogicalTypes.md and enum ConvertedType; fields of the union LogicalType. */
const Logical = { string: 1, enum: 4, date: 6, timestamp: 8, integer: 10, uuid: 14 } as const;
const Converted = {
  utf8: 0,
  enum: 4,
  date: 6,
  timestampMillis: 9,
  timestampMicros: 10,
  unsigned8: 11,
  signed64: 18,
} as const;

const perSecond: Readonly<Record<number, bigint>> = { 1: 1000n, 2: 1_000_000n, 3: 1_000_000_000n };
/** Units of instants by their ticks a second. */
export const unitNames: ReadonlyMap<bigint, string> = new Map([
  [1000n, "ms"],
  [1_000_000n, "us"],
  [1_000_000_000n, "ns"],
]);

/**
 * What the column's values mean as keys, read as `cast` says; undefined for types whose equality is not what a person means
 * by it.
 */
export function keyTypeOf(element: SchemaElement, cast: KeyCast = "none"): KeyType | undefined {
  const type = storedType(element);
  return type === undefined ? undefined : castType(type, cast);
}

/** Text becomes nanoseconds; a timestamp without a time zone becomes UTC if the cast says so. */
function castType(type: KeyType, cast: KeyCast): KeyType {
  const zoned = cast === "timestamp-utc";
  if (cast === "none") return type;
  if (type.family === "text") return { family: "instant", ticks: 1_000_000_000n, zoned, text: true };
  return type.family === "instant" && zoned ? { ...type, zoned } : type;
}

function storedType(element: SchemaElement): KeyType | undefined {
  switch (element.type) {
    case PhysicalType.int32:
    case PhysicalType.int64:
      return integerType(element);
    case PhysicalType.int96:
      return { family: "int96" };
    case PhysicalType.byteArray:
    case PhysicalType.fixedLengthByteArray:
      return bytesType(element);
    default:
      return undefined;
  }
}

function integerType(element: SchemaElement): KeyType | undefined {
  const { logicalType, convertedType } = element;
  const bits = element.type === PhysicalType.int32 ? 32 : 64;
  switch (logicalType?.fields[0]?.id) {
    case undefined:
      return convertedInteger(convertedType, bits);
    case Logical.date:
      return { family: "date" };
    case Logical.timestamp:
      return timestampType(struct(logicalType, Logical.timestamp));
    case Logical.integer: {
      const integer = struct(logicalType, Logical.integer);
      const width = field(integer, 1);
      return { family: "integer", signed: field(integer, 2) !== false, bits: typeof width === "number" ? width : bits };
    }
    default:
      return undefined;
  }
}

/** Of files that state no logical type (LogicalTypes.md, "Deprecated timestamp ConvertedType": both are UTC). */
function convertedInteger(converted: number | undefined, bits: number): KeyType | undefined {
  if (converted === undefined) return { family: "integer", signed: true, bits };
  if (converted === Converted.date) return { family: "date" };
  if (converted === Converted.timestampMillis) return { family: "instant", ticks: 1000n, zoned: true };
  if (converted === Converted.timestampMicros) return { family: "instant", ticks: 1_000_000n, zoned: true };
  if (converted < Converted.unsigned8 || converted > Converted.signed64) return undefined;
  const place = converted - Converted.unsigned8;
  return { family: "integer", signed: place >= 4, bits: 8 * 2 ** (place % 4) };
}

function timestampType(timestamp: ThriftStruct | undefined): KeyType | undefined {
  const unit = field(timestamp, 2);
  const ticks = typeof unit === "object" && "fields" in unit ? perSecond[unit.fields[0]?.id ?? 0] : undefined;
  return ticks === undefined ? undefined : { family: "instant", ticks, zoned: field(timestamp, 1) === true };
}

function bytesType({ logicalType, convertedType }: SchemaElement): KeyType | undefined {
  const logical = logicalType?.fields[0]?.id;
  if (logical === Logical.string || logical === Logical.enum) return { family: "text" };
  if (logical === Logical.uuid) return { family: "binary" };
  if (logical !== undefined) return undefined;
  if (convertedType === Converted.utf8 || convertedType === Converted.enum) return { family: "text" };
  return convertedType === undefined ? { family: "binary" } : undefined;
}

function struct(union: ThriftStruct | undefined, id: number): ThriftStruct | undefined {
  const value = field(union, id);
  return typeof value === "object" && "fields" in value ? value : undefined;
}

/** The type in a message: "Datetime(us,UTC)", "Int64", "String". */
export function describeKeyType(type: KeyType): string {
  switch (type.family) {
    case "integer":
      return `${type.signed ? "Int" : "UInt"}${type.bits}`;
    case "instant":
      return `Datetime(${unitNames.get(type.ticks)}${type.zoned ? ",UTC" : ""})`;
    case "int96":
      return "INT96";
    case "date":
      return "Date";
    case "text":
      return "String";
    case "binary":
      return "Binary";
  }
}

/** Why no key of a table can equal one of the targets, as text; undefined where keys can be compared. */
export function whyNotComparable(type: KeyType, targets: KeyType): string | undefined {
  const instants: readonly string[] = ["instant", "int96"];
  const same = type.family === targets.family || (instants.includes(type.family) && instants.includes(targets.family));
  const zones = type.family === "instant" && targets.family === "instant" && type.zoned !== targets.zoned;
  if (same && !zones) return undefined;
  return `type ${describeKeyType(type)} where the targets have ${describeKeyType(targets)}`;
}
