import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseDefects, damageRows, misalignments } from "../../src/sample/defects.ts";

const day = 86_400_000_000n;
const keys = BigInt64Array.from({ length: 500 }, (_, row) => BigInt(row) * day);
const sorted = (values: BigInt64Array): BigInt64Array => values.toSorted();
const tables = (count: number): string[] => Array.from({ length: count }, (_, index) => `table_${index}`);

test("the shares are exact, and the three misalignments take turns", () => {
  const chosen = chooseDefects(tables(40), { misaligned: 0.3, duplicates: 0.25, seed: 1 }, "audusd");
  const defects = [...chosen.values()];
  const counts = misalignments.map((kind) => defects.filter(({ misalignment }) => misalignment === kind).length);
  assert.deepEqual(counts, [4, 4, 4]);
  assert.equal(defects.filter(({ duplicates }) => duplicates).length, 10);
  assert.ok([...chosen.keys()].every((name) => tables(40).includes(name)));
});

test("shares of 0 and 1 mean no table and every table", () => {
  assert.equal(chooseDefects(tables(7), { misaligned: 0, duplicates: 0, seed: 1 }, "audusd").size, 0);
  const all = [...chooseDefects(tables(7), { misaligned: 1, duplicates: 1, seed: 1 }, "audusd").values()];
  assert.equal(all.length, 7);
  assert.ok(all.every(({ misalignment, duplicates }) => misalignment !== undefined && duplicates));
});

test("the choice depends on the seed and the pair", () => {
  const choose = (seed: number, pair: string) =>
    chooseDefects(tables(100), { misaligned: 0.2, duplicates: 0.2, seed }, pair);
  assert.deepEqual(choose(1, "audusd"), choose(1, "audusd"));
  assert.notDeepEqual(choose(1, "audusd"), choose(2, "audusd"));
  assert.notDeepEqual(choose(1, "audusd"), choose(1, "eurjpy"));
});

test("a table that lacks rows has a hundredth fewer, the rest untouched", () => {
  const table = damageRows(keys, { misalignment: "lacks rows", duplicates: false }, "a");
  assert.equal(table.keys.length, 495);
  assert.deepEqual(table.keys, sorted(table.keys));
  assert.ok(table.keys.every((key, row) => key === keys[table.sources[row] ?? -1]));
});

test("extra rows have keys that the targets do not have", () => {
  const table = damageRows(keys, { misalignment: "extra rows", duplicates: false }, "a");
  assert.equal(table.keys.length, 505);
  assert.deepEqual(table.keys, sorted(table.keys));
  assert.equal(table.keys.filter((key) => !keys.includes(key)).length, 5);
});

test("an unsorted table has every row once, out of order", () => {
  for (const label of ["a", "b", "c"]) {
    const table = damageRows(keys, { misalignment: "unsorted", duplicates: false }, label);
    assert.notDeepEqual(table.keys, keys);
    assert.deepEqual(sorted(table.keys), keys);
    assert.ok(table.keys.every((key, row) => key === keys[table.sources[row] ?? -1]));
  }
});

test("duplicates repeat keys with other values, with every misalignment", () => {
  for (const misalignment of [undefined, ...misalignments]) {
    const defect = misalignment === undefined ? { duplicates: true } : { misalignment, duplicates: true };
    const table = damageRows(keys, defect, "a");
    assert.equal(table.keys.length - new Set(table.keys).size, 5);
    const repeats = [...table.keys.keys()].filter((row) => table.keys[row] === table.keys[row - 1]);
    assert.equal(repeats.length, 5);
    assert.ok(repeats.every((row) => table.sources[row] !== table.sources[row - 1] || table.sources[row] === 0));
  }
});

test("two rows are enough for every defect", () => {
  const [lacks, extra, unsorted] = misalignments.map((misalignment) =>
    damageRows(keys.slice(0, 2), { misalignment, duplicates: false }, "a"),
  );
  assert.deepEqual([lacks?.keys.length, extra?.keys.length], [1, 3]);
  assert.deepEqual(unsorted?.keys, BigInt64Array.of(day, 0n));
});
