/** How values of a type are ordered (parquet.thrift, union ColumnOrder, TypeDefinedOrder). */
import type { SchemaElement } from "../footer.ts";
import { field } from "../thrift/thrift.ts";
import { PhysicalType } from "./shape.ts";

/** Undefined: the format defines no order for the type, or none that this program knows. */
export type ValueOrder = "signed" | "unsigned" | "float" | "bytes" | "text" | "decimal" | undefined;

/** Fields of the LogicalType union. */
const Logical = {
  string: 1,
  enum: 4,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  integer: 10,
  json: 12,
  bson: 13,
  uuid: 14,
};
/** Members of ConvertedType. */
const Converted = { utf8: 0, enum: 4, decimal: 5, unsigned8: 11, unsigned64: 14, json: 19, bson: 20, interval: 21 };

/** The type-defined order of a leaf. */
export function orderOf(element: SchemaElement): ValueOrder {
  const logical = element.logicalType?.fields[0]?.id;
  switch (element.type) {
    case PhysicalType.boolean:
      return logical === undefined ? "unsigned" : undefined;
    case PhysicalType.int32:
    case PhysicalType.int64:
      return orderOfInteger(element, logical);
    case PhysicalType.float:
    case PhysicalType.double:
      return logical === undefined ? "float" : undefined;
    case PhysicalType.byteArray:
    case PhysicalType.fixedLengthByteArray:
      return orderOfBytes(element, logical);
    default:
      return undefined;
  }
}

function orderOfInteger({ convertedType, logicalType }: SchemaElement, logical: number | undefined): ValueOrder {
  if (logical === Logical.integer) {
    const integer = field(logicalType, Logical.integer);
    const signed = typeof integer === "object" && "fields" in integer ? field(integer, 2) : undefined;
    return signed === undefined ? undefined : signed === false ? "unsigned" : "signed";
  }
  const known: readonly (number | undefined)[] = [
    undefined,
    Logical.decimal,
    Logical.date,
    Logical.time,
    Logical.timestamp,
  ];
  if (!known.includes(logical)) return undefined;
  const unsigned =
    convertedType !== undefined && convertedType >= Converted.unsigned8 && convertedType <= Converted.unsigned64;
  return unsigned ? "unsigned" : "signed";
}

function orderOfBytes({ convertedType }: SchemaElement, logical: number | undefined): ValueOrder {
  if (logical === Logical.decimal || (logical === undefined && convertedType === Converted.decimal)) return "decimal";
  if (logical === undefined) {
    if (convertedType === Converted.interval) return undefined;
    const texts: readonly (number | undefined)[] = [Converted.utf8, Converted.enum, Converted.json];
    return texts.includes(convertedType) ? "text" : "bytes";
  }
  if (logical === Logical.string || logical === Logical.enum || logical === Logical.json) return "text";
  return logical === Logical.bson || logical === Logical.uuid ? "bytes" : undefined;
}
