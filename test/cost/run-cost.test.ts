import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { costOfRun, wallSeconds } from "../../src/cost/run-cost.ts";
import type { Attempt, PairOutcome } from "../../src/model/run.ts";
import { defaultPairs } from "../../src/sample/pairs.ts";
import {
  attemptOf,
  clock,
  donePair,
  endAll,
  exampleRun,
  GiB,
  googlePrices,
  near,
  noFailures,
  recordOf,
  viewOf,
} from "../support/run-view.ts";

/** A pair with these attempts and without records. */
function pairOf(pair: string, attempts: readonly Attempt[]): PairOutcome {
  return { pair, state: "running", ...endAll(attempts), failures: noFailures };
}

const onDisk = { input: "checkpoints", output: "training" };

describe("cost of an attempt", () => {
  test("8 vCPU and 50 GiB on Autopilot for an hour: 8 × 0.0445 + 50 × 0.00492 + 0.0000548", () => {
    const cost = costOfRun(viewOf([pairOf("audusd", [attemptOf("a", 0, 3600)])], onDisk), googlePrices);
    near(cost.pairs[0]?.estimated.usd, 0.356 + 0.246 + 0.0000548);
    assert.deepEqual(cost.pairs[0]?.estimated.missing, []);
    near(cost.estimated.usd, 0.6020548 + 0.1);
    assert.deepEqual(
      cost.lines.map((line) => line.item),
      ["autopilotCluster"],
    );
  });

  test("27 pairs of an hour: about $16", () => {
    const pairs = defaultPairs.map((pair) => pairOf(pair, [attemptOf(pair, 0, 3600)]));
    const cost = costOfRun(viewOf(pairs, onDisk), googlePrices);
    near(cost.estimated.usd, 27 * 0.6020548 + 0.1);
    assert.equal(Math.round(cost.estimated.usd), 16);
  });

  test("Spot has its own price; Cloud Run charges seconds, at least a minute", () => {
    const spot = viewOf([pairOf("a", [attemptOf("a", 0, 7200, { spot: true })])], onDisk);
    near(costOfRun(spot, googlePrices).pairs[0]?.estimated.usd, 2 * (8 * 0.01335 + 50 * 0.001476 + 0.00001644));
    const attempt = attemptOf("a", 0, 100, { vcpu: 2, memoryBytes: 8 * GiB });
    const run = viewOf([pairOf("a", [attempt])], { ...onDisk, backend: "cloudrun" });
    near(costOfRun(run, googlePrices).estimated.usd, 100 * (2 * 0.000018 + 8 * 0.000002));
    const short = viewOf([pairOf("a", [{ ...attempt, end: attemptOf("a", 0, 5).end ?? "" }])], run.record);
    near(costOfRun(short, googlePrices).estimated.usd, 60 * (2 * 0.000018 + 8 * 0.000002));
  });

  test("memory is charged at the larger of requested and used", () => {
    const attempt = attemptOf("a", 0, 3600, { vcpu: 1, memoryBytes: 2 * GiB });
    const pair = { ...pairOf("a", [attempt]), records: [recordOf(attempt, "a", 3 * GiB)] };
    const [first] = costOfRun(viewOf([pair]), googlePrices).pairs[0]?.attempts ?? [];
    assert.equal(first?.chargedBytes, 3 * GiB);
    near(first?.lines.find((line) => line.item === "autopilotMemory")?.usd, 3 * 0.00492);
  });

  test("a running attempt costs until now, a waiting one nothing; operations are priced by class", () => {
    const { end: _, ...running } = attemptOf("a-0", 200, 200);
    const { start: __, end: ___, ...waiting } = attemptOf("b-0", 0, 0);
    const cost = costOfRun(viewOf([pairOf("a", [running]), pairOf("b", [waiting])], onDisk), googlePrices);
    assert.equal(cost.pairs[0]?.attempts[0]?.seconds, 360);
    assert.equal(cost.pairs[1]?.estimated.usd, 0);
    const done = costOfRun(viewOf([donePair("c", 0, 0)]), googlePrices).pairs[0];
    near(done?.estimated.usd, 1.2 * 0.005 + 2.004 * 0.0004);
    near(done?.monthly?.usd, 9.6 * 0.02);
  });
});

test("on this machine compute is $0, and the basis says so; nothing is stored in a bucket", () => {
  const pair = { ...pairOf("a", [attemptOf("a", 0, 3600)]), output: donePair("a", 0, 1).output };
  const cost = costOfRun(viewOf([pair as PairOutcome], { ...onDisk, backend: "local" }), googlePrices);
  assert.deepEqual(cost.estimated, { usd: 0, missing: [] });
  assert.deepEqual(cost.monthly, { usd: 0, missing: [] });
  assert.match(cost.basis, /^Compute on this machine counts as \$0; .* Failed attempts are included\.$/);
});

test("a missing price is not $0: it makes every sum above it incomplete", () => {
  const { autopilotMemory: _, storageMonth: __, ...prices } = googlePrices.prices;
  const cost = costOfRun(viewOf([donePair("a", 0, 3600), pairOf("b", [])]), { ...googlePrices, prices });
  const line = cost.pairs[0]?.attempts[0]?.lines.find((one) => one.item === "autopilotMemory");
  assert.equal(line?.usd, undefined);
  assert.equal(line?.quantity, 50);
  assert.deepEqual(cost.pairs[0]?.estimated.missing, ["no price for autopilotMemory"]);
  assert.deepEqual(cost.estimated.missing, ["no price for autopilotMemory"]);
  assert.deepEqual(cost.monthly, { usd: 0, missing: ["no price for storageMonth"] });
  assert.deepEqual(cost.pairs[1]?.estimated, { usd: 0, missing: [] });
});

test("a killed worker left no count of its operations: where a bucket was used, the sum says so", () => {
  const pair = pairOf("a", [attemptOf("a", 0, 60, { exitCode: 137, reason: "OOMKilled" })]);
  const missing = ["storage operations of attempts that left no record"];
  assert.deepEqual(costOfRun(viewOf([pair]), googlePrices).estimated.missing, missing);
  assert.deepEqual(costOfRun(viewOf([pair], onDisk), googlePrices).estimated.missing, []);
});

test("the time of a run goes from the first start to the last end, or to now", () => {
  assert.equal(wallSeconds(viewOf([])), 0);
  assert.equal(wallSeconds(viewOf([donePair("a", 50, 80), donePair("b", 20, 60)])), 60);
  const { end: _, ...running } = attemptOf("c", 30, 30);
  assert.equal(wallSeconds({ ...viewOf([pairOf("c", [running])]), at: clock(100) }), 70);
});

test("a run with failures: failed attempts are in the sum", () => {
  const cost = costOfRun(exampleRun(), googlePrices);
  const pair = cost.pairs.find((one) => one.pair === "audusd");
  assert.deepEqual(
    pair?.attempts.map((attempt) => attempt.ended),
    ["memory ceiling", "done"],
  );
  const [failed, done] = pair?.attempts ?? [];
  near(pair?.estimated.usd, (failed?.estimated.usd ?? 0) + (done?.estimated.usd ?? 0));
  assert.ok((failed?.estimated.usd ?? 0) > 0);
});

test("total = sum of pairs and the run's own lines; pair = sum of attempts; attempt = sum of lines; line = quantity × price", () => {
  const attempts = fc.array(
    fc.record({
      from: fc.nat(5000),
      took: fc.nat(5000),
      vcpu: fc.integer({ min: 1, max: 16 }),
      gib: fc.nat(64),
      spot: fc.boolean(),
    }),
    { maxLength: 4 },
  );
  const backend = fc.constantFrom("local" as const, "kubernetes" as const, "cloudrun" as const);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  fc.assert(
    fc.property(fc.array(attempts, { maxLength: 6 }), backend, (drawn, name) => {
      const pairs = drawn.map((list, index) =>
        pairOf(
          `p${index}`,
          list.map(({ from, took, vcpu, gib, spot }, turn) =>
            attemptOf(`p${index}-${turn}`, from, from + took, { vcpu, memoryBytes: gib * GiB, spot }),
          ),
        ),
      );
      const cost = costOfRun(viewOf(pairs, { backend: name }), googlePrices);
      near(
        cost.estimated.usd,
        sum([...cost.pairs.map((pair) => pair.estimated.usd), ...cost.lines.map((line) => line.usd ?? 0)]),
      );
      for (const pair of cost.pairs) {
        near(pair.estimated.usd, sum(pair.attempts.map((attempt) => attempt.estimated.usd)));
        for (const { lines, estimated } of pair.attempts) {
          near(estimated.usd, sum(lines.map((line) => line.usd ?? 0)));
          for (const line of lines) near(line.usd, line.quantity * (line.price ?? Number.NaN));
        }
      }
    }),
  );
});
