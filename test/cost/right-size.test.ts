import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rightSize } from "../../src/cost/right-size.ts";
import type { Attempt, PairOutcome } from "../../src/model/run.ts";
import {
  attemptOf,
  donePair,
  endAll,
  GiB,
  googlePrices,
  near,
  noFailures,
  outputOf,
  recordOf,
  viewOf,
} from "../support/run-view.ts";

const recommend = (pairs: readonly PairOutcome[]) => rightSize(viewOf(pairs), googlePrices);

/** A pair whose last attempt used little memory and found that the pair was done. */
function alreadyDone(pair: string, ...before: readonly Attempt[]): PairOutcome {
  const attempt = attemptOf(`${pair}-found`, 80, 84);
  const record = recordOf(attempt, pair, 0.05 * GiB);
  const found = { ...record, result: { ...record.result, outcome: "already done" } } as const;
  return { ...donePair(pair, 0, 60), ...endAll([...before, attempt], [found]) };
}

describe("what the next run should request", () => {
  test("the largest working set and a quarter more, in vCPUs that go with it; the saving by hand", () => {
    const right = recommend([donePair("a", 0, 3600, 0, 10 * GiB), donePair("b", 0, 3600, 0, GiB)]);
    assert.equal(right?.peakBytes, 10 * GiB);
    assert.deepEqual(right?.recommended, { vcpu: 2, memoryBytes: 12.5 * GiB });
    near(right?.before.usd, 2 * 0.6020548);
    near(right?.after.usd, 2 * (2 * 0.0445 + 12.5 * 0.00492 + 0.0000548));
  });

  test("never less than the plans predict: a plan that does not fit is refused", () => {
    const pair = donePair("a", 0, 60, 0, GiB);
    const predicting = { ...pair, output: { ...outputOf(0), predictedPeakBytes: 9.7 * GiB } };
    assert.equal(recommend([predicting])?.recommended.memoryBytes, 10 * GiB);
  });

  test("more than a ceiling that a pair exceeded without succeeding later", () => {
    const attempt = attemptOf("b", 0, 10, { memoryBytes: 60 * GiB, exitCode: 4 });
    const failures = { ...noFailures, memory: 1 };
    const stuck: PairOutcome = {
      pair: "b",
      state: "failed",
      ...endAll([attempt], [recordOf(attempt, "b", 58 * GiB)]),
      failures,
    };
    assert.equal(recommend([donePair("a", 0, 60), stuck])?.recommended.memoryBytes, 75 * GiB);
  });

  test("more vCPUs than the memory needs were requested on purpose: they stay", () => {
    const attempt = attemptOf("a", 0, 60, { vcpu: 16, memoryBytes: 50 * GiB });
    const pair = { ...donePair("a", 0, 60), ...endAll([attempt], [recordOf(attempt, "a", GiB)]) };
    assert.deepEqual(recommend([pair])?.recommended, { vcpu: 16, memoryBytes: 16 * GiB });
  });

  test("an attempt that found its pair already done adds nothing: the other pairs decide", () => {
    const lost = attemptOf("b0", 0, 60, { reason: "DisruptionTarget", exitCode: 143 });
    const found = alreadyDone("b", lost);
    const right = recommend([donePair("a", 0, 3600, 0, 10 * GiB), found]);
    assert.deepEqual(right?.recommended, { vcpu: 2, memoryBytes: 12.5 * GiB });
  });

  test("a run that only found its pairs already done measured no merge: the request stays", () => {
    const right = recommend([alreadyDone("a"), alreadyDone("b")]);
    assert.deepEqual(right?.recommended, { vcpu: 8, memoryBytes: 50 * GiB });
    assert.equal(right?.before.usd, right?.after.usd);
    assert.equal(right?.reason, "No attempt of this run measured a merge, so the request stays the same.");
  });

  test("nothing while no pair is done", () => {
    assert.equal(recommend([]), undefined);
  });
});
