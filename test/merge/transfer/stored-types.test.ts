/** What a table stores passes through aligning untouched: types, annotations and values that no frame can hold. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyTo, query } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere } from "../../support/in-process.ts";

const root = await scratchFolder("stored-types");
const key = "range as interval_time";

/** A checkpoint of DuckDB's: targets of `rows` rows, and a table. */
async function writePair(rows: number, table: string, options = ""): Promise<{ input: string; output: string }> {
  const place = mkdtempSync(join(root, "case-"));
  const folder = join(place, "in", "pair");
  mkdirSync(folder, { recursive: true });
  await copyTo(join(folder, "targets.parquet"), `select ${key} from range(${rows})`, options);
  await copyTo(join(folder, "a.parquet"), table, options);
  writeFileSync(join(folder, "_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}

test("nulls are counted once, in row groups of any size: a reader that trusts the count finds all rows", async () => {
  const rows = 300_000;
  const half = "case when range % 2 = 0 then range::double end";
  const table = `select ${key}, ${half} as x from range(${rows}) order by range desc`;
  const written = await writePair(rows, table, `row_group_size ${rows}`);
  const { output, tables } = await mergeHere({ ...written, verify: "full" });
  assert.equal(tables.aligned, 1);
  const found = await query(
    `select count(*)::int as n, sum(a_x)::double as sum from '${output}' where a_x is not null`,
  );
  const sum = (rows / 2) * (rows / 2 - 1);
  assert.deepEqual(found, [{ n: rows / 2, sum }]);
  const [statistics] = await query(
    `select stats_null_count::int as nulls, stats_min_value as least, stats_max_value as most
     from parquet_metadata('${output}') where path_in_schema = 'a_x'`,
  );
  assert.deepEqual(statistics, { nulls: rows / 2, least: "-0.0", most: `${rows - 2}.0` });
});

const expressions = {
  json: `('{"n":' || range || '}')::json`,
  mood: "(case range % 3 when 0 then 'sad' when 1 then 'ok' else 'happy' end)::enum('sad', 'ok', 'happy')",
  uuid: "('00000000-0000-4000-8000-' || lpad(to_hex(range), 12, '0'))::uuid",
  span: "interval (range) month + interval (range) day",
  midnight: "time '24:00:00'",
  clock: "time '10:00:00' + interval (range) second",
  zoned: "timestamptz '2000-01-01 00:00:00Z' + interval (range) minute",
  seconds: "make_timestamp(range * 1000000)::timestamp_s",
  nanos: "make_timestamp_ns(range * 1000003)",
  tiny: "(range % 100)::tinyint",
  unsigned: "(18446744073709551615::ubigint - range::ubigint)",
  money: "(range / 8)::decimal(9, 3)",
  sum: "(range * 7)::hugeint::decimal(38, 4)",
  blob: "unhex(printf('%04X', range))",
  bits: "range % 2 = 0",
  far: "date '9999-12-31' - range::int",
  nested: "{'list': [range, null, range + 1], 'map': map {'k': range}}",
} as const;

test("every type keeps its annotation and its values", async () => {
  const columns = Object.entries(expressions).map(([name, value]) => `${value} as ${name}`);
  const table = `select ${key}, ${columns.join(", ")} from range(3000) where range % 7 <> 3 order by hash(range)`;
  const written = await writePair(3000, table, "row_group_size 2048");
  const { output, tables } = await mergeHere({ ...written, verify: "full" });
  assert.equal(tables.aligned, 1);
  const source = join(written.input, "pair", "a.parquet");
  const schema = (path: string) =>
    query(`select * exclude (file_name, field_id, num_children) from parquet_schema('${path}')`);
  const before = (await schema(source)).filter(({ name }) => name !== "duckdb_schema" && name !== "interval_time");
  const after = (await schema(output)).filter(({ name }) => name !== "schema" && name !== "interval_time");
  assert.deepEqual(
    after,
    before.map((element) =>
      String(element.name) in expressions ? { ...element, name: `a_${element.name}` } : element,
    ),
  );
  for (const name of Object.keys(expressions)) {
    const wrong = `select count(*)::int as n from '${output}' o left join '${source}' s using (interval_time)
      where o.a_${name} is distinct from s.${name}`;
    assert.deepEqual(await query(wrong), [{ n: 0 }], name);
  }
});

test("a byte order mark at the start of a name stays", async () => {
  const table = `select ${key}, range as "\uFEFFx" from range(9) order by range desc`;
  const written = await writePair(9, table);
  const { output } = await mergeHere({ ...written, naming: "keep", verify: "full" });
  // DuckDB's client drops the mark when it decodes the name, its server counts it.
  const names = await query(
    `select length(name)::int as characters from parquet_schema('${output}') where type is not null order by name`,
  );
  assert.deepEqual(names, [{ characters: "interval_time".length }, { characters: 2 }]);
});
