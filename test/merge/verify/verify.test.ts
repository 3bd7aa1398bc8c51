import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { DataFrame } from "nodejs-polars";
import type { VerifyLevel } from "../../../src/config/settings.ts";
import { verifyOutput } from "../../../src/merge/verify/verify.ts";
import { localStore } from "../../../src/store/local/store.ts";
import { loadFile } from "../../support/bytes.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, makeContext, mergeHere, verifyHere } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("verify");
const targets = keyed(upTo(4), { y: ["Int64", upTo(4)] });
const shuffled = keyed(["4", "2", "9", "1"], {
  x: ["Float64", ["0.4", "NaN", "0.9", null]],
  t: ["String", ["four", "", "nine", null]],
});
const tables = { targets, a: shuffled };

/** Verifies a file of another maker against the sources, as if it were the output of a merge. */
async function check(output: DataFrame, level: VerifyLevel, sources = tables) {
  const { input } = writeTables(root, sources);
  const path = join(dirname(input), "output.parquet");
  output.writeParquet(path);
  const columns = { targets: ["y"], a: ["x", "t"] };
  const expected = await Promise.all(
    Object.entries(columns).map(async ([table, names]) => {
      const file = await localStore.stat(join(input, "pair", `${table}.parquet`));
      assert.ok(file);
      const prefix = table === "targets" ? "" : `${table}_`;
      const lineage = names.map((name) => ({ input: name, output: `${prefix}${name}` }));
      const kind = { isTargets: table === "targets", action: "align" } as const;
      return { file: { ...file, table }, ...kind, columns: lineage, key: "interval_time" };
    }),
  );
  const file = await localStore.stat(path);
  assert.ok(file);
  const opened = await localStore.open(file);
  const shape = { rows: 4, rowGroups: [4], columns: ["interval_time", "y", "a_x", "a_t"] };
  const wanted = { ...shape, tables: expected, key: "interval_time", duplicates: "error", keyCast: "none" } as const;
  const { problems, columnsCompared } = await verifyOutput(makeContext(), { path, opened }, wanted, level);
  await opened.close();
  return { found: problems.map((problem) => problem.found), columnsCompared };
}

function join4(y: string[], x: (string | null)[], t: (string | null)[], keys = upTo(4)): DataFrame {
  const frame = keyed(keys, { y: ["Int64", y], a_x: ["Float64", x], a_t: ["String", t] });
  return frame;
}

const right = join4(upTo(4), [null, "NaN", null, "0.4"], [null, "", null, "four"]);

test("a right output passes every level", async () => {
  assert.deepEqual(await check(right, "structure"), { found: [], columnsCompared: 0 });
  assert.deepEqual(await check(right, "sample"), { found: [], columnsCompared: 3 });
  assert.deepEqual(await check(right, "full"), { found: [], columnsCompared: 4 });
});

const wrong: [string, DataFrame, RegExp][] = [
  [
    "a changed number",
    join4(upTo(4), [null, "NaN", null, "0.5"], [null, "", null, "four"]),
    /^column a_x: 1 value differs/,
  ],
  [
    "a value in the wrong row",
    join4(upTo(4), [null, "NaN", "0.4", null], [null, "", null, "four"]),
    /^column a_x: 2 values differ/,
  ],
  [
    "a value where the table has no row",
    join4(upTo(4), [null, "NaN", "7", "0.4"], [null, "", null, "four"]),
    /^column a_x: 1 value differs/,
  ],
  [
    "null for an empty text",
    join4(upTo(4), [null, "NaN", null, "0.4"], [null, null, null, "four"]),
    /^column a_t: 1 value differs/,
  ],
  [
    "a changed target",
    join4(["1", "2", "3", "5"], [null, "NaN", null, "0.4"], [null, "", null, "four"]),
    /^column y: 1 value differs/,
  ],
];

for (const [name, output, pattern] of wrong) {
  test(`${name} is found by full, not by structure`, async () => {
    assert.match((await check(output, "full")).found.join(), pattern);
    assert.deepEqual((await check(output, "structure")).found, []);
  });
}

test("the key has the targets' values in their order, whatever else is right", async () => {
  const bare = { ...tables, targets: keyed(upTo(4), { y: ["Int64", [null, null, null, null]] }) };
  const none = [null, null, null, null];
  const other = keyed(["1", "2", "3", "5"], { y: ["Int64", none], a_x: ["Float64", none], a_t: ["String", none] });
  assert.match((await check(other, "sample", bare)).found.join("\n"), /^column interval_time: 1 value differs/);
  const reversed = right.reverse();
  assert.match((await check(reversed, "full")).found.join("\n"), /column interval_time: 4 values differ/);
});

test("sample looks at one column of every table", async () => {
  const names = upTo(10).map((name) => `c${name}`);
  const columns = Object.fromEntries(names.map((name) => [name, ["Int64", upTo(4)] as const]));
  const written = writeTables(root, { targets, a: keyed(upTo(4), columns), b: keyed(upTo(4).reverse(), columns) });
  const result = await mergeHere({ ...written, verify: "sample" });
  const manifest = JSON.parse(readFileSync(result.manifest, "utf8"));
  assert.deepEqual([manifest.verification.columnsCompared, manifest.verification.problems], [4, []]);
  assert.equal((await verifyHere({ ...written }, "pair", "full")).columnsCompared, 22);
});

test("a flipped byte is found by full wherever it lies", async () => {
  const written = writeTables(root, tables);
  const { output } = await mergeHere({ ...written });
  const { footer, bytes } = await loadFile(output);
  assert.deepEqual((await verifyHere({ ...written }, "pair", "full")).problems, []);
  for (const chunk of footer.rowGroups.flatMap((group) => group.chunks)) {
    for (const at of [chunk.start, chunk.start + Math.floor(chunk.size / 2), chunk.start + chunk.size - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      writeFileSync(output, damaged);
      const { problems } = await verifyHere({ ...written }, "pair", "full");
      assert.ok(problems.length > 0, `${chunk.path[0]} at ${at}`);
    }
  }
});

test("sources that changed since the merge are not compared with", async () => {
  const written = writeTables(root, tables);
  await mergeHere({ ...written });
  keyed(["1"]).writeParquet(join(written.input, "pair", "a.parquet"));
  const failure = await failureOf(verifyHere({ ...written }, "pair", "full"));
  assert.equal(failure.exitCode, 3);
  assert.equal((await verifyHere({ ...written }, "pair", "structure")).problems.length, 0);
});

test("without output or manifest there is nothing to verify", async () => {
  const written = writeTables(root, tables);
  assert.match((await failureOf(verifyHere({ ...written }, "pair", "structure"))).message, /nothing to verify/);
  const path = join(written.input, "pair", "a.parquet");
  assert.match((await failureOf(verifyHere({ ...written }, path, "full"))).message, /manifest/);
});
