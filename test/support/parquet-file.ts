/** Parquet files of any stored values under any schema element: written from the format's text, through no library. */
import { writeFileSync } from "node:fs";
import { type ThriftField, type ThriftStruct, ThriftType, type ThriftValue } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";
import { type Entry, encodeChunk } from "./pages.ts";

/** A flat column: `values` as they are stored, null where a row has none. */
export interface StoredColumn {
  readonly name: string | Uint8Array;
  /** Physical type (parquet.thrift, enum Type). */
  readonly type: number;
  readonly values: readonly (Buffer | null)[];
  readonly typeLength?: number;
  /** Optional unless it is said to be required. */
  readonly required?: boolean;
  readonly converted?: number;
  readonly scale?: number;
  readonly precision?: number;
  /** The member of the union LogicalType, and its fields. */
  readonly logical?: readonly [id: number, fields?: readonly ThriftField[]];
  readonly encoding?: number;
  readonly codec?: number;
  readonly checksum?: boolean;
  /** parquet.thrift, Statistics; no statistics unless given. */
  readonly statistics?: ThriftStruct;
}

/** An optional group of required columns, such as VARIANT: null where its columns are. */
export interface StoredGroup {
  readonly name: string;
  readonly logical?: StoredColumn["logical"];
  readonly children: readonly StoredColumn[];
}

export interface FileOptions {
  /** Rows of each row group; all in one unless given. */
  readonly groupRows?: number;
  /** Whether the footer states a type-defined order for each column, as all writers of today do. */
  readonly orders?: boolean;
}

/** A leaf with what its pages need. */
interface StoredLeaf {
  readonly column: StoredColumn;
  readonly path: readonly Uint8Array[];
  readonly maxDefinition: number;
}

const magic = Buffer.from("PAR1");

/** Writes the columns, which have the same number of rows, in row groups of one page a column. */
export function writeStored(
  path: string,
  columns: readonly (StoredColumn | StoredGroup)[],
  options?: FileOptions,
): void {
  const { groupRows = Number.MAX_SAFE_INTEGER, orders = true } = options ?? {};
  const leaves = columns.flatMap(leavesOf);
  const rows = leaves[0]?.column.values.length ?? 0;
  const parts: Buffer[] = [magic];
  let at = magic.length;
  const groups: ThriftStruct[] = [];
  for (let from = 0; from < rows; from += groupRows) {
    const end = Math.min(rows, from + groupRows);
    const chunks = leaves.map((leaf) => {
      const { bytes, uncompressed } = encodeLeaf(leaf, from, end);
      const chunk = describeChunk(leaf, { start: at, size: bytes.length, uncompressed, values: end - from });
      parts.push(bytes);
      at += bytes.length;
      return chunk;
    });
    groups.push({ fields: [list(1, ThriftType.struct, chunks), i64(2, at), i64(3, end - from)] });
  }
  const footer = new ThriftWriter();
  const elements = columns.flatMap(describeElements);
  const root = { fields: [text(4, "schema"), i32(5, columns.length)] };
  footer.writeStruct({
    fields: [
      i32(1, 2),
      list(2, ThriftType.struct, [root, ...elements]),
      i64(3, rows),
      list(4, ThriftType.struct, groups),
      ...(orders
        ? [
            list(
              7,
              ThriftType.struct,
              leaves.map(() => union(1)),
            ),
          ]
        : []),
    ],
  });
  const bytes = footer.bytes();
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  writeFileSync(path, Buffer.concat([...parts, bytes, length, magic]));
}

function leavesOf(column: StoredColumn | StoredGroup): StoredLeaf[] {
  const name = Buffer.from(column.name);
  if ("children" in column)
    return column.children.map((child) => ({
      column: child,
      path: [name, Buffer.from(child.name)],
      maxDefinition: 1,
    }));
  return [{ column, path: [name], maxDefinition: column.required === true ? 0 : 1 }];
}

const widths: Readonly<Record<number, number>> = { 0: 1, 1: 4, 2: 8, 3: 12, 4: 4, 5: 8, 6: 0 };

function encodeLeaf(
  { column, maxDefinition }: StoredLeaf,
  from: number,
  end: number,
): { bytes: Buffer; uncompressed: number } {
  const { type, typeLength = 0, encoding = 0, codec = 0, checksum = false } = column;
  const entries: Entry[] = column.values.slice(from, end).map((value) => ({
    repetition: 0,
    definition: value === null ? 0 : maxDefinition,
    value: value ?? undefined,
  }));
  const sketch = { boolean: type === 0, width: widths[type] ?? typeLength, maxDefinition, maxRepetition: 0 };
  const page = { entries, encoding, version: 1, checksum, oldLevels: false } as const;
  const uncompressed = encodeChunk({ ...sketch, codec: 0 }, [page]).length;
  return { bytes: encodeChunk({ ...sketch, codec }, [page]), uncompressed };
}

function describeChunk(
  { column, path }: StoredLeaf,
  { start, size, uncompressed, values }: { start: number; size: number; uncompressed: number; values: number },
): ThriftStruct {
  const { type, encoding = 0, codec = 0, statistics } = column;
  const fields = [
    i32(1, type),
    list(2, ThriftType.i32, [3, encoding]),
    list(3, ThriftType.binary, path),
    i32(4, codec),
    i64(5, values),
    i64(6, uncompressed),
    i64(7, size),
    i64(9, start),
    ...(statistics === undefined ? [] : [struct(12, statistics)]),
  ];
  return { fields: [i64(2, 0), struct(3, { fields })] };
}

function describeElements(column: StoredColumn | StoredGroup): ThriftStruct[] {
  if (!("children" in column)) return [describeElement(column)];
  const { name, logical, children } = column;
  const fields = [i32(3, 1), text(4, name), i32(5, children.length), ...logicalOf(logical)];
  return [{ fields }, ...children.map((child) => describeElement({ ...child, required: true }))];
}

function describeElement(column: StoredColumn): ThriftStruct {
  const { name, type, typeLength, required = false, converted, scale, precision, logical } = column;
  const optional = (id: number, value: number | undefined) => (value === undefined ? [] : [i32(id, value)]);
  return {
    fields: [
      i32(1, type),
      ...optional(2, typeLength),
      i32(3, required ? 0 : 1),
      { id: 4, type: ThriftType.binary, value: Buffer.from(name) },
      ...optional(6, converted),
      ...optional(7, scale),
      ...optional(8, precision),
      ...logicalOf(logical),
    ],
  };
}

function logicalOf(logical: StoredColumn["logical"]): ThriftField[] {
  return logical === undefined ? [] : [struct(10, union(...logical))];
}

/** A union of Thrift: a struct with one field, which is a struct. */
export function union(id: number, fields: readonly ThriftField[] = []): ThriftStruct {
  return { fields: [struct(id, { fields })] };
}

export function struct(id: number, value: ThriftStruct): ThriftField {
  return { id, type: ThriftType.struct, value };
}

export function flag(id: number, value: boolean): ThriftField {
  return { id, type: value ? ThriftType.true : ThriftType.false, value };
}

export function i32(id: number, value: number): ThriftField {
  return { id, type: ThriftType.i32, value };
}

export function i64(id: number, value: number | bigint): ThriftField {
  return { id, type: ThriftType.i64, value: BigInt(value) };
}

export function bytes(id: number, value: Uint8Array): ThriftField {
  return { id, type: ThriftType.binary, value };
}

function text(id: number, value: string): ThriftField {
  return bytes(id, Buffer.from(value));
}

function list(id: number, elementType: number, items: readonly ThriftValue[]): ThriftField {
  return { id, type: ThriftType.list, value: { elementType, items } };
}

/** Stored values of numbers, least significant byte first. */
export const stored = {
  int32(value: number): Buffer {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32LE(value);
    return buffer;
  },
  int64(value: number | bigint): Buffer {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
    return buffer;
  },
  double(value: number): Buffer {
    const buffer = Buffer.alloc(8);
    buffer.writeDoubleLE(value);
    return buffer;
  },
  /** INT96: nanoseconds of the day, and the Julian day. */
  int96(nanoseconds: bigint, julianDay: number): Buffer {
    const buffer = Buffer.alloc(12);
    buffer.writeBigInt64LE(nanoseconds);
    buffer.writeInt32LE(julianDay, 8);
    return buffer;
  },
};
