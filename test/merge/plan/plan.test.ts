import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere, planHere } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("plan");
const x = (count: number) => ({ x: ["Int64", upTo(count)] as const });
const tables = {
  targets: keyed(upTo(10), { y: ["Int64", upTo(10)], z: ["Int64", upTo(10)] }),
  a_same: keyed(upTo(10), x(10)),
  b_missing: keyed(upTo(7), x(7)),
  c_extra: keyed(upTo(12), x(12)),
  d_order: keyed(upTo(10).reverse(), x(10)),
  e_mixed: keyed(["1", "1", "1", "2", "77", "78"], x(6)),
};
const written = writeTables(root, tables);

test("per table: what happens, why, and how many rows", async () => {
  const plan = await planHere({ ...written, duplicates: "first" });
  const rows = plan.tables.map((table) => [
    table.file.table,
    table.action,
    table.reason,
    table.rows,
    table.rowsDropped,
    table.rowsNullFilled,
    table.duplicateRows,
  ]);
  assert.deepEqual(rows, [
    ["targets", "splice", "same bytes as the targets' key", 10, 0, 0, 0],
    ["a_same", "splice", "same bytes as the targets' key", 10, 0, 0, 0],
    ["b_missing", "align", "3 rows missing", 7, 0, 3, 0],
    ["c_extra", "align", "2 rows not in the targets", 12, 2, 0, 0],
    ["d_order", "align", "rows in another order", 10, 0, 0, 0],
    ["e_mixed", "align", "8 rows missing, 2 rows not in the targets, 2 duplicate rows", 6, 4, 8, 2],
  ]);
  assert.deepEqual(plan.tables[0]?.columns, [
    { input: "y", output: "y" },
    { input: "z", output: "z" },
  ]);
});

test("totals are those of the files and of the output", async () => {
  const plan = await planHere({ ...written, duplicates: "first" });
  const folder = join(written.input, "pair");
  const files = readdirSync(folder).filter((name) => name.endsWith(".parquet"));
  assert.equal(
    plan.readBytes,
    files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0),
  );
  assert.deepEqual([plan.pair, plan.rows, plan.columns, plan.rowGroups], ["pair", 10, 8, [10]]);
  const sum = (tables: typeof plan.tables) => tables.reduce((total, { bytes: own }) => total + own, 0);
  // 8 columns in one row group, and 110 bytes of the new footer for each of their chunks.
  assert.equal(plan.outputBytes, sum(plan.tables) + 8 * 110);
  const aligned = sum(plan.tables.filter(({ action }) => action === "align"));
  assert.equal(plan.predictedSeconds, 0.5 + plan.readBytes / 600e6 + aligned / 200e6);
  const { bytes, predictedPeakBytes } = await mergeHere({ ...written, duplicates: "first" });
  assert.equal(predictedPeakBytes, plan.predictedPeakBytes);
  assert.ok(Number.isInteger(predictedPeakBytes), "whole bytes");
  assert.equal(bytes.read, plan.readBytes);
});

test("the digest stands for inputs and settings that change the output, and for nothing else", async () => {
  const plan = (settings = {}) => planHere({ ...written, duplicates: "first", ...settings });
  const { digest } = await plan();
  assert.match(digest, /^[0-9a-f]{64}$/);
  for (const settings of [{}, { verify: "full" }, { logEvery: 7 }, { replace: true }, { memoryFree: "5MB" }])
    assert.equal((await plan(settings)).digest, digest, JSON.stringify(settings));
  for (const settings of [{ duplicates: "last" }, { rowGroupRows: 5 }])
    assert.notEqual((await plan(settings)).digest, digest, JSON.stringify(settings));
  const more = writeTables(root, { ...tables, f: keyed(upTo(10)) });
  assert.notEqual((await planHere({ ...more, duplicates: "first" })).digest, digest);
});
