/** Changes of Parquet files that know the format: of the footer's and the page headers' Thrift trees, and of bytes of pages. */
import { ThriftReader } from "../../src/parquet/thrift/reader.ts";
import {
  field,
  type ThriftField,
  type ThriftList,
  type ThriftStruct,
  ThriftType,
  type ThriftValue,
  withFields,
} from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";
import type { Dice } from "./fuzz.ts";

/** A file with one to three changes; undefined where the chosen place cannot be changed. */
export function mutateParquet(file: Buffer, dice: Dice): Buffer {
  let changed = file;
  for (let change = dice.below(3); change >= 0; change -= 1)
    changed = dice.pick([changeFooter, changeFooter, changePage, changePage, flipPage, flipAnywhere])(changed, dice);
  return changed;
}

const magicBytes = 4;

function footerStart(file: Buffer): number {
  return file.length - 8 - file.readUInt32LE(file.length - 8);
}

function readFooter(file: Buffer): ThriftStruct | undefined {
  try {
    return new ThriftReader(file.subarray(footerStart(file), file.length - 8)).readStruct();
  } catch {
    // An earlier change may have left none.
    return undefined;
  }
}

function encode(struct: ThriftStruct): Buffer {
  const writer = new ThriftWriter();
  writer.writeStruct(struct);
  return Buffer.from(writer.bytes());
}

function withFooter(data: Uint8Array, footer: ThriftStruct): Buffer {
  const bytes = encode(footer);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([data, bytes, length, Buffer.from("PAR1")]);
}

function changeFooter(file: Buffer, dice: Dice): Buffer {
  const footer = readFooter(file);
  if (footer === undefined) return file;
  return withFooter(file.subarray(0, footerStart(file)), changeStruct(footer, dice));
}

/** Changes one header of a page; everything behind it moves, and the footer is made to fit. */
function changePage(file: Buffer, dice: Dice): Buffer {
  const footer = readFooter(file);
  const place = footer && pickPage(file, footer, dice);
  if (footer === undefined || place === undefined) return file;
  const header = encode(changeStruct(place.header, dice));
  const delta = header.length - (place.end - place.start);
  const data = Buffer.concat([file.subarray(0, place.start), header, file.subarray(place.end, footerStart(file))]);
  return withFooter(data, moveChunks(footer, place, delta));
}

interface PagePlace {
  readonly header: ThriftStruct;
  readonly start: number;
  readonly end: number;
  readonly chunkStart: number;
}

/** The first page of a chunk, or the one behind it. */
function pickPage(file: Buffer, footer: ThriftStruct, dice: Dice): PagePlace | undefined {
  const chunks = listChunks(footer);
  if (chunks.length === 0) return undefined;
  const chunkStart = startOf(dice.pick(chunks));
  try {
    const first = readHeader(file, chunkStart);
    const second = dice.below(2) === 0 ? first : readHeader(file, first.end + Number(field(first.header, 3)));
    return { ...second, chunkStart };
  } catch {
    return undefined;
  }
}

function readHeader(file: Buffer, start: number): Omit<PagePlace, "chunkStart"> {
  const reader = new ThriftReader(file.subarray(0, footerStart(file)), start);
  return { header: reader.readStruct(), start, end: reader.at };
}

function structsOf(struct: ThriftStruct | undefined, id: number): readonly ThriftStruct[] {
  const list = field(struct, id);
  const items = typeof list === "object" && "items" in list ? list.items : [];
  return items.filter((item): item is ThriftStruct => typeof item === "object" && "fields" in item);
}

function structOf(value: ThriftValue | undefined): ThriftStruct | undefined {
  return typeof value === "object" && "fields" in value ? value : undefined;
}

/** ColumnMetaData of all row groups. */
function listChunks(footer: ThriftStruct): ThriftStruct[] {
  const chunks = structsOf(footer, 4).flatMap((group) => structsOf(group, 1));
  return chunks.flatMap((chunk) => structOf(field(chunk, 3)) ?? []);
}

function startOf(metadata: ThriftStruct): number {
  const [data, dictionary] = [Number(field(metadata, 9) ?? 0), Number(field(metadata, 11) ?? 0)];
  return dictionary > 0 ? Math.min(data, dictionary) : data;
}

function moveChunks(footer: ThriftStruct, { start, chunkStart }: PagePlace, delta: number): ThriftStruct {
  const moveChunk = (chunk: ThriftStruct): ThriftStruct => {
    const metadata = structOf(field(chunk, 3));
    if (metadata === undefined) return chunk;
    const changes: Record<number, { type: number; value: ThriftValue }> = {};
    for (const id of [9, 10, 11]) {
      const offset = field(metadata, id);
      if (typeof offset === "bigint" && offset > BigInt(start))
        changes[id] = { type: ThriftType.i64, value: offset + BigInt(delta) };
    }
    const size = field(metadata, 7);
    if (startOf(metadata) === chunkStart && typeof size === "bigint")
      changes[7] = { type: ThriftType.i64, value: size + BigInt(delta) };
    return withFields(chunk, { 3: { type: ThriftType.struct, value: withFields(metadata, changes) } });
  };
  const groups = structsOf(footer, 4).map((group) =>
    withFields(group, { 1: listOf(structsOf(group, 1).map(moveChunk)) }),
  );
  return withFields(footer, { 4: listOf(groups) });
}

function listOf(items: readonly ThriftStruct[]): { type: number; value: ThriftList } {
  return { type: ThriftType.list, value: { elementType: ThriftType.struct, items } };
}

function flipPage(file: Buffer, dice: Dice): Buffer {
  return flipBytes(file, magicBytes, footerStart(file), dice);
}

function flipAnywhere(file: Buffer, dice: Dice): Buffer {
  return flipBytes(file, 0, file.length - 8, dice);
}

function flipBytes(file: Buffer, from: number, to: number, dice: Dice): Buffer {
  const changed = Buffer.from(file);
  if (to <= from) return changed;
  for (let flips = dice.below(3); flips >= 0; flips -= 1) {
    const at = from + dice.below(to - from);
    changed[at] = (changed[at] ?? 0) ^ dice.pick([1, 2, 4, 8, 16, 32, 64, 128, 255]);
  }
  return changed;
}

/** Changes one field somewhere below a struct. */
function changeStruct(struct: ThriftStruct, dice: Dice): ThriftStruct {
  const { fields } = struct;
  if (fields.length === 0) return { fields: [{ id: 1 + dice.below(16), type: ThriftType.i32, value: dice.below(9) }] };
  const at = dice.below(fields.length);
  const chosen = fields[at] as ThriftField;
  const isNested = typeof chosen.value === "object" && !(chosen.value instanceof Uint8Array);
  // Most of a footer's fields are in its lists.
  if (isNested && dice.below(6) > 0)
    return { fields: fields.with(at, { ...chosen, value: changeValue(chosen.value, dice) }) };
  switch (dice.below(6)) {
    case 0:
      return { fields: fields.toSpliced(at, 1) };
    case 1:
      return { fields: fields.toSpliced(at, 0, chosen) };
    case 2:
      return {
        fields: fields.with(at, { ...chosen, id: 1 + dice.below(20) }).toSorted((one, other) => one.id - other.id),
      };
    case 3:
      return { fields: fields.with(at, retype(chosen, dice)) };
    default:
      return { fields: fields.with(at, changeScalar(chosen, dice)) };
  }
}

function changeValue(value: ThriftValue, dice: Dice): ThriftValue {
  if (typeof value !== "object" || value instanceof Uint8Array) return value;
  if ("fields" in value) return changeStruct(value, dice);
  if (!("items" in value) || value.items.length === 0) return value;
  const at = dice.below(value.items.length);
  const item = value.items[at] as ThriftValue;
  switch (dice.below(8)) {
    case 0:
      return { ...value, items: value.items.toSpliced(at, 1) };
    case 1:
      return { ...value, items: value.items.toSpliced(at, 0, item) };
    case 2:
      return { ...value, items: value.items.with(at, dice.pick(value.items)) };
    default: {
      const { value: changed } = changeScalar({ id: 1, type: value.elementType, value: changeValue(item, dice) }, dice);
      return { ...value, items: value.items.with(at, typeof item === "object" ? changeValue(item, dice) : changed) };
    }
  }
}

function retype(chosen: ThriftField, dice: Dice): ThriftField {
  const { id } = chosen;
  return dice.pick<ThriftField>([
    { id, type: ThriftType.i32, value: 1 },
    { id, type: ThriftType.i64, value: 1n },
    { id, type: ThriftType.binary, value: Buffer.from("x") },
    { id, type: ThriftType.struct, value: { fields: [] } },
    { id, type: ThriftType.list, value: { elementType: ThriftType.i32, items: [1] } },
    { id, type: ThriftType.true, value: true },
  ]);
}

const numbers = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  39n,
  41n,
  255n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  -(2n ** 63n),
];

function changeScalar(chosen: ThriftField, dice: Dice): ThriftField {
  const { id, value, type } = chosen;
  if (typeof value === "boolean") return { id, type: value ? ThriftType.false : ThriftType.true, value: !value };
  if (typeof value === "bigint" || typeof value === "number") {
    const near = BigInt(value) + BigInt(dice.below(9) - 4);
    const wanted = dice.below(2) === 0 ? near : dice.pick(numbers);
    const bits = typeof value === "bigint" ? 64 : 32;
    const fitting = BigInt.asIntN(bits, wanted);
    return { id, type, value: typeof value === "bigint" ? fitting : Number(fitting) };
  }
  if (value instanceof Uint8Array) return { id, type, value: changeBytes(value, type === ThriftType.binary, dice) };
  return chosen;
}

function changeBytes(value: Uint8Array, isAnyLength: boolean, dice: Dice): Buffer {
  const bytes = Buffer.from(value);
  if (isAnyLength && dice.below(3) === 0)
    return dice.pick([
      Buffer.alloc(0),
      bytes.subarray(1),
      Buffer.concat([bytes, bytes]),
      Buffer.from([0xff, 0xfe]),
      Buffer.from("\u001b[2J\n"),
    ]);
  if (bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256);
  return bytes;
}
