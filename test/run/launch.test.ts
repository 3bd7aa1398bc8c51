import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Attempt, LaunchStatus, TaskState } from "../../src/model/run.ts";
import { type Capacity, listUnfinished, parallelismOf, planNext, toLaunch } from "../../src/run/launch.ts";
import { type RunFacts, taskKey } from "../../src/run/outcomes.ts";
import { policyOf } from "../../src/run/policy.ts";
import { GiB, makeAttempt, makeFacts, makeLaunch, makeRecord } from "../support/run.ts";

const policy = policyOf({ retries: 3, retriesUnexpected: 1, memoryCeilings: [2 * GiB] }, GiB);
const capacity: Capacity = { ceilingBytes: GiB, workers: 4, spot: false };
const pairs = ["p0", "p1", "p2", "p3", "p4", "p5"];

/** The state of a task, or the exit code of its only attempt. */
type Stand = "waiting" | "running" | "succeeded" | number;

/** A launch of all pairs, or of its own ones. */
function launchOf(
  number: number,
  stands: readonly Stand[],
  given: { own?: readonly string[]; ceilingBytes?: number } = {},
): LaunchStatus {
  const { own = pairs, ceilingBytes = GiB } = given;
  const launch = makeLaunch(own, { number, ceilingBytes });
  const statuses = stands.map((stand, index) => {
    const state: TaskState = typeof stand === "number" ? "failed" : stand;
    const end = { id: `${number}-${index}`, launch: number, end: "2026-11-21T06:00:01.000Z" };
    const attempts: Attempt[] = typeof stand === "number" ? [makeAttempt({ ...end, exitCode: stand })] : [];
    return { index, pair: own[index] ?? "", state, attempts };
  });
  return { launch, statuses };
}

/** A run of all pairs; those that succeeded are done. `seen` is when the ends were first seen. */
function factsOf(launches: readonly LaunchStatus[], given: Partial<RunFacts> = {}, seen = 0): RunFacts {
  const done = launches.flatMap(({ statuses }) => statuses.filter(({ state }) => state === "succeeded"));
  const verdictOf = (pair: string) => (done.some((status) => status.pair === pair) ? "done" : "to do");
  const handles = launches.map(({ launch }) => ({ backend: "local", name: `run-${launch.number}`, launch }) as const);
  return makeFacts({
    record: makeRecord(pairs, { handles }),
    launches,
    completions: new Map(pairs.map((pair) => [pair, { pair, verdict: verdictOf(pair), why: "", inputBytes: 1 }])),
    taskEnds: new Map(
      launches.flatMap(({ launch, statuses }) => statuses.map(({ pair }) => [taskKey(launch, pair), seen])),
    ),
    policy,
    ...given,
  });
}

const now = 1e6;
const pairsOf = (facts: RunFacts, given: Partial<Capacity> = {}) =>
  planNext(facts, { ...capacity, ...given }, now).plan?.pairs;

describe("the next launch", () => {
  it("has all pairs while nothing is open, as many at work as there are workers", () => {
    const { plan } = planNext(factsOf([]), capacity, now);
    assert.deepEqual([plan?.pairs, plan?.parallelism, plan?.ceilingBytes], [pairs, 4, GiB]);
  });

  it("starts while slow pairs of the first one still run, once it fits beside all of them", () => {
    assert.deepEqual(
      pairsOf(factsOf([launchOf(0, ["running", "running", "running", "running", 75, "succeeded"])])),
      undefined,
    );
    assert.deepEqual(pairsOf(factsOf([launchOf(0, ["running", "running", "running", 75, "succeeded", "succeeded"])])), [
      "p3",
    ]);
  });

  it("counts waiting tasks like running ones, because an open launch keeps its parallelism", () => {
    assert.deepEqual(
      pairsOf(factsOf([launchOf(0, [75, "waiting", "waiting", "waiting", "running", "succeeded"])])),
      undefined,
    );
    assert.deepEqual(pairsOf(factsOf([launchOf(0, [75, "waiting", "waiting", "running", "succeeded", "succeeded"])])), [
      "p0",
    ]);
  });

  it("counts the tasks of all open launches, and leaves pairs that do not fit for later", () => {
    const first = launchOf(0, ["running", 75, 75, 75, 75, "succeeded"]);
    const { plan } = planNext(factsOf([first, launchOf(1, ["waiting"], { own: ["p1"] })]), capacity, now);
    assert.deepEqual([plan?.pairs, plan?.parallelism], [["p2", "p3"], 2]);
  });

  it("always fits if the number of workers is not limited", () => {
    const facts = factsOf([launchOf(0, ["running", "running", "running", "running", "running", 75])]);
    assert.deepEqual(pairsOf(facts, { workers: Number.POSITIVE_INFINITY }), ["p5"]);
  });

  it("has the smallest ceiling first; the ceilings of all workers together fit into shared memory", () => {
    const stands: readonly Stand[] = [4, 75, "running", "succeeded", "succeeded", "succeeded"];
    assert.deepEqual(pairsOf(factsOf([launchOf(0, stands)])), ["p1"]);
    const retried = factsOf([launchOf(0, stands), launchOf(1, ["running"], { own: ["p1"] })]);
    const ceilingOf = (memoryBytes: number) => planNext(retried, { ...capacity, memoryBytes }, now).plan?.ceilingBytes;
    assert.deepEqual([ceilingOf(4 * GiB), ceilingOf(4 * GiB - 1)], [2 * GiB, undefined]);
  });

  it("uses Spot capacity only if it is the first one", () => {
    const spot = { ...capacity, spot: true };
    assert.equal(planNext(factsOf([]), spot, now).plan?.spot, true);
    const later = factsOf([launchOf(0, [75, "succeeded", "succeeded", "succeeded", "succeeded", "succeeded"])]);
    assert.equal(planNext(later, spot, now).plan?.spot, false);
    assert.equal(planNext(factsOf([]), capacity, now).plan?.spot, false);
  });

  it("shares its machine if another worker of the run fits beside one of its own", () => {
    const shares = (memoryBytes: number | undefined, workers = 4, record = makeRecord(pairs)) => {
      const memory = memoryBytes === undefined ? {} : { memoryBytes };
      return planNext(factsOf([], { record }), { ...capacity, workers, ...memory }, now).plan?.sharesMachine;
    };
    assert.deepEqual([shares(2 * GiB), shares(2 * GiB - 1), shares(undefined)], [true, false, false]);
    assert.deepEqual([shares(9 * GiB, 1), shares(9 * GiB, 4, makeRecord(["p0"]))], [false, false]);
  });

  it("numbers its pairs in their order", () => {
    const facts = factsOf([launchOf(0, [75, "succeeded", 75, "succeeded", "succeeded", "succeeded"])]);
    const { plan } = planNext(facts, capacity, now);
    assert.ok(plan !== undefined);
    assert.deepEqual(toLaunch(plan, facts.record), {
      run: "run",
      number: 1,
      tasks: [
        { index: 0, pair: "p0" },
        { index: 1, pair: "p2" },
      ],
      ceilingBytes: GiB,
      parallelism: 2,
      spot: false,
    });
  });

  it("never exceeds the workers or the memory, and never starts a pair that is open", () => {
    const stand = fc.constantFrom<Stand>("waiting", "running", "succeeded", 75, 4, 3);
    const given = fc.tuple(
      fc.array(stand, { minLength: 6, maxLength: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 8 }),
    );
    fc.assert(
      fc.property(given, ([stands, workers, memory]) => {
        const facts = factsOf([launchOf(0, stands)]);
        const shared = { ...capacity, workers, memoryBytes: memory * GiB };
        const { plan } = planNext(facts, shared, now);
        if (plan === undefined) return;
        const open = listUnfinished(facts);
        assert.ok(plan.pairs.every((pair) => open.every((other) => other.pair !== pair)));
        if (open.length === 0) return;
        assert.ok(open.length + plan.pairs.length <= workers);
        assert.ok(open.length * GiB + plan.pairs.length * plan.ceilingBytes <= memory * GiB);
      }),
    );
  });
});

describe("a pause before a retry", () => {
  const failed = (code: number) =>
    factsOf([launchOf(0, [code, "running", "succeeded", "succeeded", "succeeded", "succeeded"])], {}, now);

  it("ends one second after the first failure was seen", () => {
    assert.deepEqual(planNext(failed(75), capacity, now), { pauseEnds: now + 1000 });
    assert.deepEqual(planNext(failed(75), capacity, now + 1000).plan?.pairs, ["p0"]);
  });

  it("is skipped for a retry with more memory", () => {
    assert.deepEqual(planNext(failed(4), capacity, now).plan?.ceilingBytes, 2 * GiB);
  });
});

it("pairs at work at the same time: as many as there are workers and memory for, at least one", () => {
  const shared = { ...capacity, memoryBytes: 10 * GiB };
  assert.deepEqual(
    [1, 3, 100].map((count) => parallelismOf(shared, count, GiB)),
    [1, 3, 4],
  );
  assert.deepEqual(
    [4, 5, 6, 11].map((gib) => parallelismOf(shared, 100, gib * GiB)),
    [2, 2, 1, 1],
  );
  assert.equal(parallelismOf({ ...capacity, workers: Number.POSITIVE_INFINITY }, 27, 50 * GiB), 27);
});
