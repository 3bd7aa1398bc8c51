import { isKnownEncoding } from "./encoding/encoding.ts";
import { type Column, chunksOf, type Footer } from "./footer.ts";
import { PhysicalType } from "./gather/shape.ts";
import { describeLogicalType } from "./logical-type.ts";
import { isKnownCodec } from "./page/codec.ts";

/** Names of the physical types (parquet.thrift, enum Type). */
export const physicalTypeNames = [
  "BOOLEAN",
  "INT32",
  "INT64",
  "INT96",
  "FLOAT",
  "DOUBLE",
  "BYTE_ARRAY",
  "FIXED_LEN_BYTE_ARRAY",
] as const;

/** A column's type in the format's words: "DOUBLE", "FIXED_LEN_BYTE_ARRAY(16)", "INT64 (TIME)", "nested". */
export function describeType(column: Column): string {
  const element = column.elements[0];
  if (column.nested || element?.type === undefined) return "nested";
  const name = physicalTypeNames[element.type] ?? `type ${element.type}`;
  const annotation = element.logicalType === undefined ? "" : ` (${describeLogicalType(element.logicalType)})`;
  return `${name === "FIXED_LEN_BYTE_ARRAY" ? `${name}(${element.typeLength})` : name}${annotation}`;
}

/**
 * Why the rows of a column cannot be gathered: an encoding or a codec that this program does not know, or a physical type
 * of the future. Undefined where they can.
 */
export function whyNotGathered(footer: Footer, column: Column): string | undefined {
  const leaves = column.elements.filter(({ type }) => type !== undefined);
  const strange = leaves.find(
    ({ type = -1, typeLength }) =>
      !(type in physicalTypeNames) || (type === PhysicalType.fixedLengthByteArray && typeLength <= 0),
  );
  if (strange !== undefined) return `physical type ${strange.type}`;
  for (const chunk of chunksOf(footer, [column])) {
    const encoding = chunk.encodings.find((candidate) => !isKnownEncoding(candidate));
    if (encoding !== undefined) return `encoding ${encoding}`;
    if (!isKnownCodec(chunk.codec)) return `codec ${chunk.codec}`;
  }
  return undefined;
}

/**
 * Whether Polars decodes the column's stored values as they are, annotations left out (`toPhysical`). It turns INT96 into
 * nanoseconds of 64 bits, which hold the years 1677 to 2262 only; nested columns it takes apart in its own way.
 */
export function canBeDecoded(column: Column): boolean {
  const type = column.elements[0]?.type;
  return !column.nested && type !== undefined && type in physicalTypeNames && physicalTypeNames[type] !== "INT96";
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
  const name = physicalTypeNames[column.elements[0]?.type ?? 6] ?? "BYTE_ARRAY";
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
