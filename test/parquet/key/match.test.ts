import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { ColumnChunk } from "../../../src/parquet/footer.ts";
import type { RowRuns } from "../../../src/parquet/gather/rows.ts";
import { describeKeyType, keyTypeOf, whyNotComparable } from "../../../src/parquet/key/key-type.ts";
import { formatKey, KeyDecoder, type KeyVector } from "../../../src/parquet/key/key-vector.ts";
import { findRepeated, matchKeys } from "../../../src/parquet/key/match.ts";
import { gatherRows, matchRows } from "../../../src/parquet/row-match.ts";
import { loadFile } from "../../support/bytes.ts";
import { type ColumnType, makeColumn, toFrame } from "../../support/columns.ts";
import { copyTo } from "../../support/duckdb.ts";
import { scratchFolder } from "../../support/folder.ts";

const path = join(await scratchFolder("keys"), "keys.parquet");
type Cells = readonly (string | null)[];

async function readKey(targets?: KeyVector): Promise<KeyVector> {
  const { footer, bytes } = await loadFile(path);
  const [column] = footer.columns;
  const type = column?.elements[0] === undefined ? undefined : keyTypeOf(column.elements[0]);
  assert.ok(column && type);
  const bytesOf = ({ start, size }: ColumnChunk) => bytes.subarray(start, start + size);
  return new KeyDecoder().decode({ footer, column, type, bytesOf }, targets?.type ?? type);
}

/** Keys as Polars writes them, in terms of `targets`; `rowGroupSize` cuts them into row groups. */
async function keysOf(
  type: ColumnType,
  cells: Cells,
  targets?: KeyVector,
  rowGroupSize = 1_000_000,
): Promise<KeyVector> {
  toFrame([makeColumn("key", type, cells)])
    .lazy()
    .sinkParquet(path, { rowGroupSize })
    .collectSync();
  return readKey(targets);
}

async function typeOf(type: ColumnType): Promise<string | undefined> {
  toFrame([makeColumn("key", type, ["1"])])
    .lazy()
    .sinkParquet(path)
    .collectSync();
  const element = (await loadFile(path)).footer.columns[0]?.elements[0];
  const found = element && keyTypeOf(element);
  return found && describeKeyType(found);
}

test("timestamps, integers, dates, strings and binary can be keys", async () => {
  const names: Partial<Record<ColumnType, string>> = {
    Int8: "Int8",
    UInt16: "UInt16",
    Int64: "Int64",
    UInt64: "UInt64",
    Date: "Date",
    String: "String",
    Categorical: "String",
    "Datetime ms": "Datetime(ms)",
    "Datetime ns UTC": "Datetime(ns,UTC)",
  };
  for (const [type, name] of Object.entries(names)) assert.equal(await typeOf(type as ColumnType), name, type);
  for (const type of ["Float64", "Bool", "Time", "Decimal9"] as const)
    assert.equal(await typeOf(type), undefined, type);
});

const conversions: [string, ColumnType, string[], ColumnType, (string | undefined)[] | RegExp][] = [
  ["a finer unit", "Datetime ms", ["-1", "5"], "Datetime ns", ["-1000000", "5000000"]],
  ["a coarser unit without loss", "Datetime ns UTC", ["-1000", "5000"], "Datetime us UTC", ["-1", "5"]],
  ["a coarser unit with loss", "Datetime ns", ["1000", "5001"], "Datetime us", ["1", undefined]],
  ["a loss before 1970", "Datetime us", ["-1", "-1000"], "Datetime ms", [undefined, "-1"]],
  [
    "an instant beyond the range of nanoseconds",
    "Datetime us",
    ["9223372036854776", "1"],
    "Datetime ns",
    [undefined, "1000"],
  ],
  ["a wider integer", "Int8", ["-128"], "Int64", ["-128"]],
  ["a narrower integer that fits", "UInt64", ["255"], "UInt8", ["255"]],
  ["a narrower integer that does not", "Int16", ["256"], "UInt8", ["256"]],
  ["a sign that is lost", "Int64", ["-1", "7"], "UInt64", [undefined, "7"]],
  ["an unsigned number that no signed one is", "UInt64", ["18446744073709551615", "7"], "Int64", [undefined, "7"]],
  ["unsigned numbers of 32 bits", "UInt32", ["4294967295"], "Int64", ["4294967295"]],
  ["large unsigned numbers", "UInt64", ["18446744073709551615"], "UInt64", ["18446744073709551615"]],
  [
    "a zone where the targets have none",
    "Datetime us UTC",
    ["1"],
    "Datetime us",
    /^type Datetime\(us,UTC\) where .* Datetime\(us\)$/,
  ],
  ["a date for a timestamp", "Date", ["1"], "Datetime us", /where the targets have/],
  ["a string for an integer", "String", ["1"], "Int64", /where the targets have/],
];

/** Keys as whole numbers, undefined where they are skipped. */
function numbersOf({ values, skip, rows, type }: KeyVector): (string | undefined)[] {
  assert.ok(values.kind === "words");
  const numbers = new BigInt64Array(values.words.buffer, values.words.byteOffset, rows);
  const unsigned = type.family === "integer" && !type.signed;
  return Array.from(numbers, (value, row) =>
    skip?.[row] === 1 ? undefined : String(unsigned ? BigInt.asUintN(64, value) : value),
  );
}

for (const [name, from, cells, to, expected] of conversions)
  test(`${name}: ${from} to ${to}`, async () => {
    const targets = await keysOf(to, []);
    const own = await keysOf(from, cells);
    const why = whyNotComparable(own.type, targets.type);
    if (expected instanceof RegExp) return assert.match(why ?? "", expected);
    assert.equal(why, undefined);
    assert.deepEqual(numbersOf(await keysOf(from, cells, targets)), expected);
  });

test("keys are compared by value and order; rows are counted", async () => {
  const targets = await keysOf("Int64", ["1", "2", "3"]);
  const compare = async (cells: Cells) => {
    const { runs: _, ...counts } = matchKeys(await keysOf("Int64", cells, targets), targets, "first");
    return counts;
  };
  const none = { nulls: 0, repeated: 0, firstRepeated: undefined };
  assert.deepEqual(await compare(["1", "2", "3"]), { ...none, equal: true, ordered: true, matched: 3 });
  assert.deepEqual(await compare(["3", "2", "1"]), { ...none, equal: false, ordered: false, matched: 3 });
  const mixed = { nulls: 1, repeated: 1, firstRepeated: 0, matched: 1, equal: false, ordered: true };
  assert.deepEqual(await compare(["2", "9", "2", null]), mixed);
  assert.deepEqual(await compare([]), { ...none, equal: false, ordered: true, matched: 0 });
});

test("a repeated key is shown as a person writes it", async () => {
  const cases: [ColumnType, string, string][] = [
    ["Datetime us UTC", "946684800000001", "2000-01-01 00:00:00.000001+00:00"],
    ["Datetime ms", "-1", "1969-12-31 23:59:59.999"],
    ["Datetime us UTC", "9223372036854775807", "9223372036854775807 us since 1970"],
    ["Date", "-1", "1969-12-31"],
    ["Date", "2147483647", "2147483647 days since 1970"],
    ["UInt64", "18446744073709551615", "18446744073709551615"],
    ["Int8", "-7", "-7"],
    ["String", "EURUSD", "EURUSD"],
  ];
  for (const [type, cell, expected] of cases) {
    const keys = await keysOf(type, [cell, cell]);
    assert.deepEqual(findRepeated(keys), { nulls: 0, repeated: 1, firstRepeated: 0 });
    assert.equal(formatKey(keys, 0), expected);
  }
});

test("binary keys of fixed and of any length are matched byte by byte", async () => {
  await copyTo(path, "select unhex(printf('%04X', range)) as key from range(300)");
  const targets = await readKey();
  await copyTo(
    path,
    "select unhex(printf('%04X', range)) as key from range(300) where range % 3 = 0 order by hash(range)",
  );
  assert.equal(matchKeys(await readKey(targets), targets, "error").matched, 100);
  assert.equal(formatKey(targets, 258), "0x0102");
  const uuid = "('00000000-0000-4000-8000-' || lpad(to_hex(range), 12, '0'))::uuid as key";
  await copyTo(path, `select ${uuid} from range(300)`);
  const uuids = await readKey();
  await copyTo(path, `select ${uuid} from range(300) order by range desc`);
  const { runs, matched } = matchKeys(await readKey(uuids), uuids, "error");
  assert.equal(matched, 300);
  assert.deepEqual([...runs.pairs.subarray(0, 4)], [299, 1, 298, 1]);
});

/** The row of each output row. */
function rowsOf({ pairs }: RowRuns): number[] {
  const runs = Array.from(
    { length: pairs.length / 2 },
    (_, run) => [pairs[2 * run] ?? -1, pairs[2 * run + 1] ?? 0] as const,
  );
  return runs.flatMap(([first, length]) => Array.from({ length }, (_, row) => (first === -1 ? -1 : first + row)));
}

const types = ["Int64", "Int8", "UInt64", "Date", "Datetime us UTC", "String"] as const;

test("any two key columns are matched as a plain search does", async () => {
  const cells = fc.array(fc.option(fc.nat(25), { freq: 12 }), { maxLength: 30, size: "max" });
  const drawn = fc.record({
    type: fc.constantFrom(...types),
    table: cells,
    sorted: fc.boolean(),
    targets: fc.uniqueArray(fc.nat(25), { maxLength: 20, size: "max" }),
    sortedTargets: fc.boolean(),
    policy: fc.constantFrom("first" as const, "last"),
    rowGroupSize: fc.constantFrom(3, 1000),
  });
  const text = (value: number | null) => (value === null ? null : String(value * 4));
  const sort = (values: (number | null)[]) => values.toSorted((left, right) => (left ?? -1) - (right ?? -1));
  await fc.assert(
    fc.asyncProperty(drawn, async ({ type, table, sorted, targets, sortedTargets, policy, rowGroupSize }) => {
      const own = (sorted ? sort(table) : table).map(text);
      const wanted = (sortedTargets ? sort(targets) : targets).map(text);
      const targetKeys = await keysOf(type, wanted);
      const keys = await keysOf(type, own, targetKeys, rowGroupSize);
      const match = matchKeys(keys, targetKeys, policy);
      const index = wanted.map((key) => (policy === "first" ? own.indexOf(key) : own.lastIndexOf(key)));
      assert.deepEqual(rowsOf(match.runs), index);
      const known = own.filter((key) => key !== null);
      assert.equal(match.repeated, known.length - new Set(known).size);
      assert.equal(match.nulls, own.length - known.length);
      assert.equal(match.matched, index.filter((row) => row >= 0).length);
      assert.equal(match.equal, own.length === wanted.length && index.every((row, place) => row === place));
      assert.deepEqual(
        [...matchRows(keys, targetKeys, policy).rows],
        index.filter((row) => row >= 0),
      );
    }),
    { numRuns: Number(process.env.KEY_RUNS ?? 300) },
  );
});

test("verification looks rows up through the key, also below the millisecond", async () => {
  const output = await keysOf("Datetime ns UTC", ["1", "2", "3"]);
  const source = await keysOf("Datetime ns UTC", ["3", "1", "1", "7"], output);
  assert.deepEqual(matchRows(source, output, "first").rows, [1, 0]);
  assert.deepEqual(matchRows(source, output, "last").rows, [2, 0]);
  const match = matchRows(source, output, "first");
  const values = makeColumn("value", "String", ["three", "one", "again", "seven"]);
  const found = gatherRows(values, makeColumn("x", "String", ["one", "stray", "three"]), match);
  assert.deepEqual(found.expected.toArray(), ["one", "three"]);
  assert.deepEqual(found.found.toArray(), ["one", "three"]);
  assert.equal(found.stray, 1);
});
