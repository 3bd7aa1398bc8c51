import { isKnownEncoding } from "./encoding/encoding.ts";
import { type Column, chunksOf, type Footer, type SchemaElement } from "./footer.ts";
import { isKnownCodec } from "./page/codec.ts";
import { field } from "./thrift/thrift.ts";

/** Physical types (parquet.thrift, enum Type). */
const physical = [
  "BOOLEAN",
  "INT32",
  "INT64",
  "INT96",
  "FLOAT",
  "DOUBLE",
  "BYTE_ARRAY",
  "FIXED_LEN_BYTE_ARRAY",
] as const;

/** Converted types that mark something Polars has no type for (parquet.thrift, enum ConvertedType). */
const interval = 21;
const decimal = 5;
/** Fields of the LogicalType union. */
const logicalDecimal = 5;
/** Polars holds decimals in 128 bits. */
const maximumPrecision = 38;

/** A column's type in the format's words: "DOUBLE", "FIXED_LEN_BYTE_ARRAY(16)", "nested". */
export function describeType(column: Column): string {
  const element = column.elements[0];
  if (column.nested || element?.type === undefined) return "nested";
  const name = physical[element.type] ?? `type ${element.type}`;
  return name === "FIXED_LEN_BYTE_ARRAY" ? `${name}(${element.typeLength})` : name;
}

/**
 * Why the rows of a column cannot be gathered: an encoding or a codec that this program does not know, or a physical type
 * of the future. Undefined where they can.
 */
export function whyNotGathered(footer: Footer, column: Column): string | undefined {
  const leaves = column.elements.filter(({ type }) => type !== undefined);
  const strange = leaves.find(
    ({ type = -1, typeLength }) => !(type in physical) || (type === fixedLength && typeLength <= 0),
  );
  if (strange !== undefined) return `physical type ${strange.type}`;
  for (const chunk of chunksOf(footer, [column])) {
    const encoding = chunk.encodings.find((candidate) => !isKnownEncoding(candidate));
    if (encoding !== undefined) return `encoding ${encoding}`;
    if (!isKnownCodec(chunk.codec)) return `codec ${chunk.codec}`;
  }
  return undefined;
}

/** Position of FIXED_LEN_BYTE_ARRAY among the physical types. */
const fixedLength = 7;

/** Whether Polars decodes the column without changing what its values mean. */
export function canBeDecoded(column: Column): boolean {
  const element = column.elements[0];
  if (column.nested || element?.type === undefined || element.convertedType === interval) return false;
  if (isDecimal(element)) return element.precision <= maximumPrecision;
  const name = physical[element.type];
  return name !== undefined && name !== "FIXED_LEN_BYTE_ARRAY";
}

function isDecimal(element: SchemaElement): boolean {
  return element.convertedType === decimal || field(element.logicalType, logicalDecimal) !== undefined;
}

const widths: Readonly<Record<string, number>> = {
  BOOLEAN: 1,
  INT32: 8,
  INT64: 8,
  INT96: 8,
  FLOAT: 8,
  DOUBLE: 8,
  BYTE_ARRAY: 16,
  FIXED_LEN_BYTE_ARRAY: 16,
};

/** Bytes that `rows` decoded values of a flat column take at most: fixed width, or a view of 16 bytes and the text behind it. */
function decodedBytes(column: Column, rows: number, uncompressedBytes: number): number {
  const name = physical[column.elements[0]?.type ?? 6] ?? "BYTE_ARRAY";
  const text = name === "BYTE_ARRAY" ? uncompressedBytes : 0;
  // One bit a row says which values are null.
  return rows * (widths[name] ?? 16) + Math.ceil(rows / 8) + text;
}

/** Bytes that all values of a column take at most once decoded. */
export function decodedSize(footer: Footer, column: Column): number {
  const parts = footer.rowGroups.flatMap((group) =>
    group.chunks
      .slice(column.firstLeaf, column.firstLeaf + column.leaves)
      .map((chunk) => decodedBytes(column, group.rows, chunk.uncompressedSize)),
  );
  return parts.reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of a column's encoded chunks. */
export function encodedSize(footer: Footer, column: Column): number {
  return chunksOf(footer, [column]).reduce((sum, chunk) => sum + chunk.size, 0);
}
