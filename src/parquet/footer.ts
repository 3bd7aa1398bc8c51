/**
 * The footer of a Parquet file: FileMetaData between the column chunks and the trailing length and magic.
 * Rules: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift ; field numbers below are its.
 */

import { ThriftReader } from "./thrift/reader.ts";
import {
  field,
  ThriftError,
  type ThriftList,
  type ThriftStruct,
  ThriftType,
  type ThriftValue,
} from "./thrift/thrift.ts";

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

/** Names keep a byte order mark at their start. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads FileMetaData from its bytes.
 * @throws ThriftError when the bytes are not what the format says.
 */
export function parseFooter(bytes: Uint8Array): Footer {
  const reader = new ThriftReader(bytes);
  const plain = new Map<number, ThriftValue>();
  let rowGroups: RowGroup[] = [];
  let elements: SchemaElement[] = [];
  reader.visitFields((id, type) => {
    if (id === 2) elements = Array.from({ length: reader.readListHeader().size }, () => readElement(reader));
    else if (id === 4) rowGroups = readRowGroups(reader);
    else plain.set(id, reader.readValue(type, 0, true));
  });
  return {
    rows: toNumber(plain.get(3), "num_rows"),
    columns: toColumns(elements),
    rowGroups,
    columnOrders: plain.has(7) ? items(plain.get(7)).map(toStruct) : undefined,
    keyValues: Object.fromEntries(
      items(plain.get(5)).map((item) => [toText(field(toStruct(item), 1)), toText(field(toStruct(item), 2))]),
    ),
    encrypted: plain.has(8),
  };
}

function readRowGroups(reader: ThriftReader): RowGroup[] {
  const { size } = reader.readListHeader();
  return Array.from({ length: size }, () => readRowGroup(reader));
}

function readRowGroup(reader: ThriftReader): RowGroup {
  let rows = 0;
  let chunks: ColumnChunk[] = [];
  reader.visitFields((id, type) => {
    if (id === 1) chunks = Array.from({ length: reader.readListHeader().size }, () => readChunk(reader));
    else if (id === 3) rows = toNumber(reader.readValue(type, 0, true), "RowGroup.num_rows");
    else reader.readValue(type, 0, true);
  });
  return { rows, chunks };
}

function readChunk(reader: ThriftReader): ColumnChunk {
  const from = reader.at;
  const chunk = reader.readStruct();
  const meta = toOptionalStruct(field(chunk, 3));
  if (meta !== undefined) checkMetadata(meta);
  const unencodedBytes = toCount(field(toOptionalStruct(field(meta, 16)), 1));
  return {
    path: items(field(meta, 3)).map(toText),
    type: toNumber(field(meta, 1) ?? 0, "type"),
    codec: toNumber(field(meta, 4) ?? 0, "codec"),
    encodings: items(field(meta, 2)).map((encoding) => toNumber(encoding, "encoding")),
    values: toNumber(field(meta, 5) ?? 0, "num_values"),
    start: firstPage(meta),
    size: toNumber(field(meta, 7) ?? 0, "total_compressed_size"),
    uncompressedSize: toNumber(field(meta, 6) ?? 0, "total_uncompressed_size"),
    ...(unencodedBytes === undefined ? {} : { unencodedBytes }),
    encrypted: field(chunk, 8) !== undefined || field(chunk, 9) !== undefined || meta === undefined,
    elsewhere: toText(field(chunk, 1)) !== "",
    raw: reader.bytes.subarray(from, reader.at),
  };
}

/** What ColumnMetaData must have, by field number; a number of another width would not survive being moved. */
const requiredTypes: readonly (readonly [number, number])[] = [
  [1, ThriftType.i32],
  [2, ThriftType.list],
  [3, ThriftType.list],
  [4, ThriftType.i32],
  [5, ThriftType.i64],
  [6, ThriftType.i64],
  [7, ThriftType.i64],
  [9, ThriftType.i64],
];
const optionalOffsets: readonly number[] = [10, 11];

function checkMetadata(meta: ThriftStruct): void {
  for (const [id, type] of requiredTypes)
    if (meta.fields.find((entry) => entry.id === id)?.type !== type)
      throw new ThriftError(`ColumnMetaData without a sound field ${id}`);
  for (const { id, type } of meta.fields)
    if (optionalOffsets.includes(id) && type !== ThriftType.i64)
      throw new ThriftError(`an offset of type ${type} in ColumnMetaData`);
}

/** The dictionary or index page comes before the data pages where there is one; some writers say 0 for "none". */
function firstPage(meta: ThriftStruct | undefined): number {
  const data = toNumber(field(meta, 9) ?? 0, "data_page_offset");
  const others = [field(meta, 11), field(meta, 10)].map((value) => toCount(value) ?? 0).filter((offset) => offset > 0);
  return Math.min(data, ...others);
}

function readElement(reader: ThriftReader): SchemaElement {
  const from = reader.at;
  const raw = reader.readStruct();
  return {
    name: toText(field(raw, 4)),
    type: toCount(field(raw, 1)),
    typeLength: toCount(field(raw, 2)) ?? 0,
    repetition: toCount(field(raw, 3)) ?? 0,
    children: toCount(field(raw, 5)) ?? 0,
    convertedType: toCount(field(raw, 6)),
    precision: toCount(field(raw, 8)) ?? 0,
    logicalType: toOptionalStruct(field(raw, 10)),
    raw: reader.bytes.subarray(from, reader.at),
  };
}

function toColumns(elements: readonly SchemaElement[]): Column[] {
  const columns: Column[] = [];
  let leaf = 0;
  for (let at = 1; at < elements.length; ) {
    const end = endOfSubtree(elements, at);
    const own = elements.slice(at, end);
    const leaves = own.filter((element) => element.type !== undefined).length;
    const nested = own.length > 1 || own[0]?.repetition === 2 || leaves === 0;
    columns.push({ name: own[0]?.name ?? "", elements: own, firstLeaf: leaf, leaves, nested });
    leaf += leaves;
    at = end;
  }
  if (columns.length !== (elements[0]?.children ?? 0))
    throw new ThriftError(`a root of ${elements[0]?.children} children with ${columns.length} columns`);
  return columns;
}

function endOfSubtree(elements: readonly SchemaElement[], at: number): number {
  let open = 1;
  let next = at;
  while (open > 0) {
    const element = elements[next];
    if (element === undefined) throw new ThriftError("a schema with fewer elements than its groups count");
    open += element.children - 1;
    next += 1;
  }
  return next;
}

function toStruct(value: ThriftValue): ThriftStruct {
  const struct = toOptionalStruct(value);
  if (struct === undefined) throw new ThriftError("a struct is missing");
  return struct;
}

function toOptionalStruct(value: ThriftValue | undefined): ThriftStruct | undefined {
  return typeof value === "object" && "fields" in value ? value : undefined;
}

function items(value: ThriftValue | undefined): readonly ThriftValue[] {
  return typeof value === "object" && "items" in value ? (value as ThriftList).items : [];
}

function toText(value: ThriftValue | undefined): string {
  return value instanceof Uint8Array ? text.decode(value) : "";
}

function toCount(value: ThriftValue | undefined): number | undefined {
  return typeof value === "bigint" || typeof value === "number" ? Number(value) : undefined;
}

function toNumber(value: ThriftValue | undefined, name: string): number {
  const number = toCount(value);
  if (number === undefined || !Number.isSafeInteger(number)) throw new ThriftError(`${name} is ${number ?? "missing"}`);
  return number;
}

/** The fixed end of every Parquet file: 4 bytes length of FileMetaData, 4 bytes magic. */
export const trailerBytes = 8;
export const magic: Uint8Array = new TextEncoder().encode("PAR1");
/** The magic of a file whose footer is encrypted (Parquet Modular Encryption, section 5.2). */
export const encryptedMagic: Uint8Array = new TextEncoder().encode("PARE");
