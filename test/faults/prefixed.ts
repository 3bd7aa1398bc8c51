/** Checkpoints of texts in DELTA_BYTE_ARRAY that share nearly all of their bytes: small files of large values. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ColumnChunk, SchemaElement } from "../../src/parquet/footer.ts";
import { FooterBuilder } from "../../src/parquet/footer-builder.ts";
import { describeChunk } from "../../src/parquet/gather/metadata.ts";
import { leavesOf } from "../../src/parquet/gather/shape.ts";
import { type ThriftField, ThriftType } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";
import { encodeChunk } from "../support/pages.ts";

export interface PrefixedShape {
  readonly rows: number;
  readonly tables: number;
  /** Bytes that all texts share. */
  readonly prefix: number;
  /** Which column has them; the other one has integers. */
  readonly texts: "key" | "values";
  readonly groupRows?: number;
}

interface StoredColumn {
  readonly name: string;
  readonly texts: boolean;
  readonly values: readonly Buffer[];
}

/** Writes `<out>/audusd` in that shape; its feature tables lack the first rows of the targets. */
export function makePrefixed(out: string, shape: PrefixedShape): void {
  const folder = join(out, "audusd");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "_COMPLETE"), "");
  write(join(folder, "targets.parquet"), [makeColumn("interval_time", shape, 0), integers("y", shape.rows, 0)], shape);
  for (let table = 1; table <= shape.tables; table += 1) {
    const missing = 10 * table;
    const values = shape.texts === "values" ? texts("x", shape, missing) : integers("x", shape.rows, missing);
    write(join(folder, `t${table}.parquet`), [makeColumn("interval_time", shape, missing), values], shape);
  }
}

function makeColumn(name: string, shape: PrefixedShape, missing: number): StoredColumn {
  return shape.texts === "key" ? texts(name, shape, missing) : integers(name, shape.rows, missing);
}

function texts(name: string, { rows, prefix }: PrefixedShape, missing: number): StoredColumn {
  const start = "p".repeat(prefix);
  const values = Array.from({ length: rows - missing }, (_, row) =>
    Buffer.from(start + String(row + missing).padStart(8, "0")),
  );
  return { name, texts: true, values };
}

function integers(name: string, rows: number, missing: number): StoredColumn {
  const values = Array.from({ length: rows - missing }, (_, row) => {
    const value = Buffer.alloc(8);
    value.writeBigInt64LE(BigInt(row + missing));
    return value;
  });
  return { name, texts: false, values };
}

function write(path: string, columns: readonly StoredColumn[], { groupRows }: PrefixedShape): void {
  const rows = columns[0]?.values.length ?? 0;
  const size = groupRows ?? rows;
  const layout = Array.from({ length: Math.ceil(rows / size) }, (_, group) => Math.min(size, rows - group * size));
  const parts: Buffer[] = [Buffer.from("PAR1")];
  const footer = new FooterBuilder(layout);
  let at = 4;
  for (const column of columns) {
    const { name } = column;
    const alone = { name, elements: [describeElement(column)], firstLeaf: 0, leaves: 1, nested: false };
    const chunks: ColumnChunk[][] = [];
    for (const [group, count] of layout.entries()) {
      const { bytes, chunk } = encode(column, alone, group * size, count, at);
      chunks.push([chunk]);
      parts.push(bytes);
      at += bytes.length;
    }
    const rowGroups = layout.map((count, group) => ({ rows: count, chunks: chunks[group] ?? [] }));
    const source = { rows, columns: [alone], rowGroups, columnOrders: undefined, keyValues: {}, encrypted: false };
    footer.addColumn(source, { column: alone, name }, () => 0);
  }
  writeFileSync(path, Buffer.concat([...parts, footer.build("test")]));
}

function encode(
  { texts: isText, values }: StoredColumn,
  column: Parameters<typeof leavesOf>[0],
  from: number,
  count: number,
  start: number,
): { readonly bytes: Buffer; readonly chunk: ColumnChunk } {
  const [shape] = leavesOf(column);
  if (shape === undefined) throw new Error("a column without a leaf");
  const entries = values.slice(from, from + count).map((value) => ({ repetition: 0, definition: 1, value }));
  const encoding = isText ? 7 : 0;
  const page = { entries, encoding, version: 1, checksum: false, oldLevels: false } as const;
  const sketch = { boolean: false, width: isText ? 0 : 8, maxDefinition: 1, maxRepetition: 0 };
  const bytes = encodeChunk({ ...sketch, codec: 1 }, [page]);
  const uncompressedSize = encodeChunk({ ...sketch, codec: 0 }, [page]).length;
  const gathered = {
    values: count,
    nulls: 0,
    bounds: { minimum: undefined, maximum: undefined },
    dictionaryBytes: 0,
    size: bytes.length,
    uncompressedSize,
    encodings: [3, encoding],
    codec: 1,
  };
  return { bytes, chunk: describeChunk(gathered, shape, start) };
}

/** An optional column of INT64, or of texts (BYTE_ARRAY, converted type UTF8). */
function describeElement({ name, texts: isText }: StoredColumn): SchemaElement {
  const i32 = (id: number, value: number): ThriftField => ({ id, type: ThriftType.i32, value });
  const type = isText ? 6 : 2;
  const writer = new ThriftWriter();
  writer.writeStruct({
    fields: [
      i32(1, type),
      i32(3, 1),
      { id: 4, type: ThriftType.binary, value: Buffer.from(name) },
      ...(isText ? [i32(6, 0)] : []),
    ],
  });
  return {
    name,
    type,
    typeLength: 0,
    repetition: 1,
    children: 0,
    convertedType: isText ? 0 : undefined,
    precision: 0,
    logicalType: undefined,
    raw: writer.bytes(),
  };
}
