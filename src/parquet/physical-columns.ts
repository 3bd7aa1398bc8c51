import { readMetadata } from "./chunk-metadata.ts";
import {
  type Column,
  type ColumnChunk,
  type Footer,
  keepNames,
  type NamedColumn,
  type SchemaElement,
} from "./footer.ts";
import { PhysicalType } from "./gather/shape.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { type ThriftStruct, ThriftType, withFields } from "./thrift/thrift.ts";
import { ThriftWriter } from "./thrift/writer.ts";

/** Floating-point numbers are read as integers of the same bits: a reader then tells -0 from 0 and one NaN from another. */
const integerOf: Readonly<Record<number, number>> = {
  [PhysicalType.float]: PhysicalType.int32,
  [PhysicalType.double]: PhysicalType.int64,
};

/** SchemaElement: the physical type, its length, the repetition and the name (parquet.thrift; field numbers are its). */
const physicalFields: readonly number[] = [1, 2, 3, 4];

/**
 * Flat columns as their stored values alone, under the names "0", "1", …: without annotations, so that a reader interprets
 * nothing, and without statistics. The chunks stay where they are.
 */
export function toPhysical(
  { rows, rowGroups }: Footer,
  columns: readonly Column[],
): { readonly footer: Footer; readonly columns: readonly NamedColumn[] } {
  const own = columns.map(({ elements }, index): Column => {
    const physical = elements.map((element) => toPhysicalElement(element));
    return { name: String(index), elements: physical, firstLeaf: index, leaves: 1, nested: false };
  });
  const groups = rowGroups
    .filter((group) => group.rows > 0)
    .map((group) => ({
      rows: group.rows,
      chunks: columns.map(({ firstLeaf }) => toPhysicalChunk(group.chunks[firstLeaf])),
    }));
  const footer = { rows, columns: own, rowGroups: groups, columnOrders: undefined, keyValues: {}, encrypted: false };
  return { footer, columns: keepNames(own) };
}

function toPhysicalElement(element: SchemaElement): SchemaElement {
  const type = physicalType(element.type);
  const { fields } = new ThriftReader(element.raw).readStruct();
  const kept = fields.filter(({ id }) => physicalFields.includes(id));
  const raw = encode(withFields({ fields: kept }, { 1: { type: ThriftType.i32, value: type } }));
  return { ...element, type, convertedType: undefined, logicalType: undefined, raw };
}

/** Size and geospatial statistics (fields 16 and 17 of ColumnMetaData) are left out with the others, which need an order. */
function toPhysicalChunk(chunk: ColumnChunk | undefined): ColumnChunk {
  if (chunk === undefined) throw new Error("a row group without a chunk of the column");
  const { entry, meta } = readMetadata(chunk);
  const type = physicalType(chunk.type);
  const moved = withFields(meta, { 1: { type: ThriftType.i32, value: type }, 16: undefined, 17: undefined });
  return { ...chunk, type, raw: encode(withFields(entry, { 3: { type: ThriftType.struct, value: moved } })) };
}

function physicalType(type: number | undefined): number {
  if (type === undefined) throw new Error("a group has no physical type");
  return integerOf[type] ?? type;
}

function encode(value: ThriftStruct): Uint8Array {
  const writer = new ThriftWriter();
  writer.writeStruct(value);
  return writer.bytes();
}
