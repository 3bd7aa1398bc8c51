import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ExitCode } from "../../src/model/exit-code.ts";
import { toOutcome } from "../../src/model/outcome.ts";
import type { Attempt, TaskState } from "../../src/model/run.ts";
import type { Completion } from "../../src/run/completion.ts";
import { planNext } from "../../src/run/launch.ts";
import { composeView, exitCodeOf, type RunFacts } from "../../src/run/outcomes.ts";
import { policyOf } from "../../src/run/policy.ts";
import { GiB, makeAttempt, makeLaunch, makeRecord, makeStatus, makeWorkerRecord } from "../support/run.ts";

const policy = policyOf({ retries: 1, retriesUnexpected: 0, memoryCeilings: [2 * GiB] }, GiB);

/** One pair, "audusd", in one launch. */
function factsOf(
  state: TaskState,
  attempts: readonly Attempt[],
  given: Partial<RunFacts> & { readonly verdict?: Completion["verdict"] } = {},
): RunFacts {
  const { verdict = "to do", ...rest } = given;
  const completion: Completion = { pair: "audusd", verdict, why: "", inputBytes: 1 };
  return {
    record: makeRecord(["audusd"]),
    launches: [{ launch: makeLaunch(["audusd"]), statuses: [makeStatus("audusd", { state, attempts })] }],
    records: new Map(),
    completions: new Map([["audusd", completion]]),
    taskEnds: new Map(),
    policy,
    ...rest,
  };
}

/** Pairs and ceiling of the next launch, after every pause. */
function nextOf(facts: RunFacts): { pairs: readonly string[]; ceilingBytes: number } | undefined {
  const { plan } = planNext(facts, { ceilingBytes: GiB, workers: 4, spot: false }, Number.POSITIVE_INFINITY);
  return plan && { pairs: plan.pairs, ceilingBytes: plan.ceilingBytes };
}

const ended = (given: Partial<Attempt>) => makeAttempt({ end: "2026-11-21T06:00:01.000Z", ...given });
const stateOf = (facts: RunFacts) => composeView(facts, "2026-11-21T06:00:02.000Z").pairs[0]?.state;

describe("the state of a pair", () => {
  it("exit code 0 alone does not make a pair done", () => {
    const facts = factsOf("succeeded", [ended({ exitCode: 0 })]);
    assert.equal(stateOf(facts), "failed");
    assert.equal(exitCodeOf(facts), ExitCode.unexpected);
  });

  it("a manifest makes it done, whatever the exit code is", () => {
    const facts = factsOf("failed", [ended({ exitCode: 137 })], { verdict: "done" });
    assert.equal(stateOf(facts), "done");
    assert.equal(nextOf(facts), undefined);
    assert.equal(exitCodeOf(facts), ExitCode.done);
  });

  it("the worker compares inputs that were rewritten, and its result counts", () => {
    const attempts = [ended({ exitCode: 0 })];
    assert.equal(stateOf(factsOf("succeeded", attempts, { verdict: "unsure" })), "failed");
    const records = new Map([["attempt-1", makeWorkerRecord()]]);
    assert.equal(stateOf(factsOf("succeeded", attempts, { verdict: "unsure", records })), "done");
    const outcome = toOutcome(makeWorkerRecord().result);
    assert.equal(stateOf(factsOf("succeeded", [ended({ exitCode: 0, outcome })], { verdict: "unsure" })), "failed");
  });

  it("a pair that can be retried waits; any other one has failed", () => {
    assert.equal(stateOf(factsOf("failed", [ended({ exitCode: 75 })])), "waiting");
    assert.equal(stateOf(factsOf("failed", [ended({ exitCode: 75 }), ended({ exitCode: 75 })])), "failed");
    assert.equal(stateOf(factsOf("failed", [ended({ exitCode: 3 })])), "failed");
    assert.equal(stateOf(factsOf("cancelled", [ended({ exitCode: 143 })])), "waiting");
  });

  it("without a record in the store, the outcome that the backend read explains a failure", () => {
    const problem = { what: "it broke", found: "x", fix: "y" };
    const { result } = makeWorkerRecord({ exitCode: 3 });
    const outcome = { ...toOutcome({ ...result, problems: [problem] }), problemsOmitted: 4 };
    const [pair] = composeView(factsOf("failed", [ended({ exitCode: 1, outcome })]), "2026-11-21T06:00:02.000Z").pairs;
    assert.equal(pair?.why, "input: it broke: found x; y (and 4 more)");
    assert.deepEqual(pair?.attempts[0]?.ending, { kind: "failed", cause: "input", word: "input refused" });
  });

  it("a task that failed without an attempt counts as a failure, and is not started for ever", () => {
    const facts = factsOf("failed", []);
    assert.equal(stateOf(facts), "failed");
    assert.equal(nextOf(facts), undefined);
  });

  it("failures of a finished run do not count when it begins again", () => {
    const record = makeRecord(["audusd"], { countFrom: 1 });
    assert.deepEqual(nextOf(factsOf("failed", [ended({ exitCode: 3 })], { record })), {
      pairs: ["audusd"],
      ceilingBytes: GiB,
    });
  });

  it("out of memory: the next launch has the next ceiling", () => {
    const facts = factsOf("failed", [ended({ exitCode: 137, reason: "OOMKilled" })]);
    assert.deepEqual(nextOf(facts), { pairs: ["audusd"], ceilingBytes: 2 * GiB });
  });
});
