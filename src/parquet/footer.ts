/**
 * The footer of a Parquet file: FileMetaData between the column chunks and the trailing length and magic.
 * Rules: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift ; field numbers below are its.
 */

import type { ThriftStruct, ThriftValue } from "./thrift/thrift.ts";

/** A node of the schema, in the file's depth-first order; `raw` keeps the fields that this program does not read. */
export interface SchemaElement {
  readonly name: string;
  /** Physical type; undefined for groups. */
  readonly type: number | undefined;
  readonly typeLength: number;
  /** 0 required, 1 optional, 2 repeated. */
  readonly repetition: number;
  readonly children: number;
  readonly convertedType: number | undefined;
  readonly precision: number;
  readonly logicalType: ThriftStruct | undefined;
  /** The SchemaElement as it was encoded: ten times smaller than its tree, and there is one for every column. */
  readonly raw: Uint8Array;
}

/** A top-level column: a primitive, or a group with everything below it. */
export interface Column {
  readonly name: string;
  /** Its elements, itself first. */
  readonly elements: readonly SchemaElement[];
  /** Index of its first leaf, and how many it has (1 for a flat column). */
  readonly firstLeaf: number;
  readonly leaves: number;
  readonly nested: boolean;
}

/** A column and the name that it has in another file. */
export interface NamedColumn {
  readonly column: Column;
  readonly name: string;
}

/** Columns under their own names. */
export function keepNames(columns: readonly Column[]): NamedColumn[] {
  return columns.map((column) => ({ column, name: column.name }));
}

/** The chunks of some columns, row group by row group; row groups without rows have none. */
export function chunksOf({ rowGroups }: Footer, columns: readonly Column[]): ColumnChunk[] {
  return rowGroups
    .filter((group) => group.rows > 0)
    .flatMap((group) => columns.flatMap(({ firstLeaf, leaves }) => group.chunks.slice(firstLeaf, firstLeaf + leaves)));
}

/** Where one column's pages of one row group lie. Offsets and sizes in bytes. */
export interface ColumnChunk {
  readonly path: readonly string[];
  readonly type: number;
  readonly codec: number;
  /** Encodings of values and levels (parquet.thrift, enum Encoding). */
  readonly encodings: readonly number[];
  readonly values: number;
  /** First byte: the dictionary page's where there is one. */
  readonly start: number;
  readonly size: number;
  readonly uncompressedSize: number;
  /** Bytes of all byte arrays without their lengths (SizeStatistics.unencoded_byte_array_data_bytes), where the writer says. */
  readonly unencodedBytes?: number;
  readonly encrypted: boolean;
  /** Set when the pages lie in another file. */
  readonly elsewhere: boolean;
  /** The ColumnChunk as it was encoded. */
  readonly raw: Uint8Array;
}

export interface RowGroup {
  readonly rows: number;
  readonly chunks: readonly ColumnChunk[];
}

export interface Footer {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly rowGroups: readonly RowGroup[];
  /** One ColumnOrder a leaf; undefined where the writer stated none (statistics then have no defined order). */
  readonly columnOrders: readonly ThriftValue[] | undefined;
  readonly keyValues: Readonly<Record<string, string>>;
  readonly encrypted: boolean;
}

/** The fixed end of every Parquet file: 4 bytes length of FileMetaData, 4 bytes magic. */
export const trailerBytes = 8;
export const magic: Uint8Array = new TextEncoder().encode("PAR1");
/** The magic of a file whose footer is encrypted (Parquet Modular Encryption, section 5.2). */
export const encryptedMagic: Uint8Array = new TextEncoder().encode("PARE");
