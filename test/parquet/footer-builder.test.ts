import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Footer, magic } from "../../src/parquet/footer.ts";
import { FooterBuilder } from "../../src/parquet/footer-builder.ts";
import { checkFooter } from "../../src/parquet/footer-check.ts";
import { parseFooter } from "../../src/parquet/footer-parser.ts";
import { ThriftReader } from "../../src/parquet/thrift/reader.ts";
import { field, type ThriftStruct, type ThriftValue } from "../../src/parquet/thrift/thrift.ts";
import { type FileInMemory, loadFile } from "../support/bytes.ts";
import { copyTo, query } from "../support/duckdb.ts";
import { scratchFolder } from "../support/folder.ts";

const folder = await scratchFolder("assemble");
const source = join(folder, "source.parquet");
const select = `select range k, range % 7 d, case when range % 3 = 0 then null else range::varchar end t,
  [range] l, {'a': range, 'b': 'x'} s from range(5000)`;
await copyTo(source, select, "row_group_size 2048, field_ids 'auto', kv_metadata {note: 'old'}");
const rowGroups = [2048, 2048, 904];

/** The data of a file behind `shift` other bytes, with a new footer in which every column is renamed. */
function move(file: FileInMemory, shift: number, footer: Footer = file.footer): Buffer {
  const builder = new FooterBuilder(rowGroups);
  for (const column of footer.columns) builder.addColumn(footer, { column, name: `new_${column.name}` }, () => shift);
  const data = [magic, Buffer.alloc(shift), file.bytes.subarray(magic.length, file.start)];
  return Buffer.concat([...data, builder.build("widemerge test", { "widemerge.pair": "audusd" })]);
}

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const file = await loadFile(source);
const moved = write("moved.parquet", move(file, 1000));

test("the values are where they were, under their new names", async () => {
  const columns = ["k", "d", "t", "l", "s"];
  const renamed = columns.map((name) => `new_${name} as ${name}`).join();
  const old = `select file_row_number as row, ${columns.join()} from read_parquet('${source}', file_row_number = true)`;
  const now = `select file_row_number as row, ${renamed} from read_parquet('${moved}', file_row_number = true)`;
  const [difference] = await query(
    `select count(*)::int as n from ((${old} except ${now}) union all (${now} except ${old}))`,
  );
  assert.deepEqual(difference, { n: 0 });
  assert.deepEqual(await query(`select count(*)::int as n from '${moved}'`), [{ n: 5000 }]);
});

test("offsets move by the shift; everything else of a chunk stays, but its bloom filter", async () => {
  const rows = (path: string) => query(`select * exclude (file_name) from parquet_metadata('${path}')`);
  const before = await rows(source);
  const after = await rows(moved);
  const offset = (value: unknown): string | null => (value === null ? null : String(Number(value) + 1000));
  const expected = before.map((row) => ({
    ...row,
    path_in_schema: `new_${row.path_in_schema}`,
    dictionary_page_offset: offset(row.dictionary_page_offset),
    data_page_offset: offset(row.data_page_offset),
    bloom_filter_offset: null,
    bloom_filter_length: null,
    row_group_bytes: null,
  }));
  assert.deepEqual(
    after.map((row) => ({ ...row, row_group_bytes: null })),
    expected,
  );
  assert.ok(
    before.some((row) => row.bloom_filter_offset !== null),
    "the source has bloom filters",
  );
  assert.ok(
    before.some((row) => row.dictionary_page_offset !== null),
    "and dictionaries",
  );
  assert.ok(
    before.some((row) => row.stats_null_count !== "0"),
    "and statistics with nulls",
  );
});

test("the footer says who made it, how many rows, and nothing of what the source said about itself", async () => {
  const [words] = await query(
    `select created_by, num_rows::int as n, len(column_orders)::int as orders from parquet_file_metadata('${moved}')`,
  );
  assert.deepEqual(words, { created_by: "widemerge test", n: 5000, orders: 6 });
  const { footer, start } = await loadFile(moved);
  assert.deepEqual(footer.keyValues, { "widemerge.pair": "audusd" });
  assert.equal(footer.columnOrders?.length, 6);
  assert.deepEqual([...checkFooter(footer, start)], []);
  const ids = await query(`select field_id from parquet_schema('${moved}') where field_id is not null`);
  assert.deepEqual(ids, []);
  assert.notDeepEqual(await query(`select field_id from parquet_schema('${source}') where field_id is not null`), []);
});

function structs(value: ThriftValue | undefined): ThriftStruct[] {
  assert.ok(typeof value === "object" && "items" in value);
  return value.items.map((item) => {
    assert.ok(typeof item === "object" && "fields" in item);
    return item;
  });
}

test("row groups state their sums, their start and their number; chunks state no offsets outside of them", async () => {
  const { encoded, footer } = await loadFile(moved);
  const metadata = new ThriftReader(encoded).readStruct();
  for (const [index, group] of structs(field(metadata, 4)).entries()) {
    const parsed = footer.rowGroups[index];
    const chunks = parsed?.chunks ?? [];
    const sum = (of: "size" | "uncompressedSize") => BigInt(chunks.reduce((total, chunk) => total + chunk[of], 0));
    assert.deepEqual(
      group.fields.slice(1).map(({ id, value }) => [id, value]),
      [
        [2, sum("uncompressedSize")],
        [3, BigInt(rowGroups[index] ?? 0)],
        [5, BigInt(chunks[0]?.start ?? 0)],
        [6, sum("size")],
        [7, index],
      ],
    );
    for (const chunk of structs(field(group, 1)))
      assert.deepEqual(
        chunk.fields.map(({ id }) => id),
        [2, 3],
      );
  }
});

test("without a column order in the source, statistics are left out", async () => {
  const path = write("unordered.parquet", move(file, 10, { ...file.footer, columnOrders: undefined }));
  const [counts] = await query(`select count(stats_min_value)::int as least, count(stats_max_value)::int as most,
    count(stats_null_count)::int as nulls, count(stats_min)::int as old from parquet_metadata('${path}')`);
  assert.deepEqual(counts, { least: 0, most: 0, nulls: 0, old: 0 });
  const [known] = await query(`select count(stats_min_value)::int as least from parquet_metadata('${source}')`);
  assert.notDeepEqual(known, { least: 0 });
});

test("more row groups than the number of one can say", async () => {
  const [group] = file.footer.rowGroups;
  assert.ok(group);
  const many = { ...file.footer, rowGroups: Array.from({ length: 32_770 }, () => group) };
  const [column] = file.footer.columns;
  assert.ok(column);
  const builder = new FooterBuilder(many.rowGroups.map(({ rows }) => rows));
  builder.addColumn(many, { column, name: "k" }, () => 0);
  const bytes = builder.build("widemerge test");
  const groups = structs(field(new ThriftReader(bytes).readStruct(), 4));
  assert.equal(field(groups[32_767] ?? { fields: [] }, 7), 32_767);
  assert.equal(field(groups[32_768] ?? { fields: [] }, 7), undefined);
  assert.equal(parseFooter(bytes).rowGroups.length, 32_770);
});

test("row groups that do not fit the layout are an error, empty ones do not count", () => {
  const [column] = file.footer.columns;
  assert.ok(column);
  assert.throws(
    () => new FooterBuilder([5000]).addColumn(file.footer, { column, name: "k" }, () => 0),
    /3 row groups where 1/,
  );
  const empty = { rows: 0, chunks: [] };
  const padded = { ...file.footer, rowGroups: [empty, ...file.footer.rowGroups, empty] };
  const builder = new FooterBuilder(rowGroups);
  builder.addColumn(padded, { column, name: "k" }, () => 0);
  assert.equal(parseFooter(builder.build("widemerge test")).rows, 5000);
});

test("a table without row groups keeps its columns", async () => {
  const builder = new FooterBuilder([]);
  const empty = { ...file.footer, rowGroups: [] };
  for (const column of file.footer.columns) builder.addColumn(empty, { column, name: column.name }, () => 0);
  const path = write("empty.parquet", Buffer.concat([magic, builder.build("widemerge test")]));
  assert.deepEqual(await query(`select count(*)::int as n, count(k)::int as k from '${path}'`), [{ n: 0, k: 0 }]);
  const described = await query(`select column_name as name from (describe select * from '${path}')`);
  assert.deepEqual(
    described.map(({ name }) => name),
    ["k", "d", "t", "l", "s"],
  );
});
