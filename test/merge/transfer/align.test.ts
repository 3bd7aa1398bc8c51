import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { toCells } from "../../support/columns.ts";
import { query } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("align");
const letters = (...values: (string | null)[]) => ({ x: ["String", values] as const });

async function mergeOne(keys: readonly string[], values: (string | null)[], settings = {}) {
  const written = writeTables(root, { targets: keyed(["3", "1", "2"]), a: keyed(keys, letters(...values)) });
  const { output } = await mergeHere({ ...written, minMatch: 0, ...settings, verify: "full" });
  return toCells(pl.readParquet(output).getColumn("a_x"));
}

const cases: [string, string[], (string | null)[], (string | null)[]][] = [
  ["rows in another order", ["1", "2", "3"], ["one", "two", "three"], ["three", "one", "two"]],
  ["rows that are missing", ["1"], ["one"], [null, "one", null]],
  ["rows that the targets lack", ["9", "3", "1", "2", "0"], ["-", "three", "one", "two", "-"], ["three", "one", "two"]],
  ["nulls of its own", ["2", "3", "1"], [null, "three", null], ["three", null, null]],
  ["no row in common", ["7", "8"], ["a", "b"], [null, null, null]],
  ["no row at all", [], [], [null, null, null]],
];

for (const [name, keys, values, expected] of cases)
  test(`a table with ${name}`, async () => assert.deepEqual(await mergeOne(keys, values), expected));

test("of repeated keys the first or the last row counts; rows never multiply", async () => {
  const keys = ["1", "2", "1", "3", "1"];
  const values = ["first", "two", "between", "three", null];
  assert.deepEqual(await mergeOne(keys, values, { duplicates: "first" }), ["three", "first", "two"]);
  assert.deepEqual(await mergeOne(keys, values, { duplicates: "last" }), ["three", null, "two"]);
});

test("a table of many columns is aligned in batches: columns keep their order and their values", async () => {
  const rows = 100_000;
  const keys = upTo(rows);
  // 40 columns of 8 bytes: more than one batch of 24 MiB decoded.
  const columns = Object.fromEntries(upTo(40).map((name) => [`c${name}`, ["Int64", keys] as const]));
  const written = writeTables(root, { targets: keyed(keys), a: keyed(keys, columns).reverse() });
  const { output } = await mergeHere({ ...written });
  const names = upTo(40).map((name) => `a_c${name}`);
  assert.deepEqual(pl.scanParquet(output).columns.slice(1), names);
  const wrong = names.map((name) => `${name} is distinct from interval_time`).join(" or ");
  assert.deepEqual(await query(`select count(*)::int as n from '${output}' where ${wrong}`), [{ n: 0 }]);
});
