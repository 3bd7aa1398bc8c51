import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pl from "nodejs-polars";
import { decodeTargetsKey, KeyProver } from "../../../src/merge/inspect/keys.ts";
import { inspectTable } from "../../../src/merge/inspect/table.ts";
import { ReusableBuffer } from "../../../src/parquet/buffer-pool.ts";
import { localStore } from "../../../src/store/local/store.ts";
import { toCells } from "../../support/columns.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, makeSettings, mergeHere, planHere, TestPort } from "../../support/in-process.ts";
import { keyed, upTo, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("keys");

test("equal keys are proven by their bytes, or by their values where they are encoded otherwise", async () => {
  const written = writeTables(root, { targets: keyed(upTo(9)), bytes: keyed(upTo(9)) });
  const others = writeTables(
    root,
    { values: keyed(upTo(9)), wider: keyed(upTo(9), {}, "Int16") },
    { compression: "zstd" },
  );
  for (const name of ["values", "wider"])
    copyFileSync(join(others.input, "pair", `${name}.parquet`), join(written.input, "pair", `${name}.parquet`));
  const { tables } = await planHere({ ...written });
  assert.deepEqual(
    tables.map(({ file, action, reason }) => [file.table, action, reason.split(" ").slice(0, 2).join(" ")]),
    [
      ["targets", "splice", "same bytes"],
      ["bytes", "splice", "same bytes"],
      ["values", "splice", "same values"],
      ["wider", "splice", "same values"],
    ],
  );
});

test("the same numbers in another unit are other keys, though their bytes are the same", async () => {
  const tables = {
    targets: keyed(["1000", "2000"], {}, "Datetime us"),
    a: keyed(["1000", "2000"], { x: ["Int8", ["1", "2"]] }, "Datetime ms"),
  };
  const written = writeTables(root, tables);
  const [, table] = (await planHere({ ...written, minMatch: 0 })).tables;
  assert.equal(table?.action, "align");
  assert.equal(table?.rowsNullFilled, 2);
  const { output } = await mergeHere({ ...written, verify: "full", minMatch: 0 });
  assert.deepEqual(toCells(pl.readParquet(output).getColumn("a_x")), [null, null]);
});

const refused: [string, Parameters<typeof writeTables>[1], RegExp][] = [
  [
    "null keys of the targets",
    { targets: keyed(["1", null, null]) },
    /^targets: null keys in interval_time of the targets: found 2 nulls/,
  ],
  [
    "repeated keys of the targets",
    { targets: keyed(["1", "2", "2"]) },
    /^targets: duplicate keys .* found 1 repeated row, first key 2/,
  ],
  [
    "null keys of a table",
    { targets: keyed(["1"]), a: keyed(["1", null]) },
    /^a: null keys in interval_time: found 1 null/,
  ],
  [
    "repeated keys of a table",
    { targets: keyed(["1"]), a: keyed(["1", "7", "7", "7"]) },
    /^a: duplicate keys in interval_time: found 2 repeated rows, first key 7/,
  ],
  [
    "keys of another type",
    { targets: keyed(["1"]), a: keyed(["1"], {}, "String") },
    /^a: key column interval_time does not fit the targets': found type String where the targets have Int64/,
  ],
  [
    "keys of which none is a target's",
    { targets: keyed(["1"], {}, "Int8"), a: keyed(["300"]) },
    /^a: no key in interval_time is one of the targets': found 1 row, first key 300; .* --exclude-tables a, .*--min-match 0/,
  ],
  [
    "a table without rows",
    { targets: keyed(["1"]), a: keyed([]) },
    /^a: no key in interval_time is one of the targets': found no rows/,
  ],
  ["keys that cannot be keys", { targets: keyed(["1.5"], {}, "Float64") }, /^targets: .*cannot be a key: found DOUBLE/],
  [
    "no key",
    { targets: keyed(["1"]), a: keyed(["1"]).rename({ interval_time: "time" }) },
    /^a: no flat key column interval_time: found columns time; /,
  ],
];

for (const [name, tables, pattern] of refused) {
  test(`${name} are refused`, async () => {
    const failure = await failureOf(mergeHere({ ...writeTables(root, tables) }));
    assert.equal(failure.exitCode, 3);
    assert.match(failure.message, pattern);
    assert.equal(failure.problems.length, 1);
  });
}

test("rows whose key the targets cannot hold are surplus; rows without a key are dropped on request", async () => {
  const tables = {
    targets: keyed(["1000", "2000"], {}, "Datetime us"),
    a: keyed(["1000000", "2000001", "2000000", null], { x: ["Int8", ["1", "2", "3", "4"]] }, "Datetime ns"),
  };
  const written = writeTables(root, tables);
  const { output } = await mergeHere({ ...written, verify: "full", nullKeys: "drop" });
  assert.deepEqual(toCells(pl.readParquet(output).getColumn("a_x")), ["1", "3"]);
  const [, table] = (await planHere({ ...written, nullKeys: "drop" })).tables;
  assert.deepEqual([table?.rowsDropped, table?.rowsNullFilled, table?.duplicateRows], [2, 0, 0]);
});

test("unsigned keys of 2^63 and above are matched", async () => {
  const keys = ["18446744073709551615", "9223372036854775808", "7"];
  const tables = {
    targets: keyed(keys, {}, "UInt64"),
    a: keyed(keys.toReversed(), { x: ["Int8", ["1", "2", "3"]] }, "UInt64"),
  };
  const { output } = await mergeHere({ ...writeTables(root, tables), verify: "full" });
  assert.deepEqual(toCells(pl.readParquet(output).getColumn("a_x")), ["3", "2", "1"]);
});

test("a table with few of the targets' keys is warned of", async () => {
  const tables = { targets: keyed(["1", "2", "3"]), a: keyed(["1"], { x: ["Int8", ["1"]] }) };
  const port = new TestPort();
  await mergeHere({ ...writeTables(root, tables) }, "pair", port);
  const warnings = port.events.flatMap((event) => (event.type === "warning" ? [event.text] : []));
  assert.deepEqual(warnings, ["a: has only 1 of 3 targets' keys, fewer than --min-match says"]);
});

test("every table's problem is told, not only the first", async () => {
  const tables = { targets: keyed(["1"]), a: keyed(["1", "1"]), b: keyed([null]), c: keyed(["x"], {}, "String") };
  const { problems } = await failureOf(mergeHere({ ...writeTables(root, tables) }));
  assert.deepEqual(problems.map(({ table }) => table).sort(), ["a", "b", "c"]);
});

test("matches are kept as long as there is room for them, once for all tables with the same keys", async () => {
  const odd = keyed(upTo(40).filter((key) => Number(key) % 2 === 1));
  const tables = { targets: keyed(upTo(40)), a: odd, b: odd, c: keyed(upTo(40)).reverse(), d: keyed(upTo(7)) };
  const { input } = writeTables(root, tables);
  const naming = { key: "interval_time", keyCast: "none", rename: {}, pair: ["pair"] } as const;
  const [targets, ...others] = await Promise.all(
    Object.keys(tables).map(async (table) => {
      const path = join(input, "pair", `${table}.parquet`);
      const { size, version } = (await localStore.stat(path)) ?? assert.fail(path);
      const file = { table, path, size, version };
      const keyedTable = await inspectTable(localStore, { file, isTargets: false }, naming, new ReusableBuffer());
      return "table" in keyedTable ? keyedTable : assert.fail(table);
    }),
  );
  assert.ok(targets);
  const key = decodeTargetsKey(targets);
  if ("what" in key) assert.fail(key.what);
  const settings = { ...makeSettings({ input, output: input }), minMatch: 0 };
  const proveAll = (room?: number) => {
    const prover = new KeyProver({ ...targets, key }, settings, room);
    return others.map((table) => {
      const proof = prover.prove(table);
      return "how" in proof ? proof : assert.fail(table.table.file.table);
    });
  };
  const [a, b, c, d] = proveAll();
  assert.equal(a, b);
  assert.deepEqual(
    [a, c, d].map((proof) => proof?.runs?.rows),
    [40, 40, 40],
  );
  const bytes = a?.runs?.pairs.byteLength ?? assert.fail("no runs");
  // The first takes all room; the second finds none.
  assert.deepEqual(
    proveAll(bytes).map((proof) => proof.runs !== undefined),
    [true, true, false, false],
  );
});
