import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copyBlockBytes } from "../../../src/merge/budget.ts";
import { loadFile } from "../../support/bytes.ts";
import { copyTo, query } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere } from "../../support/in-process.ts";

const root = await scratchFolder("splice");

/** A checkpoint that DuckDB writes: `tables` are queries. */
async function writeQueries(tables: Readonly<Record<string, string>>, options: string) {
  const place = mkdtempSync(join(root, "case-"));
  mkdirSync(join(place, "in", "pair"), { recursive: true });
  for (const [name, select] of Object.entries(tables))
    await copyTo(join(place, "in", "pair", `${name}.parquet`), select, options);
  writeFileSync(join(place, "in", "pair", "_COMPLETE"), "");
  return { input: join(place, "in"), output: join(place, "out") };
}

const key = "range as interval_time";
const nested = `select ${key}, [range, range + 1] l, {'a': range, 'b': ['x', null]} s, map{'k': range} m, uuid() u,
  interval (range) day i, [[1], []] ll from range(5000)`;

test("every chunk arrives with the bytes that it had, across the borders of copy buffers", async () => {
  const noise = Array.from({ length: 12 }, (_, index) => `hash(range + ${index})::ubigint as c${index}`);
  const select = `select ${noise.slice(0, 6)}, ${key}, ${noise.slice(6)} from range(60000)`;
  const written = await writeQueries({ targets: select, a: select }, "row_group_size 20480");
  const { output, tables } = await mergeHere({ ...written });
  assert.deepEqual(tables, { total: 2, spliced: 2, aligned: 0 });
  const from = await loadFile(join(written.input, "pair", "a.parquet"));
  assert.ok(from.bytes.length > 3 * copyBlockBytes, "the table takes several buffers");
  const to = await loadFile(output);
  let compared = 0;
  for (const [index, group] of to.footer.rowGroups.entries()) {
    for (const chunk of group.chunks) {
      const source = from.footer.rowGroups[index]?.chunks.find(({ path }) => `a_${path[0]}` === chunk.path[0]);
      if (source === undefined) continue;
      const bytes = (file: typeof to, own: typeof chunk) => file.bytes.subarray(own.start, own.start + own.size);
      assert.ok(bytes(from, source).equals(bytes(to, chunk)), `${chunk.path[0]} of row group ${index}`);
      compared += 1;
    }
  }
  assert.equal(compared, 12 * 3);
});

test("nested columns, uuid and interval are spliced whole", async () => {
  const written = await writeQueries({ targets: `select ${key} from range(5000)`, a: nested }, "row_group_size 2048");
  const { output } = await mergeHere({ ...written, verify: "full" });
  const names = ["l", "s", "m", "u", "i", "ll"];
  const old = `select interval_time, ${names} from '${join(written.input, "pair", "a.parquet")}'`;
  const now = `select interval_time, ${names.map((name) => `a_${name}`)} from '${output}'`;
  assert.deepEqual(await query(`select count(*)::int as n from (${old} except all ${now})`), [{ n: 0 }]);
  assert.deepEqual(await query(`select count(*)::int as n from (${now})`), [{ n: 5000 }]);
});

test("nested columns, uuid and interval are aligned row by row", async () => {
  const queries = { targets: `select ${key} from range(5001)`, a: nested, b: `select ${key}, 1 x from range(10)` };
  const written = await writeQueries(queries, "row_group_size 2048");
  const { output, tables } = await mergeHere({ ...written, verify: "full" });
  assert.equal(tables.aligned, 2);
  const names = ["l", "s", "m", "u", "i", "ll"];
  const old = `select interval_time, ${names} from '${join(written.input, "pair", "a.parquet")}'`;
  const now = `select interval_time, ${names.map((name) => `a_${name}`)} from '${output}'`;
  assert.deepEqual(await query(`select count(*)::int as n from (${old} except all ${now})`), [{ n: 0 }]);
  const nulls = names.map((name) => `a_${name} is null`).join(" and ");
  assert.deepEqual(await query(`select interval_time::int as key from '${output}' where ${nulls}`), [{ key: 5000 }]);
});

test("binary that is no text is aligned byte by byte", async () => {
  const blob = `select ${key}, unhex(printf('%02X', range % 256)) b from range(600) where range % 5 <> 0 order by hash(range)`;
  const written = await writeQueries({ targets: `select ${key} from range(600)`, a: blob }, "");
  const { output, tables } = await mergeHere({ ...written, verify: "full" });
  assert.equal(tables.aligned, 1);
  const expected = "case when interval_time % 5 = 0 then null else unhex(printf('%02X', interval_time % 256)) end";
  const wrong = await query(`select count(*)::int as n from '${output}' where a_b is distinct from ${expected}`);
  assert.deepEqual(wrong, [{ n: 0 }]);
});
