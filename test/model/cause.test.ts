import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { causeOf, causesByWeight, codeOfCause } from "../../src/model/cause.ts";
import type { ExitCode } from "../../src/model/exit-code.ts";
import type { Attempt, Cause, WorkerRecord } from "../../src/model/run.ts";
import { makeAttempt, makeWorkerRecord } from "../support/run.ts";

const cases: readonly [string, Partial<Attempt>, ExitCode | undefined, Cause][] = [
  ["the exit code of a refused input", { exitCode: 3 }, undefined, "input"],
  ["the exit code of lost storage", { exitCode: 75 }, undefined, "transient"],
  ["the exit code of a memory ceiling", { exitCode: 4 }, undefined, "memory"],
  ["the exit code of a failed verification", { exitCode: 5 }, undefined, "verification"],
  ["a code that is not ours", { exitCode: 42 }, undefined, "unexpected"],
  ["no code at all", {}, undefined, "unexpected"],
  ["a container killed for want of memory", { exitCode: 137, reason: "OOMKilled" }, undefined, "memory"],
  ["a container killed for want of memory that says 0", { exitCode: 0, reason: "OOMKilled" }, undefined, "memory"],
  ["137 without a reason", { exitCode: 137, reason: "Error" }, undefined, "memory"],
  ["an allocation that aborted", { exitCode: 134 }, undefined, "memory"],
  ["a process aborted by an allocation", { signal: "SIGABRT" }, undefined, "memory"],
  ["a process killed from outside", { signal: "SIGKILL" }, undefined, "unexpected"],
  ["a process told to stop", { signal: "SIGTERM" }, undefined, "disruption"],
  ["SIGTERM as a code", { exitCode: 143 }, undefined, "disruption"],
  ["an eviction, whatever the code", { exitCode: 137, reason: "DisruptionTarget" }, undefined, "disruption"],
  ["an eviction, whatever the worker said", { exitCode: 4, reason: "Evicted" }, 4, "disruption"],
  ["a limit of time, whatever the worker said", { reason: "DeadlineExceeded" }, 143, "usage"],
  ["a worker that left no word", { reason: "Lost" }, undefined, "disruption"],
  ["the worker's word before the runtime's", { exitCode: 137 }, 75, "transient"],
  ["the worker's word before the runtime's reason", { exitCode: 137, reason: "OOMKilled" }, 5, "verification"],
  ["a good word and an empty place", { exitCode: 0 }, 0, "unexpected"],
];

describe("the cause of a failed attempt", () => {
  for (const [name, attempt, said, cause] of cases)
    it(`${name}: ${cause}`, () => {
      const record: WorkerRecord | undefined = said === undefined ? undefined : makeWorkerRecord({ exitCode: said });
      assert.equal(causeOf(makeAttempt(attempt), record), cause);
    });

  it("every cause has a weight and an exit code other than 0", () => {
    assert.deepEqual([...causesByWeight].sort(), Object.keys(codeOfCause).sort());
    for (const cause of causesByWeight) assert.notEqual(codeOfCause[cause], 0);
  });
});
