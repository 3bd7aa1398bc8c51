/** Columns that are renamed, left out or read otherwise than they are stored: merged, verified, and compared with Polars. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pl from "nodejs-polars";
import { describeProblem } from "../../src/model/failure.ts";
import { isManifest } from "../../src/model/manifest.ts";
import { makeTable } from "../support/columns.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf, mergeHere, planHere, type SomeSettings, verifyHere } from "../support/in-process.ts";
import { keyed, writeTables } from "../support/tables.ts";

const root = await scratchFolder("columns");
const numbers = ["Int64", ["1", "2", "3"]] as const;

async function merge(settings: SomeSettings & { readonly input: string; readonly output: string }) {
  const { output, manifest } = await mergeHere({ ...settings, verify: "full" });
  const { problems } = await verifyHere({ input: settings.input, output: settings.output }, "pair", "full");
  assert.deepEqual(problems, []);
  const document: unknown = JSON.parse(readFileSync(manifest, "utf8"));
  if (!isManifest(document)) throw new Error("not a manifest");
  assert.equal((await mergeHere(settings)).outcome, "already done");
  return { frame: pl.readParquet(output), manifest: document };
}

test("columns are renamed in all tables or in some, the key and the targets' columns included", async () => {
  const tables = {
    targets: makeTable({ ts: ["Int64", ["1", "2", "3"]], y: numbers }),
    mkt: makeTable({ Time: ["Int64", ["3", "2", "1"]], v: numbers }),
    tri: makeTable({ interval_time: ["Int64", ["1", "2", "3"]], v: numbers, w: numbers }),
  };
  const rename = { ts: "interval_time", "m*/Time": "interval_time", "tri/v": "volume", y: "target" };
  const settings = { ...writeTables(root, tables), rename, separator: "__" };
  const { frame, manifest } = await merge(settings);
  assert.deepEqual(frame.columns, ["interval_time", "target", "mkt__v", "tri__volume", "tri__w"]);
  assert.deepEqual(frame.getColumn("mkt__v").toArray(), [3, 2, 1].map(BigInt).map(Number));
  assert.deepEqual(
    manifest.inputs.map(({ table, key }) => [table, key]),
    [
      ["targets", "ts"],
      ["mkt", "Time"],
      ["tri", undefined],
    ],
  );
  assert.deepEqual(manifest.settings.rename, rename);
  const other = await failureOf(mergeHere({ ...settings, separator: "." }));
  assert.match(other.message, /^the output exists, made from other inputs or settings/);
});

test("two columns that become the key are refused", async () => {
  const tables = { targets: keyed(["1"]), a: makeTable({ ts: ["Int64", ["1"]], interval_time: ["Int64", ["1"]] }) };
  const failure = await failureOf(planHere({ ...writeTables(root, tables), rename: "ts=interval_time" }));
  assert.deepEqual(failure.problems.map(describeProblem), [
    "a: several columns are the key interval_time: found columns ts, interval_time; rename all but one of them",
  ]);
});

test("an index that pandas saved is left out and named, unless it is kept or the key", async () => {
  const index = { __index_level_0__: numbers };
  const tables = { targets: keyed(["1", "2", "3"], index), a: keyed(["1", "2", "4"], { x: numbers, ...index }) };
  const { frame, manifest } = await merge(writeTables(root, tables));
  assert.deepEqual(frame.columns, ["interval_time", "a_x"]);
  assert.deepEqual(
    manifest.inputs.map(({ leftOut }) => leftOut),
    [["__index_level_0__"], ["__index_level_0__"]],
  );
  const kept = await merge({ ...writeTables(root, tables), keepIndex: true });
  assert.deepEqual(kept.frame.columns, ["interval_time", "__index_level_0__", "a_x", "a___index_level_0__"]);
  const ofKey = await planHere({ ...writeTables(root, tables), key: "__index_level_0__" });
  assert.deepEqual(
    ofKey.tables.map(({ leftOut }) => leftOut),
    [[], []],
  );
});

const instants = ["1763704800000000", "1763704801000000", "1763704802000000"];
const texts = ["2025-11-21 06:00:01+00:00", "2025-11-21T07:00:02+01:00", "2025-11-21 06:00:07"];

test("a text is matched with timestamps if it is read as one, and what is not one is refused by name", async () => {
  const targets = keyed(instants, { y: numbers }, "Datetime us UTC");
  const written = writeTables(root, { targets, a: keyed(texts, { x: numbers }, "String") });
  const plain = await failureOf(planHere(written));
  assert.deepEqual(plain.problems.map(describeProblem), [
    "a: key column interval_time does not fit the targets': found type String where the targets have Datetime(us,UTC); extract the table with the targets' key type, or read text as timestamps with --key-cast timestamp-utc",
  ]);
  const { frame, manifest } = await merge({ ...written, keyCast: "timestamp-utc" });
  assert.deepEqual(frame.getColumn("a_x").cast(pl.Utf8).toArray(), [null, "1", "2"]);
  assert.deepEqual(
    [manifest.settings.keyCast, manifest.inputs[1]?.rowsDropped, manifest.inputs[1]?.rowsNullFilled],
    ["timestamp-utc", 1, 1],
  );
  const broken = writeTables(root, { targets, a: keyed([...texts.slice(1), "21.11.2025"], { x: numbers }, "String") });
  const failure = await failureOf(mergeHere({ ...broken, keyCast: "timestamp-utc" }));
  assert.deepEqual(failure.problems.map(describeProblem), [
    'a: key column interval_time has text that --key-cast cannot read: found "21.11.2025" is not a timestamp; write every key as YYYY-MM-DD HH:MM:SS[.fraction], with an offset only for --key-cast timestamp-utc',
  ]);
});

test("the targets' key may be the text, and stays as it is", async () => {
  const targets = keyed(texts, { y: numbers }, "String");
  const written = writeTables(root, { targets, a: keyed(instants, { x: numbers }, "Datetime ms UTC") });
  const ticks = instants.map((text) => text.slice(0, -3));
  const a = keyed(ticks, { x: numbers }, "Datetime ms UTC");
  const { frame } = await merge({ ...writeTables(root, { targets, a }), keyCast: "timestamp-utc" });
  assert.deepEqual(frame.getColumn("interval_time").toArray(), texts);
  assert.deepEqual(frame.getColumn("a_x").cast(pl.Utf8).toArray(), ["2", "3", null]);
  assert.equal((await failureOf(planHere(written))).exitCode, 3);
});

test("timestamps without a time zone are UTC if the cast says so", async () => {
  const targets = keyed(instants, { y: numbers }, "Datetime us UTC");
  const written = writeTables(root, { targets, a: keyed(instants.toReversed(), { x: numbers }, "Datetime us") });
  assert.match(
    (await failureOf(planHere(written))).message,
    /read timestamps without a time zone as UTC with --key-cast/,
  );
  const { frame } = await merge({ ...written, keyCast: "timestamp-utc" });
  assert.deepEqual(frame.getColumn("a_x").cast(pl.Utf8).toArray(), ["3", "2", "1"]);
});

test("tables may be named after the pair's folder: in names of columns, patterns, rules and the list of expected tables", async () => {
  const tables = {
    targets: keyed(["1", "2", "3"], { y: numbers }),
    "mkt_ES=F": keyed(["1", "2", "3"], { v: numbers }),
    vol_pair: keyed(["1", "2", "3"], { v: numbers }),
    "x_ES=F": keyed(["1", "2", "3"], { v: numbers }),
  };
  const { input, output } = writeTables(root, tables, { pair: "ES=F" });
  const expectTables = join(input, "tables.txt");
  writeFileSync(expectTables, "targets\nmkt_{pair}\nvol_{pair}.parquet\nx_{pair}\n");
  const folders = { "ES=F": "pair" };
  const settings = {
    input,
    output,
    folders,
    expectTables,
    excludeTables: ["x_{pair}"],
    rename: { "mkt_{pair}/v": "w" },
  };
  const { frame, manifest } = await merge(settings);
  assert.deepEqual(frame.columns, ["interval_time", "y", "mkt_w", "vol_v"]);
  assert.deepEqual(manifest.excluded, ["x_ES=F"]);
});
