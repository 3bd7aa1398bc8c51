/**
 * A new footer over column chunks that were written elsewhere: every chunk's metadata is copied field by field, only
 * its offsets and its name change. The rules follow what arrow-rs `append_column` and parquet-java
 * `appendColumnChunk` do: data, dictionary and index page offsets move by one delta; page indexes and bloom filters
 * lie outside the chunk and are left out; statistics are copied or left out, never changed.
 */
import { type ColumnChunk, type Footer, magic, type NamedColumn, type SchemaElement } from "./footer.ts";
import { ThriftReader } from "./thrift/reader.ts";
import { field, type ThriftStruct, ThriftType, type ThriftValue, withFields } from "./thrift/thrift.ts";
import { ThriftWriter } from "./thrift/writer.ts";

/** ColumnOrder.TYPE_ORDER: values are ordered as their type says. */
export const typeDefinedOrder: ThriftStruct = { fields: [{ id: 1, type: ThriftType.struct, value: { fields: [] } }] };

/** Collects columns of equal row groups. Each is encoded at once: about 100 bytes a chunk, the size of the footer itself. */
export class FooterBuilder {
  readonly #rowGroups: readonly RowGroupBuilder[];
  readonly #elements = new ThriftWriter();
  readonly #orders = new ThriftWriter();
  #elementCount = 0;
  #leafCount = 0;
  #columns = 0;

  /** @param rowGroups rows of each row group of the new file. */
  constructor(rowGroups: readonly number[]) {
    this.#rowGroups = rowGroups.map((rows) => new RowGroupBuilder(rows));
  }

  /**
   * Adds one column of `source` under its new name; its chunk of row group i starts `delta(chunk)` bytes
   * further on in the new file than it did in the source.
   */
  addColumn(source: Footer, { column, name }: NamedColumn, delta: (chunk: ColumnChunk) => number): void {
    const groups = source.rowGroups.filter((group) => group.rows > 0);
    if (groups.length !== this.#rowGroups.length)
      throw new Error(`${groups.length} row groups where ${this.#rowGroups.length} are laid out`);
    this.#columns += 1;
    for (const [index, element] of column.elements.entries()) this.#addElement(element, index === 0 ? name : undefined);
    for (let leaf = column.firstLeaf; leaf < column.firstLeaf + column.leaves; leaf += 1) {
      const order = source.columnOrders?.[leaf];
      this.#orders.writeValue(ThriftType.struct, order ?? typeDefinedOrder);
      this.#leafCount += 1;
      for (const [index, rowGroup] of this.#rowGroups.entries()) {
        const chunk = groups[index]?.chunks[leaf];
        if (chunk === undefined) throw new Error(`no chunk of ${column.name} in row group ${index}`);
        rowGroup.add(chunk, name, delta(chunk), order !== undefined);
      }
    }
  }

  /** Everything after the last chunk: the footer, its length and the magic. */
  build(createdBy: string, keyValues: Readonly<Record<string, string>> = {}): Buffer {
    const writer = new ThriftWriter();
    writer.writeFieldHeader(1, ThriftType.i32, 0);
    writer.writeValue(ThriftType.i32, 2);
    writer.writeFieldHeader(2, ThriftType.list, 1);
    this.#writeSchema(writer);
    writer.writeFieldHeader(3, ThriftType.i64, 2);
    writer.writeValue(ThriftType.i64, BigInt(this.#rowGroups.reduce((sum, group) => sum + group.rows, 0)));
    writer.writeFieldHeader(4, ThriftType.list, 3);
    writer.writeListHeader(ThriftType.struct, this.#rowGroups.length);
    for (const [index, group] of this.#rowGroups.entries()) group.write(writer, index);
    writeKeyValues(writer, createdBy, keyValues);
    writer.writeFieldHeader(7, ThriftType.list, 6);
    writer.writeListHeader(ThriftType.struct, this.#leafCount);
    writer.writeRaw(this.#orders.bytes());
    writer.writeStop();
    return Buffer.concat([writer.bytes(), lengthWord(writer.bytes().length), magic]);
  }

  /** Field ids (field 9) are left out: they are unique per file, so those of two inputs could clash. */
  #addElement(element: SchemaElement, name: string | undefined): void {
    const raw = new ThriftReader(element.raw).readStruct();
    const renamed = name === undefined ? {} : { 4: { type: ThriftType.binary, value: Buffer.from(name) } };
    this.#elements.writeStruct(withFields(raw, { 9: undefined, ...renamed }));
    this.#elementCount += 1;
  }

  #writeSchema(writer: ThriftWriter): void {
    writer.writeListHeader(ThriftType.struct, this.#elementCount + 1);
    writer.writeStruct({
      fields: [
        { id: 4, type: ThriftType.binary, value: Buffer.from("schema") },
        { id: 5, type: ThriftType.i32, value: this.#columns },
      ],
    });
    writer.writeRaw(this.#elements.bytes());
  }
}

/** The encoded column chunks of one row group and their totals. */
class RowGroupBuilder {
  readonly rows: number;
  readonly #chunks = new ThriftWriter();
  #count = 0;
  #start = Number.MAX_SAFE_INTEGER;
  #size = 0;
  #uncompressedSize = 0;

  constructor(rows: number) {
    this.rows = rows;
  }

  add(chunk: ColumnChunk, output: string, delta: number, ordered: boolean): void {
    writeChunk(this.#chunks, chunk, output, delta, ordered);
    this.#count += 1;
    this.#start = Math.min(this.#start, chunk.start + delta);
    this.#size += chunk.size;
    this.#uncompressedSize += chunk.uncompressedSize;
  }

  write(writer: ThriftWriter, ordinal: number): void {
    writer.writeFieldHeader(1, ThriftType.list, 0);
    writer.writeListHeader(ThriftType.struct, this.#count);
    writer.writeRaw(this.#chunks.bytes());
    let last = 1;
    const numbers = { 2: this.#uncompressedSize, 3: this.rows, 5: this.#start, 6: this.#size };
    for (const [id, value] of Object.entries(numbers)) {
      writer.writeFieldHeader(Number(id), ThriftType.i64, last);
      writer.writeValue(ThriftType.i64, BigInt(value));
      last = Number(id);
    }
    // RowGroup.ordinal is an optional i16: it is left out where the number does not fit.
    if (ordinal < 32_768) {
      writer.writeFieldHeader(7, ThriftType.i16, last);
      writer.writeValue(ThriftType.i16, ordinal);
    }
    writer.writeStop();
  }
}

function writeKeyValues(writer: ThriftWriter, createdBy: string, keyValues: Readonly<Record<string, string>>): void {
  const entries = Object.entries(keyValues);
  if (entries.length > 0) {
    writer.writeFieldHeader(5, ThriftType.list, 4);
    writer.writeListHeader(ThriftType.struct, entries.length);
    for (const [key, value] of entries) writer.writeStruct({ fields: [binary(1, key), binary(2, value)] });
  }
  writer.writeFieldHeader(6, ThriftType.binary, entries.length > 0 ? 5 : 4);
  writer.writeValue(ThriftType.binary, Buffer.from(createdBy));
}

function writeChunk(writer: ThriftWriter, chunk: ColumnChunk, output: string, delta: number, ordered: boolean): void {
  const meta = field(new ThriftReader(chunk.raw).readStruct(), 3);
  if (typeof meta !== "object" || !("fields" in meta)) throw new Error(`no metadata of ${chunk.path.join(".")}`);
  writer.writeStruct({
    fields: [
      // ColumnChunk.file_offset is deprecated; the format asks for 0 where only the footer has metadata.
      { id: 2, type: ThriftType.i64, value: 0n },
      { id: 3, type: ThriftType.struct, value: moveMetadata(meta, output, delta, ordered) },
    ],
  });
}

/**
 * ColumnMetaData moved by `delta` bytes and renamed. Statistics are left out where the source states no column order:
 * without one their order is undefined, and the new footer states one. The bloom filter is left out.
 */
function moveMetadata(meta: ThriftStruct, output: string, delta: number, ordered: boolean): ThriftStruct {
  const path = field(meta, 3);
  const rest = typeof path === "object" && "items" in path ? path.items.slice(1) : [];
  return withFields(meta, {
    3: { type: ThriftType.list, value: { elementType: ThriftType.binary, items: [Buffer.from(output), ...rest] } },
    9: movedOffset(field(meta, 9), delta),
    10: movedOffset(field(meta, 10), delta),
    11: movedOffset(field(meta, 11), delta),
    14: undefined,
    15: undefined,
    ...(ordered ? {} : { 12: undefined }),
  });
}

/** Some writers state an offset of 0 for a page that does not exist. */
function movedOffset(value: ThriftValue | undefined, delta: number): { type: number; value: bigint } | undefined {
  if (typeof value !== "bigint" || value === 0n) return undefined;
  return { type: ThriftType.i64, value: value + BigInt(delta) };
}

function binary(id: number, value: string): { id: number; type: number; value: ThriftValue } {
  return { id, type: ThriftType.binary, value: Buffer.from(value) };
}

function lengthWord(length: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(length);
  return word;
}
