import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pl from "nodejs-polars";
import { toCells } from "../../support/columns.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere, planHere } from "../../support/job.ts";
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
  const [, table] = (await planHere({ ...written })).tables;
  assert.equal(table?.action, "align");
  assert.equal(table?.rowsNullFilled, 2);
  const { output } = await mergeHere({ ...written, verify: "full" });
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
    /^targets: duplicate keys .* found 1 rows repeat a key, first 2/,
  ],
  [
    "null keys of a table",
    { targets: keyed(["1"]), a: keyed(["1", null]) },
    /^a: null keys in interval_time: found 1 nulls/,
  ],
  [
    "repeated keys of a table",
    { targets: keyed(["1"]), a: keyed(["1", "7", "7", "7"]) },
    /^a: duplicate keys in interval_time: found 2 rows repeat a key, first 7/,
  ],
  [
    "keys of another type",
    { targets: keyed(["1"]), a: keyed(["1"], {}, "String") },
    /^a: key column interval_time does not fit the targets': found type String where the targets have Int64/,
  ],
  [
    "keys that do not fit",
    { targets: keyed(["1"], {}, "Int8"), a: keyed(["300"]) },
    /^a: .* with values that Int8 of the targets cannot hold/,
  ],
  [
    "keys that cannot be keys",
    { targets: keyed(["1.5"], {}, "Float64") },
    /^targets: .*cannot be a key: found Float64/,
  ],
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

test("every table's problem is told, not only the first", async () => {
  const tables = { targets: keyed(["1"]), a: keyed(["1", "1"]), b: keyed([null]), c: keyed(["x"], {}, "String") };
  const { problems } = await failureOf(mergeHere({ ...writeTables(root, tables) }));
  assert.deepEqual(problems.map(({ table }) => table).sort(), ["a", "b", "c"]);
});
