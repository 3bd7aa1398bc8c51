/**
 * The types that Parquet does not have and that Arrow writers keep in the file's metadata: a schema of all columns by position,
 * as an encapsulated IPC message in base64 (https://arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format";
 * tables, fields and type ids as in Message.fbs and Schema.fbs). Only what is needed of it is read.
 */
import { describeType } from "./column-type.ts";
import type { Column, Footer } from "./footer.ts";
import { PhysicalType } from "./gather/shape.ts";

/** A column whose Arrow type is lost where only its Parquet type is kept. */
export interface LostType {
  readonly column: Column;
  /** In Arrow's words: "duration[us]", "dictionary", "timestamp[us, Europe/London]". */
  readonly from: string;
  /** In Parquet's words: "INT64", "BYTE_ARRAY (STRING)". */
  readonly to: string;
}

/** The metadata is damaged, or describes other columns. */
export class ArrowSchemaError extends Error {}

/**
 * The columns of a file whose types are durations, dictionaries (categoricals) or timestamps of another zone than UTC. Looks at
 * top-level columns only; none where the file has no Arrow schema.
 * @throws ArrowSchemaError
 */
export function findLostTypes({ columns, keyValues }: Pick<Footer, "columns" | "keyValues">): LostType[] {
  const encoded = keyValues["ARROW:schema"];
  if (encoded === undefined) return [];
  const fields = readFields(Buffer.from(encoded, "base64"));
  if (fields.length !== columns.length || fields.some(({ name }, index) => name !== columns[index]?.name))
    throw new ArrowSchemaError("it describes other columns than the file has");
  return columns.flatMap((column, index) => {
    const from = fields[index]?.lost;
    // pyarrow restores only dictionaries of texts: it reads any other as its plain values also where the schema is there.
    if (from === undefined || (from === dictionary && column.elements[0]?.type !== PhysicalType.byteArray)) return [];
    const to = from.startsWith("timestamp") ? `${describeType(column)} in UTC` : describeType(column);
    return [{ column, from, to }];
  });
}

/** A field of the schema, and its type if Parquet does not have it. */
interface ArrowField {
  readonly name: string;
  readonly lost: string | undefined;
}

const dictionary = "dictionary";
/** Message.header_type of a schema. */
const schemaHeader = 1;
/** Members of the union Type. */
const timestampType = 10;
const durationType = 18;

/** Members of the enum TimeUnit. */
const units = ["s", "ms", "us", "ns"] as const;
/** The unit of a duration that states none. */
const milliseconds = 1;

/** Time zones that are UTC by another name. */
const utcNames: ReadonlySet<string> = new Set(["UTC", "Etc/UTC", "Z", "+00:00", "+0000", "Zulu", "Etc/Zulu"]);

function readFields(bytes: Uint8Array): ArrowField[] {
  const tables = new Flatbuffer(bytes);
  const message = tables.root();
  if (tables.byte(message, 1) !== schemaHeader) throw new ArrowSchemaError("it is not a schema");
  const schema = tables.table(message, 2);
  const fields = schema === undefined ? [] : tables.tables(schema, 1);
  return fields.map((field) => ({ name: tables.text(field, 0) ?? "", lost: lostType(tables, field) }));
}

function lostType(tables: Flatbuffer, field: number): string | undefined {
  if (tables.table(field, 4) !== undefined) return dictionary;
  const id = tables.byte(field, 2);
  if (id !== timestampType && id !== durationType) return undefined;
  const type = tables.table(field, 3);
  if (type === undefined) throw new ArrowSchemaError("a field lacks its type");
  const unit = units[tables.short(type, 0) ?? (id === durationType ? milliseconds : 0)];
  if (unit === undefined) throw new ArrowSchemaError("a time unit is unknown");
  if (id === durationType) return `duration[${unit}]`;
  const zone = tables.text(type, 1) ?? "";
  return zone === "" || utcNames.has(zone) ? undefined : `timestamp[${unit}, ${zone}]`;
}

/**
 * Reads tables of a FlatBuffer (https://flatbuffers.dev/internals/) whose bytes may be damaged: every offset is checked. A table
 * is its position; fields are counted from 0 and undefined where they are absent.
 * @throws ArrowSchemaError from every method
 */
class Flatbuffer {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** Bytes of text that may still be read: damaged offsets can name the same text over and over. */
  #textLeft: number;

  /** `message`: an encapsulated IPC message, with or without the marker that writers put before its length since Arrow 0.15. */
  constructor(message: Uint8Array) {
    const prefixed = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const marked = message.byteLength >= 4 && prefixed.getUint32(0, true) === 0xffff_ffff;
    this.#bytes = message.subarray(marked ? 8 : 4);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#textLeft = 4 * this.#bytes.length;
  }

  root(): number {
    return this.#follow(0);
  }

  byte(table: number, field: number): number | undefined {
    const at = this.#locate(table, field);
    return at === undefined ? undefined : this.#read(at, 1).getUint8(at);
  }

  short(table: number, field: number): number | undefined {
    const at = this.#locate(table, field);
    return at === undefined ? undefined : this.#read(at, 2).getInt16(at, true);
  }

  table(table: number, field: number): number | undefined {
    const at = this.#locate(table, field);
    return at === undefined ? undefined : this.#follow(at);
  }

  tables(table: number, field: number): number[] {
    const vector = this.table(table, field);
    if (vector === undefined) return [];
    const length = this.#uint32(vector);
    this.#read(vector + 4, 4 * length);
    return Array.from({ length }, (_, index) => this.#follow(vector + 4 + 4 * index));
  }

  text(table: number, field: number): string | undefined {
    const at = this.table(table, field);
    if (at === undefined) return undefined;
    const length = this.#uint32(at);
    this.#read(at + 4, length);
    this.#textLeft -= length;
    if (this.#textLeft < 0) throw new ArrowSchemaError("its texts are longer than the whole");
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes.subarray(at + 4, at + 4 + length));
  }

  /** Position of a field, by the table's vtable. */
  #locate(table: number, field: number): number | undefined {
    const vtable = table - this.#read(table, 4).getInt32(table, true);
    const size = this.#read(vtable, 2).getUint16(vtable, true);
    const entry = 4 + 2 * field;
    if (entry + 2 > size) return undefined;
    const offset = this.#read(vtable + entry, 2).getUint16(vtable + entry, true);
    return offset === 0 ? undefined : table + offset;
  }

  /** The position that an offset names, counted from its own. */
  #follow(at: number): number {
    return at + this.#uint32(at);
  }

  #uint32(at: number): number {
    return this.#read(at, 4).getUint32(at, true);
  }

  /** The view, of which these bytes may be read. */
  #read(at: number, bytes: number): DataView {
    if (at < 0 || at + bytes > this.#view.byteLength) throw new ArrowSchemaError("its offsets leave its bytes");
    return this.#view;
  }
}
