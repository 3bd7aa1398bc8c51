import assert from "node:assert/strict";
import { test } from "node:test";
import { isPandasIndex, renameColumn } from "../../src/model/column-names.ts";

test("a column is renamed by the rule for its table, else by the general rule, else not at all", () => {
  const rename = { ts: "interval_time", "mkt_*/ts": "when", "x/a/b": "c", "d/e": "f", "/g": "h" };
  const name = (table: string, column: string) => renameColumn(rename, { pair: ["audusd"], table, column });
  assert.equal(name("tri", "ts"), "interval_time");
  assert.equal(name("mkt_vol", "ts"), "when");
  assert.equal(name("mkt_vol", "t"), "t");
  assert.equal(name("x", "a/b"), "c");
  assert.equal(name("d", "e"), "f");
  assert.equal(name("any", "d/e"), "f");
  assert.equal(name("", "g"), "g");
  assert.equal(renameColumn({}, { pair: ["p"], table: "t", column: "__proto__" }), "__proto__");
  assert.equal(renameColumn({ "{pair}/x": "y" }, { pair: ["p"], table: "p", column: "x" }), "y");
});

test("only columns that pandas makes for an index are such", () => {
  assert.deepEqual(
    ["__index_level_0__", "__index_level_12__", "index", "__index_level__", "_index_level_0_"].map(isPandasIndex),
    [true, true, false, false, false],
  );
});
