import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Cause,
  causesByWeight,
  codeOfCause,
  describeEnding,
  type Ending,
  endingOf,
  exitCodes,
  type Left,
  reasons,
  type Seen,
  signals,
} from "../../src/model/ending.ts";
import { ExitCode, type Outcome, outcomeOf } from "../../src/model/exit-code.ts";
import { hueOf } from "../../src/report/endings.ts";
import { decide, policyOf } from "../../src/run/policy.ts";
import { GiB } from "../support/run.ts";

type Colour = "green" | "blue" | "red" | "yellow" | "violet" | "grey";
/** What becomes of the pair after its first attempt. */
type Next = "nothing" | "start again" | "more memory" | "give up";
type Row = readonly [seen: Seen, left: ExitCode | undefined, cause: Cause | undefined, string, Colour, Next];

const start = "2026-11-21T06:00:00.000Z";
const end = "2026-11-21T06:00:01.000Z";

/** Every reason, signal and exit code that a backend can report, alone. */
const alone: readonly Row[] = [
  [{}, undefined, undefined, "waiting", "blue", "nothing"],
  [{ start }, undefined, undefined, "running", "blue", "nothing"],
  [{ start, end, exitCode: 0 }, undefined, undefined, "done", "green", "nothing"],
  [{ end }, undefined, "unexpected", "failed", "grey", "start again"],
  // Exit codes of the worker.
  [{ exitCode: 1 }, undefined, "unexpected", "failed", "grey", "start again"],
  [{ exitCode: 2 }, undefined, "usage", "usage error", "grey", "give up"],
  [{ exitCode: 3 }, undefined, "input", "input refused", "violet", "give up"],
  [{ exitCode: 4 }, undefined, "memory", "memory ceiling", "red", "more memory"],
  [{ exitCode: 5 }, undefined, "verification", "verification failed", "grey", "give up"],
  [{ exitCode: 6 }, undefined, "unexpected", "superseded", "grey", "start again"],
  [{ exitCode: 75 }, undefined, "transient", "storage failed", "grey", "start again"],
  [{ exitCode: 130 }, undefined, "disruption", "interrupted", "yellow", "start again"],
  [{ exitCode: 143 }, undefined, "disruption", "terminated", "yellow", "start again"],
  // Exit codes that a runtime makes of signals, and one that nobody knows.
  [{ exitCode: 134 }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ exitCode: 137 }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ exitCode: 42 }, undefined, "unexpected", "failed", "grey", "start again"],
  // Signals.
  [{ signal: "SIGINT" }, undefined, "disruption", "interrupted", "yellow", "start again"],
  [{ signal: "SIGTERM" }, undefined, "disruption", "terminated", "yellow", "start again"],
  [{ signal: "SIGHUP" }, undefined, "disruption", "terminated", "yellow", "start again"],
  [{ signal: "SIGABRT" }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ signal: "SIGKILL" }, undefined, "unexpected", "killed", "grey", "start again"],
  [{ signal: "SIGSEGV" }, undefined, "unexpected", "failed", "grey", "start again"],
  // Kubernetes.
  [{ reason: "OOMKilled" }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ reason: "DeadlineExceeded" }, undefined, "usage", "deadline exceeded", "grey", "give up"],
  [{ reason: "DisruptionTarget" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "Evicted" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "Preempting" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "Terminated" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "NodeShutdown" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "Shutdown" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "NodeAffinity" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "OutOfcpu" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "OutOfmemory" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "OutOfpods" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "OutOfephemeral-storage" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ reason: "Deleted" }, undefined, "disruption", "deleted", "yellow", "start again"],
  [{ reason: "NodeLost" }, undefined, "disruption", "lost", "yellow", "start again"],
  [{ reason: "ContainerStatusUnknown", exitCode: 137 }, undefined, "disruption", "lost", "yellow", "start again"],
  [{ reason: "Unknown", exitCode: 255 }, undefined, "disruption", "lost", "yellow", "start again"],
  [{ reason: "StartError", exitCode: 128 }, undefined, "unexpected", "start failed", "grey", "start again"],
  [{ reason: "ContainerCannotRun", exitCode: 127 }, undefined, "unexpected", "start failed", "grey", "start again"],
  [{ reason: "UnexpectedAdmissionError" }, undefined, "unexpected", "start failed", "grey", "start again"],
  [{ reason: "TopologyAffinityError" }, undefined, "unexpected", "start failed", "grey", "start again"],
  [{ reason: "Failed" }, undefined, "unexpected", "failed", "grey", "start again"],
  [{ reason: "FailedIndexes" }, undefined, "unexpected", "failed", "grey", "start again"],
  [{ reason: "MaxFailedIndexesExceeded" }, undefined, "unexpected", "failed", "grey", "start again"],
  [{ reason: "BackoffLimitExceeded" }, undefined, "unexpected", "failed", "grey", "start again"],
  [{ reason: "PodFailurePolicy" }, undefined, "unexpected", "failed", "grey", "start again"],
  // Cloud Run.
  [{ reason: "Cancelled" }, undefined, "disruption", "cancelled", "yellow", "start again"],
  [{ reason: "NoExitCode" }, undefined, "unexpected", "failed", "grey", "start again"],
  // Workers on this machine.
  [{ reason: "StartFailed" }, undefined, "unexpected", "start failed", "grey", "start again"],
  [{ reason: "Lost" }, undefined, "disruption", "lost", "yellow", "start again"],
];

/** What several sources say together. */
const together: readonly Row[] = [
  // Out of memory in a container: with SIGKILL's code, with 0, and with the code of a supervisor that survived.
  [{ exitCode: 137, reason: "OOMKilled" }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ exitCode: 0, reason: "OOMKilled" }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ exitCode: 4, reason: "OOMKilled" }, undefined, "memory", "out of memory", "red", "more memory"],
  [{ exitCode: 4, reason: "OOMKilled" }, 4, "memory", "memory ceiling", "red", "more memory"],
  [{ signal: "SIGKILL", reason: "OOMKilled" }, undefined, "memory", "out of memory", "red", "more memory"],
  // A disruption or a deadline excuses whatever the worker left.
  [{ exitCode: 137, reason: "DisruptionTarget" }, undefined, "disruption", "disrupted", "yellow", "start again"],
  [{ exitCode: 143, reason: "Deleted" }, undefined, "disruption", "deleted", "yellow", "start again"],
  [{ exitCode: 4, reason: "Evicted" }, 4, "disruption", "disrupted", "yellow", "start again"],
  [{ exitCode: 143, reason: "DeadlineExceeded" }, 143, "usage", "deadline exceeded", "grey", "give up"],
  // Otherwise the worker's own record counts.
  [{ exitCode: 137 }, 75, "transient", "storage failed", "grey", "start again"],
  [{ exitCode: 137, reason: "OOMKilled" }, 5, "verification", "verification failed", "grey", "give up"],
  [{ exitCode: 1 }, 3, "input", "input refused", "violet", "give up"],
  [{ end }, 4, "memory", "memory ceiling", "red", "more memory"],
  [{ exitCode: 137, reason: "OOMKilled" }, 0, undefined, "done", "green", "nothing"],
  [{ exitCode: 143, reason: "DisruptionTarget" }, 0, undefined, "done", "green", "nothing"],
  [{ exitCode: 0, reason: "DisruptionTarget" }, undefined, undefined, "done", "green", "nothing"],
  // A reason that this version does not know says less than the exit code.
  [{ exitCode: 3, reason: "Novel" }, undefined, "input", "input refused", "violet", "give up"],
  [{ exitCode: 3, reason: "constructor" }, undefined, "input", "input refused", "violet", "give up"],
];

const colours: Readonly<Record<ReturnType<typeof hueOf>, Colour>> = {
  "var(--good)": "green",
  "var(--info)": "blue",
  "var(--bad)": "red",
  "var(--warn)": "yellow",
  "var(--violet)": "violet",
  "var(--other)": "grey",
};

function nextAfter(ending: Ending): Next {
  if (ending.kind !== "failed") return "nothing";
  const policy = policyOf({ retries: 3, retriesUnexpected: 1, memoryCeilings: [2 * GiB] }, GiB);
  const decision = decide([{ cause: ending.cause, ceilingBytes: GiB }], policy);
  if (decision.action === "give up") return "give up";
  return decision.ceilingBytes > GiB ? "more memory" : "start again";
}

const leave = (exitCode: ExitCode, outcome: Outcome = outcomeOf[exitCode]): Left => ({ exitCode, outcome });

describe("how an attempt ended: cause, word, colour, and what is done next", () => {
  for (const [seen, code, cause, word, colour, next] of [...alone, ...together]) {
    const left = code === undefined ? undefined : leave(code);
    it(`${JSON.stringify(seen)}, the worker left ${code ?? "nothing"}: ${word}`, () => {
      const ending = endingOf({ seen, left });
      assert.deepEqual(
        [ending.kind === "failed" ? ending.cause : undefined, describeEnding(ending), colours[hueOf(ending)]],
        [cause, word, colour],
      );
      assert.equal(nextAfter(ending), next);
    });
  }

  it("the table has every reason, signal and exit code", () => {
    const listed = (key: "reason" | "signal" | "exitCode") => new Set(alone.map(([seen]) => String(seen[key])));
    for (const reason of Object.keys(reasons)) assert.ok(listed("reason").has(reason), reason);
    for (const signal of Object.keys(signals)) assert.ok(listed("signal").has(signal), signal);
    for (const code of [...Object.keys(exitCodes), ...Object.values(ExitCode)])
      assert.ok(listed("exitCode").has(String(code)), `exit ${code}`);
  });

  it("a word has one cause, so that a colour has one meaning", () => {
    const causes = Map.groupBy([...alone, ...together], ([, , , word]) => word);
    for (const [word, rows] of causes) assert.equal(new Set(rows.map(([, , cause]) => cause)).size, 1, word);
  });

  it("a pair that was already done is a good end", () => {
    const ending = endingOf({ seen: { exitCode: 0 }, left: leave(0, "already done") });
    assert.deepEqual(ending, { kind: "done", word: "already done" });
    assert.equal(colours[hueOf(ending)], "green");
  });

  it("a good end without an output is a failure, whose cause is what the backend saw, if anything", () => {
    const missing = (seen: Seen, left?: Left) => describeEnding(endingOf({ seen, left, published: false }));
    assert.equal(missing({ exitCode: 0 }), "no output");
    assert.equal(missing({ exitCode: 0 }, leave(0)), "no output");
    assert.equal(missing({ exitCode: 137 }, leave(0)), "out of memory");
    assert.equal(missing({ exitCode: 143, reason: "Evicted" }, leave(0)), "disrupted");
    assert.equal(missing({ start }), "running");
  });

  it("every cause has a weight and an exit code other than 0", () => {
    assert.deepEqual([...causesByWeight].sort(), Object.keys(codeOfCause).sort());
    for (const cause of causesByWeight) assert.notEqual(codeOfCause[cause], 0);
  });
});
