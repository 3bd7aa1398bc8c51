import assert from "node:assert/strict";
import { test } from "node:test";
import { explainMissingKeys } from "../../../src/merge/inspect/missing-key.ts";
import { describeProblem } from "../../../src/model/failure.ts";

const lacking = (table: string, ...columns: string[]) => ({
  file: { table, path: `${table}.parquet`, size: 1, version: "1" },
  columns,
  nested: [],
});
const explain = (missing: ReturnType<typeof lacking>[], tables = missing.length) =>
  explainMissingKeys(missing, tables, "interval_time").map(describeProblem);

test("one message where another key suits all tables", () => {
  assert.deepEqual(explain([lacking("targets", "ts", "y"), lacking("a", "x", "ts")]), [
    "no table has the key column interval_time: found all 2 tables have ts; name the key: --key ts",
  ]);
  assert.deepEqual(explain([lacking("targets", "a", "Interval_Time"), lacking("b", "a", "Interval_Time")]), [
    "no table has the key column interval_time: found all 2 tables have Interval_Time; name the key: --key Interval_Time",
  ]);
  assert.deepEqual(explain([lacking("targets", "the time"), lacking("b", "the time", "it's")]), [
    "no table has the key column interval_time: found all 2 tables have the time; name the key: --key 'the time'",
  ]);
});

test("the same column in another spelling, and with others that all tables have", () => {
  const tables = [lacking("y", "a", "ts"), lacking("b", "a", "Ts"), lacking("c", "ts", "a")];
  assert.deepEqual(explain(tables), [
    "no table has the key column interval_time: found all 3 tables have ts, some as Ts; name the key: --key ts --rename Ts=ts",
  ]);
});

test("one message for many tables that lack the key alike, with the columns that all of them have", () => {
  const rest = ", name another key for all tables with --key, or leave the table out with --exclude-tables";
  const tables = (...columns: string[]) => [..."abcdefg"].map((name) => lacking(name, `${name}_x`, ...columns));
  assert.deepEqual(explain(tables("when", "close")), [
    `no flat key column interval_time in 7 tables: a, b, c, d, e and 2 more: found all of them have when, close; rename the column that is the key with --rename${rest}`,
  ]);
  assert.deepEqual(explain([...tables("Interval_Time"), lacking("h", "x")], 9), [
    `no flat key column interval_time in 7 tables: a, b, c, d, e and 2 more: found all of them have Interval_Time; if Interval_Time is the key, pass --rename Interval_Time=interval_time${rest}`,
    `h: no flat key column interval_time: found columns x; if x is the key, pass --rename x=interval_time${rest}`,
  ]);
  assert.match(
    explain([lacking("a", "m", "n"), lacking("b", "o", "p"), lacking("c", "q", "r"), lacking("d", "s", "t")]).join(
      "\n",
    ),
    /^no flat key column interval_time in 4 tables: a, b, c, d: found no column that all of them have; /,
  );
});

test("otherwise a message for each table, with the column that is likely meant", () => {
  const rest = ", name another key for all tables with --key, or leave the table out with --exclude-tables";
  assert.deepEqual(explain([lacking("a", "Interval_Time", "x")], 3), [
    `a: no flat key column interval_time: found columns Interval_Time, x; if Interval_Time is the key, pass --rename Interval_Time=interval_time${rest}`,
  ]);
  assert.deepEqual(explain([lacking("a", "x", "__index_level_0__"), lacking("b", "x", "y")], 3), [
    `a: no flat key column interval_time: found columns x, __index_level_0__; if __index_level_0__ is the key, pass --rename __index_level_0__=interval_time${rest}`,
    `b: no flat key column interval_time: found columns x, y; rename the column that is the key with --rename${rest}`,
  ]);
});
