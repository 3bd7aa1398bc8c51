import assert from "node:assert/strict";
import { test } from "node:test";
import { buildReport } from "../../src/report/build.ts";
import { exampleRun, googlePrices } from "../support/run-view.ts";

test("the totals of a report are the sums over its pairs", () => {
  const { totals, pairs } = buildReport(exampleRun(), googlePrices);
  assert.equal(totals.pairs, 27);
  assert.deepEqual(totals.states, { done: 24, failed: 1, running: 1, "done before": 1 });
  assert.deepEqual(totals.failures, { memory: 1, disruption: 1, input: 1 });
  assert.equal(totals.tables.spliced + totals.tables.aligned, 25 * 668);
  assert.equal(totals.outputBytes, 25 * 9.6e9);
  assert.deepEqual(
    pairs.find((pair) => pair.pair === "gbpnzd")?.problems.map((problem) => problem.what),
    ["table missing", "duplicate keys"],
  );
});
