import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { priceOperations, sumLines } from "../../src/cost/cost-lines.ts";
import { predictCost } from "../../src/cost/forecast.ts";
import { costOfRun } from "../../src/cost/run-cost.ts";
import { donePair, GiB, googlePrices, near, viewOf } from "../support/run-view.ts";

describe("the cost of a run before it starts", () => {
  const pairs = Array.from({ length: 27 }, (_, index) => ({
    pair: `p${index}`,
    ...{ spot: false, seconds: 3600, vcpu: 8, memoryBytes: 50 * GiB, outputBytes: 9.6e9 },
  }));
  const forecast = { backend: "kubernetes", output: "gs://fx/training", parallelism: 27, pairs } as const;

  test("27 pairs of an hour, all at once: $16.26 of pods, $0.10 of cluster", () => {
    const cost = predictCost(forecast, googlePrices);
    near(cost.estimated.usd, 27 * 0.6020548 + 0.1);
    near(cost.monthly.usd, 27 * 9.6 * 0.02);
    near(predictCost({ ...forecast, parallelism: 1 }, googlePrices).lines[0]?.usd, 2.7);
  });

  test("on this machine only the bucket costs", () => {
    const local = predictCost({ ...forecast, backend: "local" }, googlePrices);
    near(local.estimated.usd, 0);
    near(local.monthly.usd, 27 * 9.6 * 0.02);
    assert.equal(predictCost({ ...forecast, output: "training" }, googlePrices).monthly.usd, 0);
  });

  test("the forecast is what the run costs afterwards, without its storage operations", () => {
    const use = {
      pair: "a",
      spot: false,
      seconds: 100,
      vcpu: 8,
      memoryBytes: 50 * GiB,
      outputBytes: 9.6e9,
    };
    const before = predictCost({ ...forecast, pairs: [use] }, googlePrices);
    const after = costOfRun(viewOf([donePair("a", 0, 100)]), googlePrices);
    const operations = sumLines(priceOperations(1200, 2004, googlePrices));
    near(before.estimated.usd + operations.usd, after.estimated.usd);
    near(before.monthly.usd, after.monthly.usd);
    assert.match(before.basis, /Retries and storage operations are not included\.$/);
  });
});
