/** Metadata of gathered chunks (parquet.thrift, ColumnMetaData; field numbers are its). */
import type { Column, ColumnChunk, Footer, SchemaElement } from "../footer.ts";
import { ThriftReader } from "../thrift/reader.ts";
import { field, type ThriftField, ThriftType, type ThriftValue, withFields } from "../thrift/thrift.ts";
import { ThriftWriter } from "../thrift/writer.ts";
import type { GatheredChunk } from "./gather.ts";
import type { LeafShape } from "./shape.ts";
import { toStatistics } from "./statistics.ts";

/** The metadata of a chunk of a leaf that starts at byte `start` of the output. */
export function describeChunk(chunk: GatheredChunk, { path, element }: LeafShape, start: number): ColumnChunk {
  const type = element.type ?? -1;
  const { dictionaryBytes, size, uncompressedSize, values, codec } = chunk;
  const fields: ThriftField[] = [
    { id: 1, type: ThriftType.i32, value: type },
    list(2, ThriftType.i32, chunk.encodings),
    list(3, ThriftType.binary, path),
    { id: 4, type: ThriftType.i32, value: codec },
    { id: 5, type: ThriftType.i64, value: BigInt(values) },
    { id: 6, type: ThriftType.i64, value: BigInt(uncompressedSize) },
    { id: 7, type: ThriftType.i64, value: BigInt(size) },
    { id: 9, type: ThriftType.i64, value: BigInt(start + dictionaryBytes) },
    ...(dictionaryBytes > 0 ? [{ id: 11, type: ThriftType.i64, value: BigInt(start) }] : []),
    ...statisticsOf(chunk),
  ];
  const writer = new ThriftWriter();
  writer.writeStruct({ fields: [{ id: 3, type: ThriftType.struct, value: { fields } }] });
  return {
    path: path.map((name) => Buffer.from(name).toString()),
    type,
    codec,
    encodings: chunk.encodings,
    values,
    start,
    size,
    uncompressedSize,
    encrypted: false,
    elsewhere: false,
    raw: writer.bytes(),
  };
}

function statisticsOf({ nulls, bounds }: GatheredChunk): ThriftField[] {
  const statistics = toStatistics(nulls, bounds);
  return statistics.fields.length === 0 ? [] : [{ id: 12, type: ThriftType.struct, value: statistics }];
}

function list(id: number, elementType: number, items: readonly ThriftValue[]): ThriftField {
  return { id, type: ThriftType.list, value: { elementType, items } };
}

/** Whether the values of a leaf are ordered as their type says; where the footer states no order, this one decides. */
export function hasTypeOrder(footer: Footer, leaf: number): boolean {
  const order = footer.columnOrders?.[leaf];
  if (order === undefined) return footer.columnOrders === undefined;
  return typeof order === "object" && "fields" in order && field(order, 1) !== undefined;
}

/** Whether the column can be null in a row as it is: its outermost element is optional or a list. */
export function allowsNull(column: Column): boolean {
  return column.elements[0]?.repetition !== 0;
}

/** The column with its outermost element optional. */
export function makeOptional(column: Column): Column {
  return { ...column, elements: column.elements.map((element, index) => (index === 0 ? optional(element) : element)) };
}

/** SchemaElement.repetition_type OPTIONAL. */
function optional(element: SchemaElement): SchemaElement {
  const writer = new ThriftWriter();
  const raw = new ThriftReader(element.raw).readStruct();
  writer.writeStruct(withFields(raw, { 3: { type: ThriftType.i32, value: 1 } }));
  return { ...element, repetition: 1, raw: writer.bytes() };
}
