import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import pl from "nodejs-polars";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere } from "../../support/in-process.ts";
import { keyed, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("naming");
const value = (...names: string[]) =>
  keyed(["1"], Object.fromEntries(names.map((name) => [name, ["Int64", ["7"]] as const])));

test("columns get their table's name without the pair; the targets keep theirs", async () => {
  const tables = { targets: value("y"), mkt_mean_pair: value("x"), pair: value("x"), tri_pair_2: value("x", "y") };
  const { output, columns } = await mergeHere({ ...writeTables(root, tables) });
  const expected = ["interval_time", "y", "mkt_mean_x", "pair_x", "tri_pair_2_x", "tri_pair_2_y"];
  assert.deepEqual(pl.readParquet(output).columns, expected);
  assert.equal(columns, 6);
});

test("with keep, names stay as they are", async () => {
  const written = writeTables(root, { targets: value("y"), a_pair: value("x"), b: value("z") });
  const { output } = await mergeHere({ ...written, naming: "keep" });
  assert.deepEqual(pl.readParquet(output).columns, ["interval_time", "y", "x", "z"]);
});

test("every clash of output names is told with both tables, and nothing is made", async () => {
  const written = writeTables(root, { targets: value("y", "a_x"), a: value("x"), a_pair: value("x", "z") });
  const { exitCode, problems } = await failureOf(mergeHere({ ...written }));
  assert.equal(exitCode, 3);
  assert.deepEqual(
    problems.map(({ what, found, table }) => [what, found, table]),
    [
      ["two columns would be named a_x", "targets.a_x and a.x", "a"],
      ["two columns would be named a_x", "targets.a_x and a_pair.x", "a_pair"],
    ],
  );
  assert.deepEqual(existsSync(written.output) ? readdirSync(written.output) : [], []);
});

test("a column with the key's name clashes with the key", async () => {
  const other = value("x").rename({ x: "interval_time_2" });
  const written = writeTables(root, { targets: value("y"), interval: other.rename({ interval_time_2: "time" }) });
  const { problems } = await failureOf(mergeHere({ ...written }));
  assert.deepEqual(
    problems.map(({ found }) => found),
    ["the key and interval.time"],
  );
});
