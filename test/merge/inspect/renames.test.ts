import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { findUnusedRules } from "../../../src/merge/inspect/renames.ts";
import { scratchFolder } from "../../support/folder.ts";
import { failureOf, mergeHere, TestPort } from "../../support/in-process.ts";
import { keyed, writeTables } from "../../support/tables.ts";

const root = await scratchFolder("renames");

test("rules for no column are found, but for those of tables that are left out", () => {
  const tables = [
    { table: "targets", columns: ["ts", "y"] },
    { table: "mkt_audusd", columns: ["time", "a/b"] },
  ];
  const unused = (...rules: string[]) =>
    findUnusedRules(Object.fromEntries(rules.map((rule) => [rule, "new"])), tables, {
      pair: ["audusd"],
      excluded: ["var_audusd"],
    });
  assert.deepEqual(unused("ts", "mkt_*/time", "mkt_{pair}/time", "a/b", "var_*/anything"), []);
  assert.deepEqual(unused("Ts", "tri_*/time", "mkt_*/ts"), ["Ts=new", "tri_*/time=new", "mkt_*/ts=new"]);
});

describe("a merge with a rule for no column", () => {
  const place = writeTables(root, { targets: keyed(["1"]), a: keyed(["1"]).rename({ interval_time: "time" }) });
  const warningsOf = ({ events }: TestPort) =>
    events.flatMap((event) => (event.type === "warning" ? [event.text] : []));

  it("says so, also beside the tables that lack the key because of it", async () => {
    const port = new TestPort();
    const rename = { close: "last", tme: "interval_time" };
    const { message } = await failureOf(mergeHere({ ...place, rename }, "pair", port));
    assert.match(message, /^a: no flat key column interval_time/);
    assert.deepEqual(warningsOf(port), [
      "no column matches close=last of --rename",
      "no column matches tme=interval_time of --rename",
    ]);
  });

  it("says nothing of rules that are for one of its tables", async () => {
    const port = new TestPort();
    await mergeHere({ ...place, rename: { "a/time": "interval_time" } }, "pair", port);
    assert.deepEqual(warningsOf(port), []);
  });
});
