/** FileMetaData from its bytes (parquet.thrift; field numbers are its). */
import type { Column, ColumnChunk, Footer, RowGroup, SchemaElement } from "./footer.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { ThriftError, type ThriftStruct, ThriftType, type ThriftValue } from "./thrift/thrift.ts";

/** Names keep a byte order mark at their start. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Limits of what a footer may state, far above any real file: a crafted one of a few megabytes must not take gigabytes.
 * Elements of the schema, column chunks of all row groups, parts of a column's path, encodings of a chunk, and values of one
 * schema element or chunk, nested ones included.
 */
const most = { elements: 1_000_000, chunks: 4_000_000, pathParts: 256, encodings: 256, values: 10_000 };

/**
 * Reads FileMetaData from its bytes. What it does not need is skipped, so time and memory are bounded by the bytes.
 * @throws ThriftError when the bytes are not what the format says.
 */
export function parseFooter(bytes: Uint8Array): Footer {
  const reader = new ThriftReader(bytes);
  let rows: number | undefined;
  let rowGroups: RowGroup[] = [];
  let elements: SchemaElement[] = [];
  let columnOrders: ThriftValue[] | undefined;
  let keyValues: readonly (readonly [string, string])[] = [];
  let encrypted = false;
  visitOnce(reader, "FileMetaData", (id, type) => {
    if (id === 2) elements = readElements(reader, type);
    else if (id === 3) rows = readNumber(reader, type, "num_rows");
    else if (id === 4) rowGroups = readRowGroups(reader, type);
    else if (id === 5) keyValues = readList(reader, type, Number.POSITIVE_INFINITY, readKeyValue);
    else if (id === 7) columnOrders = readOrders(reader, type);
    else {
      encrypted ||= id === 8;
      reader.skipValue(type, 0, true);
    }
  });
  if (columnOrders !== undefined && columnOrders.length > elements.length)
    throw new ThriftError(`${columnOrders.length} column orders for ${elements.length} schema elements`);
  return {
    rows: toNumber(rows, "num_rows"),
    columns: toColumns(elements),
    rowGroups,
    columnOrders,
    keyValues: Object.fromEntries(keyValues),
    encrypted,
  };
}

/**
 * Visits the fields of a struct. A field that comes twice has no meaning: readers differ in which one they take.
 * @throws ThriftError at a field that comes twice
 */
function visitOnce(reader: ThriftReader, name: string, visit: (id: number, type: number) => void): void {
  let seen = 0;
  reader.visitFields((id, type) => {
    // Field numbers of parquet.thrift are below 32; others are unknown, and skipped.
    const bit = id > 0 && id < 32 ? 1 << id : 0;
    if ((seen & bit) !== 0) throw new ThriftError(`${name} with two fields ${id}`);
    seen |= bit;
    visit(id, type);
  });
}

/** Elements of a list of structs. */
function readList<Item>(
  reader: ThriftReader,
  type: number,
  mostItems: number,
  read: (from: ThriftReader) => Item,
): Item[] {
  const size = readListSize(reader, type, ThriftType.struct, mostItems);
  const found: Item[] = [];
  for (let index = 0; index < size; index += 1) found.push(read(reader));
  return found;
}

function readListSize(reader: ThriftReader, type: number, wanted: number, mostItems: number): number {
  if (type !== ThriftType.list) throw new ThriftError(`type ${type} where a list is expected`);
  const { elementType, size } = reader.readListHeader();
  if (size > 0 && elementType !== wanted) throw new ThriftError(`a list of type ${elementType}`);
  if (size > mostItems) throw new ThriftError(`a list of ${size} elements, of which at most ${mostItems} are read`);
  return size;
}

function readNumber(reader: ThriftReader, type: number, name: string): number {
  const value = reader.readValue(checkType(type, name, ThriftType.i16, ThriftType.i32, ThriftType.i64));
  return toNumber(value, name);
}

function readText(reader: ThriftReader, type: number, name: string): string {
  return toText(reader.readValue(checkType(type, name, ThriftType.binary)));
}

function checkType(type: number, name: string, ...allowed: readonly number[]): number {
  if (!allowed.includes(type)) throw new ThriftError(`${name} of type ${type}`);
  return type;
}

function readKeyValue(reader: ThriftReader): readonly [string, string] {
  let key: string | undefined;
  let value = "";
  visitOnce(reader, "KeyValue", (id, type) => {
    if (id === 1) key = readText(reader, type, "KeyValue.key");
    else if (id === 2) value = readText(reader, type, "KeyValue.value");
    else reader.skipValue(type, 0, true);
  });
  if (key === undefined) throw new ThriftError("a KeyValue without a key");
  return [key, value];
}

/** Equal orders are one value: almost always all of them are the type's. */
function readOrders(reader: ThriftReader, type: number): ThriftValue[] {
  const known = new Map<string, ThriftValue>();
  return readList(reader, type, most.elements, () => {
    const from = reader.at;
    const order = reader.limitValues(most.values, () => reader.readStruct());
    if (order.fields.length !== 1) throw new ThriftError("a ColumnOrder that is none");
    const encoded = Buffer.from(reader.bytes.subarray(from, reader.at)).toString("latin1");
    const equal = known.get(encoded) ?? order;
    known.set(encoded, equal);
    return equal;
  });
}

function readRowGroups(reader: ThriftReader, type: number): RowGroup[] {
  let left = most.chunks;
  return readList(reader, type, most.chunks, () => {
    const group = readRowGroup(reader, left);
    left -= group.chunks.length;
    return group;
  });
}

function readRowGroup(reader: ThriftReader, mostChunks: number): RowGroup {
  let rows: number | undefined;
  let chunks: ColumnChunk[] | undefined;
  visitOnce(reader, "RowGroup", (id, type) => {
    if (id === 1) chunks = readList(reader, type, mostChunks, readChunk);
    else if (id === 3) rows = readNumber(reader, type, "RowGroup.num_rows");
    else reader.skipValue(type, 0, true);
  });
  if (chunks === undefined) throw new ThriftError("a RowGroup without columns");
  return { rows: toNumber(rows, "RowGroup.num_rows"), chunks };
}

/** Every chunk without metadata, as a file with an encrypted footer has them. */
const encryptedChunk: ColumnChunk = {
  path: [],
  type: 0,
  codec: 0,
  encodings: [],
  values: 0,
  start: 0,
  size: 0,
  uncompressedSize: 0,
  encrypted: true,
  elsewhere: false,
  raw: new Uint8Array(),
};

function readChunk(reader: ThriftReader): ColumnChunk {
  return reader.limitValues(most.values, () => {
    const from = reader.at;
    let metadata: ChunkMetadata | undefined;
    let encrypted = false;
    let elsewhere = false;
    visitOnce(reader, "ColumnChunk", (id, type) => {
      if (id === 1) elsewhere = readText(reader, type, "file_path") !== "";
      else if (id === 3 && type === ThriftType.struct) metadata = readMetadata(reader);
      else {
        encrypted ||= id === 8 || id === 9;
        reader.skipValue(type, 0, true);
      }
    });
    if (metadata === undefined) return encryptedChunk;
    return { ...metadata, encrypted, elsewhere, raw: reader.bytes.subarray(from, reader.at) };
  });
}

type ChunkMetadata = Omit<ColumnChunk, "encrypted" | "elsewhere" | "raw">;

/** What ColumnMetaData must have, by field number; a number of another width would not survive being moved. */
const requiredTypes: Readonly<Record<number, number>> = {
  1: ThriftType.i32,
  2: ThriftType.list,
  3: ThriftType.list,
  4: ThriftType.i32,
  5: ThriftType.i64,
  6: ThriftType.i64,
  7: ThriftType.i64,
  9: ThriftType.i64,
};
const requiredFields = Object.keys(requiredTypes).map(Number);
/** The index and the dictionary page, which some writers place at 0 for "none". */
const optionalOffsets: readonly number[] = [10, 11];

function readMetadata(reader: ThriftReader): ChunkMetadata {
  const numbers = new Map<number, number>();
  let encodings: number[] | undefined;
  let path: string[] | undefined;
  let unencodedBytes: number | undefined;
  visitOnce(reader, "ColumnMetaData", (id, type) => {
    const isRead = isMetadataRead(id, type);
    if (id === 2) encodings = readEncodings(reader, type);
    else if (id === 3) path = readPath(reader, type);
    else if (isRead) numbers.set(id, readNumber(reader, type, metadataNames[id] ?? ""));
    else if (id === 16 && type === ThriftType.struct) unencodedBytes = readUnencodedBytes(reader);
    else reader.skipValue(type, 0, true);
  });
  const missing = requiredFields.find((id) => id !== 2 && id !== 3 && !numbers.has(id));
  if (missing !== undefined || encodings === undefined || path === undefined)
    throw new ThriftError(`ColumnMetaData without a sound field ${missing ?? (encodings === undefined ? 2 : 3)}`);
  const number = (id: number): number => toNumber(numbers.get(id), metadataNames[id] ?? "");
  const others = optionalOffsets.map((id) => numbers.get(id) ?? 0).filter((offset) => offset > 0);
  return {
    path,
    type: number(1),
    codec: number(4),
    encodings,
    values: number(5),
    start: others.reduce((least, offset) => Math.min(least, offset), number(9)),
    size: number(7),
    uncompressedSize: number(6),
    ...(unencodedBytes === undefined ? {} : { unencodedBytes }),
  };
}

/** Whether the field is one that is read. @throws ThriftError where it has another type than the format's */
function isMetadataRead(id: number, type: number): boolean {
  const wanted = optionalOffsets.includes(id) ? ThriftType.i64 : requiredTypes[id];
  if (wanted !== undefined && wanted !== type) throw new ThriftError(`ColumnMetaData without a sound field ${id}`);
  return wanted !== undefined;
}

const metadataNames: Readonly<Record<number, string>> = {
  1: "type",
  4: "codec",
  5: "num_values",
  6: "total_uncompressed_size",
  7: "total_compressed_size",
  9: "data_page_offset",
  10: "index_page_offset",
  11: "dictionary_page_offset",
};

function readEncodings(reader: ThriftReader, type: number): number[] {
  const size = readListSize(reader, type, ThriftType.i32, most.encodings);
  const found: number[] = [];
  for (let index = 0; index < size; index += 1) found.push(toNumber(reader.readValue(ThriftType.i32), "encoding"));
  return found;
}

function readPath(reader: ThriftReader, type: number): string[] {
  const size = readListSize(reader, type, ThriftType.binary, most.pathParts);
  const found: string[] = [];
  for (let index = 0; index < size; index += 1) found.push(toText(reader.readValue(ThriftType.binary)));
  return found;
}

function readUnencodedBytes(reader: ThriftReader): number | undefined {
  let bytes: number | undefined;
  visitOnce(reader, "SizeStatistics", (id, type) => {
    if (id === 1) bytes = readNumber(reader, type, "unencoded_byte_array_data_bytes");
    else reader.skipValue(type, 0, true);
  });
  return bytes;
}

/** SchemaElement's numbers, by field number. */
const elementNumbers: ReadonlySet<number> = new Set([1, 2, 3, 5, 6, 8]);

function readElements(reader: ThriftReader, type: number): SchemaElement[] {
  let isRoot = true;
  return readList(reader, type, most.elements, () => {
    const element = readElement(reader, isRoot);
    isRoot = false;
    return element;
  });
}

function readElement(reader: ThriftReader, isRoot: boolean): SchemaElement {
  return reader.limitValues(most.values, () => {
    const from = reader.at;
    const numbers = new Map<number, number>();
    let name: string | undefined;
    let logicalType: ThriftStruct | undefined;
    visitOnce(reader, "SchemaElement", (id, type) => {
      if (elementNumbers.has(id)) numbers.set(id, readNumber(reader, type, `SchemaElement field ${id}`));
      else if (id === 4) name = readText(reader, type, "SchemaElement.name");
      else if (id === 10 && type === ThriftType.struct) logicalType = reader.readStruct();
      else reader.skipValue(type, 0, true);
    });
    if (name === undefined) throw new ThriftError("a SchemaElement without a name");
    // Only the root has no repetition_type (parquet.thrift, SchemaElement).
    if (!isRoot && !numbers.has(3)) throw new ThriftError("a SchemaElement without repetition_type");
    checkNumbers(numbers, name);
    return {
      name,
      type: numbers.get(1),
      typeLength: numbers.get(2) ?? 0,
      repetition: numbers.get(3) ?? 0,
      children: numbers.get(5) ?? 0,
      convertedType: numbers.get(6),
      precision: numbers.get(8) ?? 0,
      logicalType,
      raw: reader.bytes.subarray(from, reader.at),
    };
  });
}

/** The numbers of an element that decide how the others are read. @throws ThriftError */
function checkNumbers(numbers: ReadonlyMap<number, number>, name: string): void {
  const {
    type,
    repetition = 0,
    children = 0,
  } = { type: numbers.get(1), repetition: numbers.get(3), children: numbers.get(5) };
  const within = (value: number, last: number): boolean => value >= 0 && value <= last;
  const sound =
    (type === undefined || (within(type, lastType) && children === 0)) &&
    within(repetition, 2) &&
    within(children, most.elements);
  if (sound) return;
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  throw new ThriftError(
    `element ${shown} of type ${type ?? "none"}, repetition ${repetition}, with ${children} children`,
  );
}

/** FIXED_LEN_BYTE_ARRAY (parquet.thrift, enum Type). */
const lastType = 7;

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
