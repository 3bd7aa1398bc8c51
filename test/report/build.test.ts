import assert from "node:assert/strict";
import { test } from "node:test";
import { toOutcome } from "../../src/model/outcome.ts";
import { buildReport } from "../../src/report/build.ts";
import { attemptOf, donePair, endAll, exampleRun, GiB, googlePrices, recordOf, viewOf } from "../support/run-view.ts";

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

test("an attempt without a record in the store is reported from the outcome that its backend read", () => {
  const problem = { what: "table missing", found: "no pair_a.parquet", fix: "extract it again" };
  const attempt = attemptOf("a-0", 0, 60, { exitCode: 3 });
  const outcome = toOutcome(recordOf(attempt, "a", GiB, [problem]).result);
  const pair = { ...donePair("a", 0, 60), ...endAll([{ ...attempt, outcome }]), state: "failed" as const };
  const [reported] = buildReport(viewOf([pair]), googlePrices).pairs;
  assert.deepEqual(reported?.problems, [problem]);
  assert.deepEqual([reported?.peakBytes, reported?.cost.attempts[0]?.peakBytes], [GiB, GiB]);
});
