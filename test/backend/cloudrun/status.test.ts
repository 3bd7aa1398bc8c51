import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Execution, Task } from "../../../src/backend/cloudrun/client.ts";
import { translateStatus } from "../../../src/backend/cloudrun/status.ts";
import type { TaskStatus } from "../../../src/model/run.ts";
import { makeCloudRunLaunch } from "../../support/cloudrun-options.ts";
import { causeOf } from "../../support/run.ts";

const launch = makeCloudRunLaunch({}, 1);
const started = { seconds: "1795240800", nanos: 250_000_000 };
const completed = { seconds: "1795241400", nanos: 0 };
const execution: Execution = {
  name: "projects/p/locations/r/jobs/j/executions/j-x7k2p",
  logUri: "https://log/execution",
};

type Condition = NonNullable<Task["conditions"]>[number];

/** A task as the service tells of it, with what a test is about. */
function makeTask(given: Task, condition: Condition): Task {
  const zero = { exitCode: 0, termSignal: 0, status: { code: 0, message: "" } };
  const conditions = [
    { type: "Started", state: "CONDITION_SUCCEEDED" as const },
    { type: "Completed", ...condition },
  ];
  return {
    index: 0,
    retried: 0,
    startTime: started,
    lastAttemptResult: zero,
    logUri: "https://log/0",
    conditions,
    ...given,
  };
}

function translate(task: Task | undefined, of: Execution | undefined = execution): TaskStatus {
  const [status] = translateStatus(launch, of, task === undefined ? [] : [task], { vcpu: 1 });
  assert.ok(status !== undefined);
  return status;
}

const failed = { state: "CONDITION_FAILED" } as const;

describe("what Cloud Run says of a task", () => {
  test("in order: waiting, running, succeeded", () => {
    assert.deepEqual(translate(undefined), { index: 0, pair: "pair0", state: "waiting", attempts: [] });
    assert.equal(translate({ index: 0 }).state, "waiting");
    const running = translate(makeTask({}, { state: "CONDITION_RECONCILING" }));
    assert.deepEqual([running.state, running.attempts[0]?.end], ["running", undefined]);
    const done = translate(makeTask({ completionTime: completed }, { state: "CONDITION_SUCCEEDED" }));
    assert.deepEqual(done, {
      index: 0,
      pair: "pair0",
      state: "succeeded",
      attempts: [
        {
          id: "j-x7k2p-0-0",
          launch: 0,
          start: new Date(1795240800250).toISOString(),
          end: new Date(1795241400000).toISOString(),
          vcpu: 1,
          memoryBytes: 2 * 2 ** 30,
          spot: false,
          exitCode: 0,
        },
      ],
    });
  });

  const ends = [
    { exitCode: 3, termSignal: 0, message: "The container exited with an error.", cause: "input" },
    { exitCode: 75, termSignal: 0, message: "The container exited with an error.", cause: "transient" },
    { exitCode: 0, termSignal: 6, message: "Container terminated on signal 6.", cause: "memory" },
    { exitCode: 0, termSignal: 0, message: "The configured memory limit was reached.", cause: "memory" },
    { exitCode: 0, termSignal: 9, message: "The configured memory limit was reached.", cause: "memory" },
    { exitCode: 0, termSignal: 0, message: "Internal error.", cause: "unexpected" },
  ];
  for (const { exitCode, termSignal, message, cause } of ends)
    test(`exit code ${exitCode}, signal ${termSignal}, "${message}": a failure, ${cause}`, () => {
      const lastAttemptResult = { exitCode, termSignal, status: { code: 10, message } };
      const { state, attempts } = translate(makeTask({ completionTime: completed, lastAttemptResult }, failed));
      const [attempt] = attempts;
      assert.ok(attempt !== undefined);
      assert.deepEqual([state, causeOf(attempt)], ["failed", cause]);
      assert.notEqual(attempt.exitCode, 0);
      assert.equal(attempt.message, `${message} log: https://log/0`);
    });

  test("a task that is over counts as failed, whatever its exit code says, until it is said to have succeeded", () => {
    const { state, attempts } = translate(makeTask({ completionTime: completed }, { state: "STATE_UNSPECIFIED" }));
    assert.deepEqual([state, attempts[0]?.exitCode], ["failed", undefined]);
  });

  test("an execution that never got to its tasks says why, for each of them", () => {
    const message = "Image 'x' not found.";
    const over = { ...execution, completionTime: completed, conditions: [{ type: "Completed", ...failed, message }] };
    const { state, attempts } = translate(undefined, over);
    assert.equal(state, "failed");
    assert.equal(attempts[0]?.message, `${message} log: https://log/execution`);
    assert.equal(attempts[0]?.end, new Date(1795241400000).toISOString());
  });

  test("cancelled: by a person, with the execution, or gone altogether", () => {
    const condition = { ...failed, executionReason: "CANCELLED" } as const;
    const own = translate(makeTask({ completionTime: completed }, condition));
    assert.deepEqual([own.state, own.attempts[0]?.reason], ["cancelled", "Cancelled"]);
    const over = { ...execution, completionTime: completed, conditions: [{ type: "Completed", ...condition }] };
    assert.deepEqual([translate(undefined, over).state, translate(undefined, over).attempts], ["cancelled", []]);
    assert.equal(translateStatus(launch, undefined, [], { vcpu: 1 })[0]?.state, "cancelled");
  });

  test("messages are one line of plain text", () => {
    const lastAttemptResult = { exitCode: 1, status: { message: "first\nsecond\u001b[31m red" } };
    const { attempts } = translate(makeTask({ completionTime: completed, lastAttemptResult }, failed));
    assert.equal(attempts[0]?.message, "first second [31m red log: https://log/0");
  });
});
