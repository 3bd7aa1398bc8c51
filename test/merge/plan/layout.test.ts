import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { describeLayout, sameLayout, uniformLayout } from "../../../src/merge/plan/layout.ts";
import { query } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";
import { mergeHere, planHere } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("layout");

test("rows are cut into groups of one size, the last one shorter", () => {
  assert.deepEqual(uniformLayout(10, 4), [4, 4, 2]);
  assert.deepEqual(uniformLayout(8, 4), [4, 4]);
  assert.deepEqual(uniformLayout(3, 4), [3]);
  assert.deepEqual(uniformLayout(0, 4), []);
});

test("layouts are equal group by group, and described in a few words", () => {
  assert.ok(sameLayout([4, 2], [4, 2]));
  assert.ok(!sameLayout([4, 2], [4, 2, 1]));
  assert.ok(!sameLayout([4, 2], [2, 4]));
  assert.equal(describeLayout([100_000]), "1 × 100,000");
  assert.equal(describeLayout([40_000, 40_000, 40_000, 20_000]), "3 × 40,000 + 1 more");
  assert.equal(describeLayout([]), "none");
});

test("auto takes the layout of most bytes, so that most is spliced; a number is a number", async () => {
  const wide = Object.fromEntries(upTo(30).map((name) => [`c${name}`, ["Float64", upTo(10)] as const]));
  const grouped = writeTables(root, { a: keyed(upTo(10), wide), b: keyed(upTo(10), wide) }, { rowGroupSize: 4 });
  const targets = keyed(upTo(10), { target: ["Float64", upTo(10)] });
  targets.writeParquet(join(grouped.input, "pair", "targets.parquet"));
  const auto = await planHere({ ...grouped });
  assert.deepEqual(auto.rowGroups, [4, 4, 2]);
  assert.deepEqual(
    auto.tables.map(({ action, reason }) => [action, reason]),
    [
      ["align", "row groups 1 × 10 where the output has 2 × 4 + 1 more"],
      ["splice", "same values as the targets' key"],
      ["splice", "same values as the targets' key"],
    ],
  );
  assert.deepEqual((await planHere({ ...grouped, rowGroupRows: 7 })).rowGroups, [7, 3]);
  const { output } = await mergeHere({ ...grouped, rowGroupRows: 7 });
  const groups = await query(
    `select distinct row_group_id::int as id, row_group_num_rows::int as rows from parquet_metadata('${output}') order by 1`,
  );
  assert.deepEqual(groups, [
    { id: 0, rows: 7 },
    { id: 1, rows: 3 },
  ]);
});

test("row groups of any size are kept, also where a table is aligned", async () => {
  const rows = 262_145;
  const keys = upTo(rows);
  const tables = { targets: keyed(keys), other: keyed(["5"], { x: ["Int8", ["1"]] }) };
  const misaligned = writeTables(root, tables);
  assert.deepEqual((await planHere({ ...misaligned })).rowGroups, [rows]);
  const { output } = await mergeHere({ ...misaligned });
  const sums = await query(
    `select count(*)::int as rows, count(other_x)::int as found, min(interval_time)::int as least from '${output}'`,
  );
  assert.deepEqual(sums, [{ rows, found: 1, least: 1 }]);
});
