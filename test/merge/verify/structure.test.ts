import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkStructure } from "../../../src/merge/verify/structure.ts";
import { localStore } from "../../../src/store/local/store.ts";
import { loadFile } from "../../support/bytes.ts";
import { scratchFolder } from "../../support/folder.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("structure");
const table = keyed(upTo(5), { x: ["Float64", upTo(5)], y: ["String", upTo(5)] });
const { input } = writeTables(root, { table }, { rowGroupSize: 2 });
const path = join(input, "pair", "table.parquet");
const right = { rows: 5, rowGroups: [2, 2, 1], columns: ["interval_time", "x", "y"] };

async function check(bytes: Uint8Array, expected?: typeof right) {
  const copy = join(root, "copy.parquet");
  writeFileSync(copy, bytes);
  const file = await localStore.stat(copy);
  assert.ok(file);
  const opened = await localStore.open(file);
  const { pages, problems } = await checkStructure(opened, expected);
  await opened.close();
  return { pages, found: problems.map((problem) => problem.found) };
}

const sound = readFileSync(path);

test("a sound file has no problem, and its pages are counted", async () => {
  const { pages, found } = await check(sound, right);
  assert.deepEqual(found, []);
  assert.ok(pages >= 9, "at least one page for each of three columns in three row groups");
  assert.deepEqual((await check(sound)).found, []);
});

const differences: [string, Partial<typeof right>, RegExp][] = [
  ["rows", { rows: 6 }, /^5 rows where 6 are expected$/],
  ["row groups", { rowGroups: [5] }, /^row groups of 2, 2, 1 rows where 5 are expected$/],
  [
    "a column too many",
    { columns: ["interval_time", "x"] },
    /^3 columns where 2 are expected,column 2 is y where none is expected$/,
  ],
  ["a column too few", { columns: ["interval_time", "x", "y", "z"] }, /^3 columns where 4 are expected/],
  ["columns in another order", { columns: ["interval_time", "y", "x"] }, /^column 1 is x where y is expected$/],
];

for (const [name, changed, pattern] of differences)
  test(`${name} other than planned`, async () => {
    assert.match((await check(sound, { ...right, ...changed })).found.join(), pattern);
  });

test("a damaged page header is told by column and row group", async () => {
  const { footer, bytes } = await loadFile(path);
  const chunk = footer.rowGroups[1]?.chunks[1];
  assert.ok(chunk);
  bytes.fill(0xff, chunk.start, chunk.start + 4);
  assert.match((await check(bytes, right)).found.join(), /^column x, row group 1: page 0: /);
});

test("what is not Parquet is a problem, not an exception", async () => {
  assert.match((await check(sound.subarray(0, 100), right)).found.join(), /not Parquet, or truncated/);
  assert.match((await check(Buffer.alloc(0), right)).found.join(), /^0 bytes$/);
});
