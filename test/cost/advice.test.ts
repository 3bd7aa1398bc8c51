import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { predictCost } from "../../src/cost/forecast.ts";
import { fitMachine, fitSize } from "../../src/cost/sizes.ts";
import { listMerges } from "../../src/cost/work.ts";
import type { PairOutcome, RunView } from "../../src/model/run.ts";
import { buildReport } from "../../src/report/build.ts";
import {
  attemptOf,
  donePair,
  endAll,
  exampleRun,
  GiB,
  googlePrices,
  noFailures,
  outputOf,
  recordOf,
  viewOf,
} from "../report/support/run.ts";

const near = (actual: number | undefined, expected: number): void => {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} instead of ${expected}`);
};
const report = (view: RunView) => buildReport(view, googlePrices);

describe("sizes that a backend allows", () => {
  test("Cloud Run: more memory needs more vCPUs, up to 8 and 32 GiB", () => {
    const vcpus = [4, 4.1, 8, 8.1, 16, 16.1, 24, 24.1, 32].map(
      (gib) => fitSize("cloudrun", { vcpu: 1, memoryBytes: gib * GiB })?.vcpu,
    );
    assert.deepEqual(vcpus, [1, 2, 2, 4, 4, 6, 6, 8, 8]);
    assert.equal(fitSize("cloudrun", { vcpu: 1, memoryBytes: 32.1 * GiB }), undefined);
    assert.deepEqual(fitSize("cloudrun", { vcpu: 3, memoryBytes: GiB }), { vcpu: 4, memoryBytes: 2 * GiB });
  });

  test("Autopilot: at most 6.5 GiB and at least 1 GiB a vCPU: 50 GiB needs 7.75", () => {
    assert.deepEqual(fitSize("kubernetes", { vcpu: 1, memoryBytes: 50 * GiB }), { vcpu: 7.75, memoryBytes: 50 * GiB });
    assert.deepEqual(fitSize("kubernetes", { vcpu: 2, memoryBytes: GiB }), { vcpu: 2, memoryBytes: 2 * GiB });
    assert.deepEqual(fitSize("kubernetes", { vcpu: 2, memoryBytes: 2.1 * GiB }), { vcpu: 2, memoryBytes: 2.25 * GiB });
  });

  test("one VM: the smallest high-memory machine with both", () => {
    assert.equal(fitMachine({ vcpu: 8, memoryBytes: 50 * GiB })?.name, "n2-highmem-8");
    assert.equal(fitMachine({ vcpu: 2, memoryBytes: 65 * GiB })?.name, "n2-highmem-16");
    assert.equal(fitMachine({ vcpu: 128, memoryBytes: GiB }), undefined);
  });
});

describe("the same work another way", () => {
  const hours = Array.from({ length: 27 }, (_, index) => donePair(`p${index}`, 0, 3600));
  const ways = new Map(report(viewOf(hours)).alternatives.map((way) => [way.name, way]));

  test("27 pairs of an hour in 50 GiB, by hand", () => {
    near(ways.get("One VM, one pair after the other")?.estimated?.usd, 27 * (8 * 0.031611 + 64 * 0.004237));
    near(ways.get("BigQuery, on demand")?.estimated?.usd, ((27 * 12e9) / 2 ** 40) * 6.25);
    // Nine at once: 3 hours of the cluster.
    near(ways.get("GKE Autopilot, on demand")?.estimated?.usd, 27 * 0.6020548 + 0.3);
    near(ways.get("GKE Autopilot, Spot")?.estimated?.usd, 27 * (8 * 0.01335 + 50 * 0.001476 + 0.00001644) + 0.3);
    assert.equal(ways.get("One VM, one pair after the other")?.wallSeconds, 27 * 3600);
    assert.equal(ways.get("GKE Autopilot, Spot")?.wallSeconds, 3 * 3600);
  });

  test("50 GiB does not fit Cloud Run: it is said, and taken with what the next run should ask for", () => {
    const way = ways.get("Cloud Run jobs");
    assert.match(way?.basis ?? "", /50\.0 GiB are more than a Cloud Run task can have \(8 vCPU and 32\.0 GiB\)/);
    near(way?.estimated?.usd, 27 * 3600 * (2 * 0.000018 + 2 * 0.000002));
    const large = report(viewOf([donePair("a", 0, 3600, 0, 40 * GiB)])).alternatives.find(
      (one) => one.name === way?.name,
    );
    assert.equal(large?.estimated, undefined);
    assert.match(large?.basis ?? "", /^Not possible/);
  });

  test("none before a pair is done", () => {
    assert.deepEqual(report(viewOf([])).alternatives, []);
  });
});

describe("what the next run should ask for", () => {
  test("the largest working set and a quarter more, in vCPUs that go with it; the saving by hand", () => {
    const right = report(viewOf([donePair("a", 0, 3600, 0, 10 * GiB), donePair("b", 0, 3600, 0, GiB)])).rightSize;
    assert.equal(right?.peakBytes, 10 * GiB);
    assert.deepEqual(right?.recommended, { vcpu: 2, memoryBytes: 12.5 * GiB });
    near(right?.before.usd, 2 * 0.6020548);
    near(right?.after.usd, 2 * (2 * 0.0445 + 12.5 * 0.00492 + 0.0000548));
  });

  test("never less than the plans predict, as a plan that does not fit is refused", () => {
    const pair = donePair("a", 0, 60, 0, GiB);
    const predicting = { ...pair, output: { ...outputOf(0), predictedPeakBytes: 9.7 * GiB } };
    assert.equal(report(viewOf([predicting])).rightSize?.recommended.memoryBytes, 10 * GiB);
  });

  test("more than a ceiling that a pair ran into and never passed", () => {
    const attempt = attemptOf("b", 0, 10, { memoryBytes: 60 * GiB, exitCode: 4 });
    const failures = { ...noFailures, memory: 1 };
    const stuck: PairOutcome = {
      pair: "b",
      state: "failed",
      ...endAll([attempt], [recordOf(attempt, "b", 58 * GiB)]),
      failures,
    };
    assert.equal(report(viewOf([donePair("a", 0, 60), stuck])).rightSize?.recommended.memoryBytes, 75 * GiB);
  });

  test("more vCPUs than the memory needed were wanted: they stay", () => {
    const attempt = attemptOf("a", 0, 60, { vcpu: 16, memoryBytes: 50 * GiB });
    const pair = { ...donePair("a", 0, 60), ...endAll([attempt], [recordOf(attempt, "a", GiB)]) };
    assert.deepEqual(report(viewOf([pair])).rightSize?.recommended, { vcpu: 16, memoryBytes: 16 * GiB });
  });

  test("an attempt that found its pair done is a good end, and stands for a merge that was lost", () => {
    const lost = attemptOf("a0", 0, 60, { reason: "DisruptionTarget", exitCode: 143 });
    const found = attemptOf("a1", 80, 84);
    const record = recordOf(found, "a", GiB);
    const already = { ...record, result: { ...record.result, outcome: "already done" } } as const;
    const pair = { ...donePair("a", 0, 60), ...endAll([lost, found], [already]) };
    assert.deepEqual(
      listMerges(viewOf([pair])).map(({ seconds }) => seconds),
      [4],
    );
    assert.notEqual(report(viewOf([pair])).rightSize, undefined);
    const merged = { ...pair, ...endAll([attemptOf("a0", 0, 60), found], [already]) };
    assert.deepEqual(
      listMerges(viewOf([merged])).map(({ seconds }) => seconds),
      [60],
    );
  });

  test("nothing where nothing is known", () => {
    assert.equal(report(viewOf([])).rightSize, undefined);
  });
});

describe("cost before a run", () => {
  const pairs = Array.from({ length: 27 }, (_, index) => ({
    pair: `p${index}`,
    ...{ seconds: 3600, vcpu: 8, memoryBytes: 50 * GiB, outputBytes: 9.6e9, classA: 1000, classB: 10_000 },
  }));
  const forecast = { backend: "kubernetes", output: "gs://fx/training", spot: false, parallelism: 27, pairs } as const;

  test("27 pairs of an hour, all at once: $16.26 of pods, $0.24 of operations, $0.10 of cluster", () => {
    const cost = predictCost(forecast, googlePrices);
    near(cost.estimated.usd, 27 * (0.6020548 + 0.005 + 0.004) + 0.1);
    near(cost.monthly.usd, 27 * 9.6 * 0.02);
    near(predictCost({ ...forecast, parallelism: 1 }, googlePrices).lines[0]?.usd, 2.7);
  });

  test("on this machine only the bucket costs", () => {
    near(predictCost({ ...forecast, backend: "local" }, googlePrices).estimated.usd, 27 * 0.009);
    assert.equal(predictCost({ ...forecast, output: "training" }, googlePrices).monthly.usd, 0);
  });

  test("predicted and computed afterwards are the same for the same use", () => {
    const use = {
      pair: "a",
      seconds: 100,
      vcpu: 8,
      memoryBytes: 50 * GiB,
      outputBytes: 9.6e9,
      classA: 1200,
      classB: 2004,
    };
    const after = report(viewOf([donePair("a", 0, 100)])).cost;
    near(predictCost({ ...forecast, pairs: [use] }, googlePrices).estimated.usd, after.estimated.usd);
    near(predictCost({ ...forecast, pairs: [use] }, googlePrices).monthly.usd, after.monthly.usd);
  });
});

test("the sums of a report are those of its pairs", () => {
  const { totals, pairs } = report(exampleRun());
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
