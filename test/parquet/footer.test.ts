import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { buildColumnFile } from "../../src/parquet/column-file.ts";
import { type ColumnChunk, type Footer, keepNames } from "../../src/parquet/footer.ts";
import { checkFooter, checkReadable } from "../../src/parquet/footer-check.ts";
import { parseFooter } from "../../src/parquet/footer-parser.ts";
import { checkPages } from "../../src/parquet/pages.ts";
import { ThriftReader } from "../../src/parquet/thrift/reader.ts";
import { field, ThriftError, ThriftType, type ThriftValue, withFields } from "../../src/parquet/thrift/thrift.ts";
import { ThriftWriter } from "../../src/parquet/thrift/writer.ts";
import { type FileInMemory, loadFile } from "../support/bytes.ts";
import { makeTable } from "../support/columns.ts";
import { copyTo, query } from "../support/duckdb.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("footer");
const nested = join(folder, "nested.parquet");
await copyTo(
  nested,
  "select range k, [range, 1] l, {'a': range::varchar, 'b': [1.5]} s, map{'k': 1} m, uuid() u, (range / 4)::decimal(30, 3) d from range(5000)",
  "row_group_size 2048, codec 'zstd', kv_metadata {note: 'ünï'}",
);
const flat = join(folder, "flat.parquet");
makeTable({ key: ["Int64", ["1", "2", "3", "4"]], word: ["String", ["a", null, "c", "a"]] })
  .lazy()
  .sinkParquet(flat, { rowGroupSize: 2, compression: "snappy", statistics: true })
  .collectSync();

test("places, counts and types are those that DuckDB reads", async () => {
  const { footer } = await loadFile(nested);
  const expected =
    await query(`select row_group_id::int as "group", path_in_schema as path, num_values::int as "values",
    total_compressed_size::int as size, total_uncompressed_size::int as uncompressed, row_group_num_rows::int as rows,
    least(data_page_offset, coalesce(dictionary_page_offset, data_page_offset))::int as start,
    stats_null_count::int as nulls from parquet_metadata('${nested}')`);
  const found = footer.rowGroups.flatMap((group, index) =>
    group.chunks.map((chunk) => ({
      group: index,
      path: chunk.path.join(", "),
      values: chunk.values,
      size: chunk.size,
      uncompressed: chunk.uncompressedSize,
      rows: group.rows,
      start: chunk.start,
      nulls: nullCountOf(chunk),
    })),
  );
  assert.deepEqual(found, expected);
  assert.equal(footer.rows, 5000);
  assert.equal(footer.keyValues.note, "ünï");
});

/** Statistics.null_count in the encoded ColumnChunk (parquet.thrift), null where the writer stated none. */
function nullCountOf({ raw }: ColumnChunk): number | null {
  const path = [3, 12, 3];
  const value = path.reduce<ThriftValue | undefined>(
    (struct, id) => (typeof struct === "object" && "fields" in struct ? field(struct, id) : undefined),
    new ThriftReader(raw).readStruct(),
  );
  return value === undefined ? null : Number(value);
}

test("top-level columns know their leaves", async () => {
  const { footer } = await loadFile(nested);
  const columns = footer.columns.map(({ name, firstLeaf, leaves, nested: deep }) => [name, firstLeaf, leaves, deep]);
  assert.deepEqual(columns, [
    ["k", 0, 1, false],
    ["l", 1, 1, true],
    ["s", 2, 2, true],
    ["m", 4, 2, true],
    ["u", 6, 1, false],
    ["d", 7, 1, false],
  ]);
});

test("sound footers have no problem", async () => {
  for (const path of [nested, flat]) {
    const { footer, start } = await loadFile(path);
    assert.deepEqual([...checkReadable(footer), ...checkFooter(footer, start)], []);
  }
});

/** What the program makes of a footer: problems, or a file that could be copied. Anything but a ThriftError escapes. */
function judge(encoded: Uint8Array, file: FileInMemory): "unreadable" | "refused" | "sound" {
  let footer: Footer;
  try {
    footer = parseFooter(encoded);
  } catch (error) {
    assert.ok(error instanceof ThriftError, String(error));
    return "unreadable";
  }
  if (checkReadable(footer).length > 0 || [...checkFooter(footer, file.start)].length > 0) return "refused";
  const groups = footer.rowGroups.filter((group) => group.rows > 0);
  const walks = groups.flatMap((group) => group.chunks.map((chunk) => checkPages(chunk, file.reader.peek, true)));
  if (walks.some((walk) => walk.problem !== undefined)) return "refused";
  const copy = buildColumnFile(footer, keepNames(footer.columns), [
    { start: 0, bytes: file.bytes.subarray(0, file.start) },
  ]);
  const end = copy.length - 8 - copy.readUInt32LE(copy.length - 8);
  assert.deepEqual(
    [...checkFooter(parseFooter(copy.subarray(end, copy.length - 8)), end)],
    [],
    "the copy checks out too",
  );
  return "sound";
}

test("every flip of a byte of a footer is unreadable, refused, or leaves a footer that checks out", async () => {
  const file = await loadFile(flat);
  assert.equal(judge(file.encoded, file), "sound");
  const counts = { unreadable: 0, refused: 0, sound: 0 };
  for (let at = 0; at < file.encoded.length; at += 1) {
    for (const flip of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
      const damaged = Uint8Array.from(file.encoded);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      counts[judge(damaged, file)] += 1;
    }
  }
  assert.ok(counts.unreadable > 500 && counts.refused > 400 && counts.sound > 500, JSON.stringify(counts));
});

test("a footer cut short anywhere is unreadable or refused", async () => {
  const file = await loadFile(flat);
  for (let length = 0; length < file.encoded.length; length += 1)
    assert.notEqual(judge(file.encoded.subarray(0, length), file), "sound", `${length} bytes`);
});

/** A parsed footer with other numbers in it. */
function change(
  footer: Footer,
  group: number,
  leaf: number,
  chunk: Partial<Footer["rowGroups"][0]["chunks"][0]>,
): Footer {
  const rowGroups = footer.rowGroups.map((entry, index) =>
    index === group
      ? { ...entry, chunks: entry.chunks.map((own, at) => (at === leaf ? { ...own, ...chunk } : own)) }
      : entry,
  );
  return { ...footer, rowGroups };
}

test("lies about counts, places, names and types are told by column and row group", async () => {
  const { footer, start } = await loadFile(flat);
  const word = footer.rowGroups[1]?.chunks[1];
  assert.ok(word);
  const cases: [Footer, RegExp][] = [
    [{ ...footer, rows: 5 }, /^5 rows stated, its row groups hold 4$/],
    [change(footer, 1, 1, { values: 3 }), /^column word of row group 1 with 3 values for 2 rows$/],
    [change(footer, 1, 1, { start: 3 }), /^column word of row group 1 at bytes 3–\d+, outside the data/],
    [change(footer, 1, 1, { start: start - word.size + 1 }), /outside the data/],
    [change(footer, 1, 1, { size: -1 }), /outside the data/],
    [change(footer, 1, 1, { path: ["other"] }), /^column other of row group 1 where the schema has word$/],
    [change(footer, 1, 1, { type: 2 }), /^column word of row group 1 .*type/],
    [
      change(footer, 1, 1, { start: (footer.rowGroups[1]?.chunks[0]?.start ?? 0) + 1 }),
      /^columns key and word share bytes from/,
    ],
    [
      { ...footer, rowGroups: footer.rowGroups.map((group) => ({ ...group, chunks: group.chunks.slice(1) })) },
      /^row group 0 has 1 column chunk for 2 columns$/,
    ],
  ];
  for (const [lying, pattern] of cases) {
    const [first] = checkFooter(lying, start);
    assert.match(first ?? "nothing found", pattern);
  }
});

test("encrypted columns and pages elsewhere are named", async () => {
  const { footer } = await loadFile(flat);
  const reasons = (changed: Footer) => checkReadable(changed).map(({ found }) => found);
  assert.deepEqual(reasons(change(footer, 0, 1, { encrypted: true })), ["encrypted columns word"]);
  assert.deepEqual(reasons({ ...footer, encrypted: true }), ["encrypted columns (all)"]);
  assert.deepEqual(reasons(change(footer, 0, 1, { elsewhere: true })), [
    "columns whose pages lie in another file: word",
  ]);
});

test("an encryption algorithm, a crypto field and a file path are seen in the bytes", async () => {
  const { encoded } = await loadFile(flat);
  const metadata = new ThriftReader(encoded).readStruct();
  const write = (tree: typeof metadata): Uint8Array => {
    const writer = new ThriftWriter();
    writer.writeStruct(tree);
    return Uint8Array.from(writer.bytes());
  };
  const empty = { type: ThriftType.struct, value: { fields: [] } };
  assert.equal(parseFooter(write(withFields(metadata, { 8: empty }))).encrypted, true);
  const groups = metadata.fields.find(({ id }) => id === 4)?.value;
  assert.ok(typeof groups === "object" && "items" in groups);
  const withChunk = (field: Parameters<typeof withFields>[1]) => {
    const items = groups.items.map((group) => {
      assert.ok(typeof group === "object" && "fields" in group);
      const chunks = group.fields.find(({ id }) => id === 1)?.value;
      assert.ok(typeof chunks === "object" && "items" in chunks);
      const changed = chunks.items.map((chunk) =>
        typeof chunk === "object" && "fields" in chunk ? withFields(chunk, field) : chunk,
      );
      return withFields(group, { 1: { type: ThriftType.list, value: { ...chunks, items: changed } } });
    });
    return parseFooter(write(withFields(metadata, { 4: { type: ThriftType.list, value: { ...groups, items } } })));
  };
  assert.equal(withChunk({ 8: empty }).rowGroups[0]?.chunks[0]?.encrypted, true);
  const path = { type: ThriftType.binary, value: Buffer.from("elsewhere.parquet") };
  assert.equal(withChunk({ 1: path }).rowGroups[0]?.chunks[0]?.elsewhere, true);
  assert.equal(withChunk({ 3: undefined }).rowGroups[0]?.chunks[0]?.encrypted, true);
});
