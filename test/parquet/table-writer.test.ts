import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import pl from "nodejs-polars";
import { writeTable } from "../../src/parquet/table-writer.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "table-"));
});
after(() => rm(folder, { recursive: true }));

/** What DuckDB, which shares no code with the writer, says about a file. */
async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

test("NaN becomes null, every other value stays what it was", () => {
  const path = join(folder, "values.parquet");
  const values = [Number.NaN, 0.1, -0, Number.MIN_VALUE, Number.MAX_VALUE, Number.NaN];
  writeTable(path, [{ name: "value", values: Float64Array.from(values) }]);
  const column = pl.readParquet(path).getColumn("value");
  assert.deepEqual(column.toArray(), [null, 0.1, -0, Number.MIN_VALUE, Number.MAX_VALUE, null]);
  assert.equal(column.nullCount(), 2);
});

test("instants are UTC timestamps in microseconds, beyond the range of nanoseconds too", async () => {
  const path = join(folder, "key.parquet");
  const instants = ["1999-01-04T00:00:00.000Z", "2382-11-30T12:00:00.000Z"].map(
    (text) => BigInt(Date.parse(text)) * 1000n,
  );
  writeTable(path, [{ name: "interval_time", values: BigInt64Array.from(instants) }]);
  const rows = await query(
    `select epoch_us(interval_time)::varchar as instant, typeof(interval_time) as type from '${path}'`,
  );
  assert.deepEqual(
    rows,
    instants.map((instant) => ({ instant: String(instant), type: "TIMESTAMP WITH TIME ZONE" })),
  );
  const [schema] = await query(`select logical_type from parquet_schema('${path}') where name = 'interval_time'`);
  assert.match(String(schema?.logical_type), /isAdjustedToUTC=1.*MICROS/);
});

test("one Snappy row group, also where Polars would start a second one", async () => {
  const path = join(folder, "long.parquet");
  writeTable(path, [{ name: "value", values: new Float64Array(600_000).map((_, row) => Math.sin(row)) }]);
  const chunks = await query(
    `select row_group_num_rows::int as rows, compression, type from parquet_metadata('${path}')`,
  );
  assert.deepEqual(chunks, [{ rows: 600_000, compression: "SNAPPY", type: "DOUBLE" }]);
});

test("a table without rows keeps its columns", async () => {
  const path = join(folder, "empty.parquet");
  writeTable(path, [
    { name: "interval_time", values: new BigInt64Array(0) },
    { name: "value", values: new Float64Array(0) },
  ]);
  assert.deepEqual(pl.readParquet(path).columns, ["interval_time", "value"]);
  assert.deepEqual(await query(`select count(*)::int as rows from '${path}'`), [{ rows: 0 }]);
});

test("the same columns give the same bytes", async () => {
  const columns = [1, 2, 3].map((name) => ({
    name: String(name),
    values: new Float64Array(50_000).map((_, row) => Math.cos(row * name)),
  }));
  const [one, two] = [join(folder, "one.parquet"), join(folder, "two.parquet")];
  writeTable(one, columns);
  writeTable(two, columns);
  assert.ok((await readFile(one)).equals(await readFile(two)));
});

test("a file that cannot be written is told by the code of the system call", () => {
  const columns = [{ name: "value", values: Float64Array.of(1) }];
  assert.throws(() => writeTable(join(folder, "missing", "x.parquet"), columns), { code: "ENOENT" });
  assert.throws(() => writeTable(folder, columns), { code: "EISDIR" });
});
