import assert from "node:assert/strict";
import { test } from "node:test";
import {
  canBeKey,
  compareKeys,
  convertKey,
  countDifferences,
  countRepeated,
  indexRows,
  typeName,
} from "../../src/parquet/polars.ts";
import { gatherRows, matchRows } from "../../src/parquet/row-match.ts";
import { type ColumnType, makeColumn, toCells } from "../support/columns.ts";

const column = (type: ColumnType, ...cells: (string | null)[]) => makeColumn("key", type, cells);

test("timestamps, integers, dates and strings can be keys", () => {
  const keys: ColumnType[] = ["Int8", "Int64", "UInt64", "Date", "String", "Datetime ms", "Datetime ns UTC"];
  for (const type of keys) assert.equal(canBeKey(typeName(column(type))), true, type);
  const others: ColumnType[] = ["Float64", "Bool", "Time", "Duration", "Decimal9", "Categorical"];
  for (const type of others) assert.equal(canBeKey(typeName(column(type))), false, type);
});

const conversions: [string, ColumnType, string[], ColumnType, string[] | RegExp][] = [
  ["a finer unit", "Datetime ms", ["-1", "5"], "Datetime ns", ["-1000000", "5000000"]],
  ["a coarser unit without loss", "Datetime ns UTC", ["-1000", "5000"], "Datetime us UTC", ["-1", "5"]],
  [
    "a coarser unit with loss",
    "Datetime ns",
    ["1000", "5001"],
    "Datetime us",
    /Datetime\(us,\) of the targets cannot hold/,
  ],
  ["a loss before 1970", "Datetime us", ["-1"], "Datetime ms", /cannot hold/],
  ["an instant beyond the range of nanoseconds", "Datetime us", ["9223372036854776"], "Datetime ns", /cannot hold/],
  ["a wider integer", "Int8", ["-128"], "Int64", ["-128"]],
  ["a narrower integer that fits", "UInt64", ["255"], "UInt8", ["255"]],
  ["a narrower integer that does not", "Int16", ["256"], "UInt8", /cannot hold/],
  ["a sign that is lost", "Int64", ["-1"], "UInt64", /cannot hold/],
  [
    "a zone where the targets have none",
    "Datetime us UTC",
    ["1"],
    "Datetime us",
    /^type Datetime\(us,UTC\) where the targets have Datetime\(us,\)$/,
  ],
  ["a date for a timestamp", "Date", ["1"], "Datetime us", /where the targets have/],
  ["a string for an integer", "String", ["1"], "Int64", /where the targets have/],
];

for (const [name, from, cells, to, expected] of conversions) {
  test(`${name}: ${from} to ${to}`, () => {
    const found = convertKey(column(from, ...cells), column(to));
    if (expected instanceof RegExp) return assert.match(String(found), expected);
    assert.ok(typeof found !== "string", String(found));
    assert.equal(typeName(found), typeName(column(to)));
    assert.deepEqual(toCells(found), expected);
  });
}

test("keys are compared by value and order; rows are counted", () => {
  const targets = column("Int64", "1", "2", "3");
  const same = { nulls: 0, repeated: 0, firstRepeated: undefined, matched: 3 };
  assert.deepEqual(compareKeys(column("Int64", "1", "2", "3"), targets), { ...same, equal: true });
  assert.deepEqual(compareKeys(column("Int64", "3", "2", "1"), targets), { ...same, equal: false });
  assert.deepEqual(compareKeys(column("Int64", "2", "9", "2", null), targets), {
    nulls: 1,
    repeated: 1,
    firstRepeated: "2",
    matched: 1,
    equal: false,
  });
  assert.deepEqual(compareKeys(column("Int64"), targets), { ...same, matched: 0, equal: false });
});

test("the first repeated key is shown as a person writes it", () => {
  const instants = column("Datetime us UTC", "5", "946684800000000", "946684800000000");
  assert.deepEqual(countRepeated(instants).repeated, 1);
  assert.match(countRepeated(instants).firstRepeated ?? "", /^2000-01-01 00:00:00/);
});

test("each target key has its row in the table, or none", () => {
  const table = column("Int32", "9", "3", "1", "3");
  const targets = column("Int64", "1", "2", "3");
  assert.deepEqual([...indexRows(table, targets, "first")], [2, -1, 1]);
  assert.deepEqual([...indexRows(table, targets, "last")], [2, -1, 3]);
  assert.throws(() => indexRows(table, targets, "error"));
});

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

test("source rows are found through the key, also below the millisecond", () => {
  const source = column("Datetime ns UTC", "3", "1", "1", "7");
  const output = column("Datetime ns UTC", "1", "2", "3");
  assert.deepEqual(matchRows(source, output, "first").rows, [1, 0]);
  assert.deepEqual(matchRows(source, output, "last").rows, [2, 0]);
  const match = matchRows(source, output, "first");
  const values = makeColumn("value", "String", ["three", "one", "again", "seven"]);
  const found = gatherRows(values, makeColumn("x", "String", ["one", "stray", "three"]), match);
  assert.deepEqual(found.expected.toArray(), ["one", "three"]);
  assert.deepEqual(found.found.toArray(), ["one", "three"]);
  assert.equal(found.stray, 1);
});
