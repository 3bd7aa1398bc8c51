import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { ExitCode } from "../../src/model/exit-code.ts";
import { anyCheckpoint, type DrawnCheckpoint, featureName, keyName, writeCheckpoint } from "../support/checkpoint.ts";
import { anyDuckCheckpoint, writeDuckCheckpoint } from "../support/duckdb-checkpoint.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf, mergeHere, planHere } from "../support/in-process.ts";
import { compareFrames, joinAll, keyFirst } from "../support/oracle.ts";

const folder = await scratchFolder("property");
const input = join(folder, "in");
const output = join(folder, "out");

function settingsOf(drawn: DrawnCheckpoint) {
  const { duplicates, rowGroupRows, verify } = drawn;
  return { input, output, duplicates, rowGroupRows, verify, minMatch: 0 };
}

function repeats(keys: readonly number[] | string): boolean {
  return typeof keys !== "string" && new Set(keys).size < keys.length;
}

test("the output is the plain left join of all tables, to the bit", async () => {
  await fc.assert(
    fc.asyncProperty(anyCheckpoint, async (drawn) => {
      writeCheckpoint(input, drawn);
      rmSync(output, { recursive: true, force: true });
      const settings = settingsOf(drawn);
      const repeated = drawn.features.flatMap(({ keys }, index) => (repeats(keys) ? [featureName(index)] : []));
      if (drawn.duplicates === "error" && repeated.length > 0) {
        const failure = await failureOf(mergeHere(settings));
        assert.equal(failure.exitCode, ExitCode.input);
        assert.deepEqual(failure.problems.map(({ table }) => table).sort(), repeated);
        assert.ok(!existsSync(output));
        return;
      }
      const plan = await planHere(settings);
      const result = await mergeHere(settings);
      assert.deepEqual(readdirSync(output).sort(), ["training_pair.manifest.json", "training_pair.parquet"]);
      const options = { key: keyName, pair: "pair", duplicates: drawn.duplicates };
      const expected = keyFirst(joinAll(join(input, "pair"), options), keyName);
      assert.deepEqual(compareFrames(expected, pl.readParquet(result.output)), []);
      assert.equal(result.rows, expected.height);
      assert.equal(result.columns, expected.width);
      assert.equal(plan.columns, expected.width);
      assert.equal((await mergeHere(settings)).outcome, "already done");
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 400) },
  );
});

test("files of DuckDB: row groups, version 2 pages, every codec, binary, decimals, uuid", async () => {
  await fc.assert(
    fc.asyncProperty(anyDuckCheckpoint, async (drawn) => {
      await writeDuckCheckpoint(input, drawn);
      rmSync(output, { recursive: true, force: true });
      const { rowGroupRows, verify } = drawn;
      const result = await mergeHere({ input, output, duplicates: "last", rowGroupRows, verify, minMatch: 0 });
      const options = { key: keyName, pair: "pair", duplicates: "last" } as const;
      const expected = keyFirst(joinAll(join(input, "pair"), options), keyName);
      assert.deepEqual(compareFrames(expected, pl.readParquet(result.output)), []);
      const same = drawn.features.filter(({ keys }) => keys === "same").length;
      assert.equal(result.tables.spliced >= (drawn.rows === 0 ? 0 : 1 + same), true, "what can be spliced is");
    }),
    { numRuns: Number(process.env.DUCKDB_RUNS ?? 60) },
  );
});
