import assert from "node:assert/strict";
import { test } from "node:test";
import { countDifferences } from "../../src/parquet/polars.ts";
import { type ColumnType, makeColumn } from "../support/columns.ts";

test("differences are counted; nulls and NaNs are equal to themselves", () => {
  const of = (type: ColumnType, left: (string | null)[], right: (string | null)[]) =>
    countDifferences(makeColumn("a", type, left), makeColumn("b", type, right));
  assert.equal(of("Float64", ["NaN", null, "1"], ["NaN", null, "1"]), 0);
  assert.equal(of("Float64", ["NaN", null, "1", "2"], [null, "NaN", "1", "3"]), 3);
  assert.equal(of("Int64", ["9007199254740993"], ["9007199254740992"]), 1);
  assert.equal(of("Datetime ns", ["1"], ["2"]), 1);
  assert.equal(of("String", ["a", ""], ["a", null]), 1);
  assert.equal(of("Int8", ["1"], []), 1);
});
