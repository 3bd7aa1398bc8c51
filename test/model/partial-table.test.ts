import assert from "node:assert/strict";
import { test } from "node:test";
import { listPartial } from "../../src/model/partial-table.ts";
import { scratchFolder } from "../support/folder.ts";
import { mergeHere, planHere } from "../support/in-process.ts";
import { keyed, upTo, writeTables } from "../support/tables.ts";

test("tables with other rows than the targets, the worst first; whole ones are left out", () => {
  const table = (name: string, rowsNullFilled: number, rowsDropped: number) => {
    return { table: name, rowsNullFilled, rowsDropped };
  };
  assert.deepEqual(
    listPartial(10, [table("whole", 0, 0), table("b", 2, 1), table("a", 2, 1), table("c", 0, 9), table("d", 10, 0)]),
    [
      { table: "d", rowsMatched: 0, rowsNullFilled: 10, rowsDropped: 0 },
      { table: "a", rowsMatched: 8, rowsNullFilled: 2, rowsDropped: 1 },
      { table: "b", rowsMatched: 8, rowsNullFilled: 2, rowsDropped: 1 },
      { table: "c", rowsMatched: 10, rowsNullFilled: 0, rowsDropped: 9 },
    ],
  );
});

test("plan, merge and a merge that is done already count the same rows", async () => {
  const written = writeTables(await scratchFolder("partial"), {
    targets: keyed(upTo(4)),
    shifted: keyed(["11", "12", "13"], { x: ["Int64", upTo(3)] }),
    some: keyed(["4", "2", "2", "9"], { x: ["Int64", upTo(4)] }),
    turned: keyed(["4", "3", "2", "1"], { x: ["Int64", upTo(4)] }),
  });
  const settings = { ...written, duplicates: "last", minMatch: 0 };
  const expected = [
    { table: "shifted", rowsMatched: 0, rowsNullFilled: 4, rowsDropped: 3 },
    { table: "some", rowsMatched: 2, rowsNullFilled: 2, rowsDropped: 2 },
  ];
  assert.deepEqual((await planHere(settings)).partialTables, expected);
  const done = [await mergeHere(settings), await mergeHere(settings)];
  assert.deepEqual(
    done.map(({ outcome, partialTables }) => [outcome, partialTables]),
    [
      ["done", expected],
      ["already done", expected],
    ],
  );
});
