import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { PodSeen } from "../../../src/backend/kubernetes/attempt.ts";
import { type JobSeen, translateStatus } from "../../../src/backend/kubernetes/status.ts";
import { encodeOutcome, toOutcome } from "../../../src/model/outcome.ts";
import type { Attempt, TaskStatus } from "../../../src/model/run.ts";
import { makeWorkerRecord } from "../../support/run.ts";
import { disrupted, ended, makeJob, makePod, pending, pulling, running, stopped } from "./shapes.ts";
import { makeLaunch } from "./support.ts";

/** The task of index 0 of two, seen with these pods. */
function see(pods: readonly PodSeen[], job: JobSeen | undefined = makeJob()): TaskStatus {
  const [task] = translateStatus(makeLaunch({}, 2), job, pods, { vcpu: 4 });
  assert.ok(task);
  return task;
}

function seeAttempt(pod: PodSeen): Attempt {
  const [attempt] = see([pod]).attempts;
  assert.ok(attempt);
  return attempt;
}

describe("the state of a task", () => {
  test("waits without a pod, for a node, for an image, and for another try", () => {
    for (const pods of [[], [makePod(0, pending)], [makePod(0, pulling)], [makePod(0, ended(75, "Error"))]])
      assert.equal(see(pods).state, "waiting");
  });

  test("runs while a pod does, also when it was told to go or its node is silent", () => {
    assert.equal(see([makePod(0, running)]).state, "running");
    assert.equal(see([makePod(0, running, { deletionTimestamp: "2026-11-21T06:05:00Z" })]).state, "running");
    assert.equal(see([makePod(0, { ...running, phase: "Unknown" })]).state, "running");
    assert.equal(see([makePod(0, ended(75, "Error")), makePod(0, running, {}, "second")]).state, "running");
  });

  test("has succeeded when the Job or a pod says so, in this order of time", () => {
    assert.equal(see([makePod(0, ended(0, "Completed"))]).state, "succeeded");
    assert.equal(see([], makeJob({ completedIndexes: "0" })).state, "succeeded");
    assert.equal(see([makePod(0, running)], makeJob({ completedIndexes: "0,1" })).state, "succeeded");
  });

  test("has failed when the Job gave its index up, not when one pod failed", () => {
    assert.equal(see([makePod(0, ended(3, "Error"))]).state, "waiting");
    assert.equal(see([makePod(0, ended(3, "Error"))], makeJob({ failedIndexes: "0" })).state, "failed");
    assert.equal(see([], makeJob({ failedIndexes: "1" })).state, "waiting");
  });

  test("is cancelled when the Job goes or has gone; what is done stays done, what still runs still runs", () => {
    const going = makeJob({}, { deletionTimestamp: "2026-11-21T06:05:00Z" });
    assert.equal(see([], going).state, "cancelled");
    assert.equal(see([makePod(0, running)], going).state, "running");
    const gone = (pods: readonly PodSeen[]) => translateStatus(makeLaunch({}, 2), undefined, pods, { vcpu: 4 });
    assert.deepEqual(
      gone([makePod(0, ended(0, "Completed"))]).map(({ state }) => state),
      ["succeeded", "cancelled"],
    );
  });

  test("follows its index: pods of other indexes and of none change nothing", () => {
    const stray = makePod(1, running, { labels: {}, annotations: {} });
    assert.deepEqual(see([makePod(1, running), stray]).attempts, []);
  });
});

describe("a Job that passed its deadline", () => {
  const job = makeJob(stopped("DeadlineExceeded", "Job was active longer than specified deadline"));

  test("fails what is not done, and says so although the pods are gone", () => {
    const task = see([], job);
    assert.equal(task.state, "failed");
    assert.equal(task.attempts[0]?.reason, "DeadlineExceeded");
    assert.equal(task.attempts[0]?.end, "2026-11-21T06:10:05.000Z");
  });

  test("leaves a pod that is there its own word", () => {
    const task = see([makePod(0, ended(143, "Error"))], job);
    assert.deepEqual(
      task.attempts.map(({ exitCode }) => exitCode),
      [143],
    );
  });

  test("leaves what was done before as it is", () => {
    assert.equal(see([], { ...job, status: { ...job.status, completedIndexes: "0" } }).state, "succeeded");
  });
});

describe("an attempt", () => {
  test("has its pod's name, times, and what its pod asks for", () => {
    assert.deepEqual(seeAttempt(makePod(0, ended(4, "Error", "audusd: exit 4 memory ceiling: 1.98 GiB of 2.00 GiB"))), {
      id: "widemerge-2026-11-21-a-0-0-x7k2p",
      launch: 0,
      start: "2026-11-21T06:00:05.000Z",
      end: "2026-11-21T06:10:05.000Z",
      vcpu: 8,
      memoryBytes: 50 * 2 ** 30,
      spot: false,
      exitCode: 4,
      message: "audusd: exit 4 memory ceiling: 1.98 GiB of 2.00 GiB",
    });
  });

  test("takes dates as the client hands them over", () => {
    const startedAt = new Date("2026-11-21T06:00:05Z");
    const status = { phase: "Running", containerStatuses: [{ name: "merge", state: { running: { startedAt } } }] };
    assert.equal(seeAttempt(makePod(0, status)).start, "2026-11-21T06:00:05.000Z");
  });

  test("has neither start nor end while it waits, and says what for", () => {
    const { start, end, message } = seeAttempt(makePod(0, pending));
    assert.deepEqual([start, end], [undefined, undefined]);
    assert.equal(message, "Unschedulable: 0/3 nodes are available: 3 Insufficient memory.");
    assert.equal(seeAttempt(makePod(0, pulling)).message, 'ImagePullBackOff: Back-off pulling image "widemerge:1"');
  });

  test("ran out of memory where the container says so, whatever the exit code: 137, 4 of a supervisor, even 0", () => {
    for (const code of [137, 4, 0]) {
      const attempt = seeAttempt(makePod(0, ended(code, "OOMKilled")));
      assert.deepEqual([attempt.reason, attempt.exitCode], ["OOMKilled", code]);
    }
  });

  test("was disrupted where the condition says so, whatever else is there", () => {
    const status = disrupted(ended(137, "Error"), "EvictionByEvictionAPI", "Eviction API: evicting");
    const attempt = seeAttempt(makePod(0, status));
    assert.equal(attempt.reason, "DisruptionTarget");
    assert.equal(attempt.message, "EvictionByEvictionAPI: Eviction API: evicting");
  });

  test("of a lost node ends when the condition came, without a word of its container", () => {
    const status = disrupted({ phase: "Failed" }, "DeletionByPodGC", "PodGC: node no longer exists");
    const { end, exitCode } = seeAttempt(makePod(0, status));
    assert.deepEqual([end, exitCode], ["2026-11-21T06:10:05.000Z", undefined]);
  });

  test("of a pod that was deleted by hand says so; the exit code alone would not tell", () => {
    const pod = makePod(0, ended(143, "Error"), { deletionTimestamp: "2026-11-21T06:10:00Z" });
    assert.equal(seeAttempt(pod).reason, "Deleted");
  });

  test("of a pod that the node evicted has the node's reason", () => {
    const status = { phase: "Failed", reason: "Evicted", message: "Pod ephemeral local storage usage exceeds 1Gi" };
    const { reason, message, end } = seeAttempt(makePod(0, status));
    assert.deepEqual([reason, message], ["Evicted", "Pod ephemeral local storage usage exceeds 1Gi"]);
    assert.notEqual(end, undefined);
  });

  test("has what its worker left, and shows the sentence in it", () => {
    const outcome = toOutcome(makeWorkerRecord({ exitCode: 4 }).result, { tablesDone: 3, tables: 9 });
    const left = seeAttempt(makePod(0, ended(4, "Error", encodeOutcome(outcome))));
    assert.deepEqual([left.outcome, left.message], [outcome, outcome.message]);
    const both = disrupted(ended(143, "Error", encodeOutcome(outcome)), "EvictionByEvictionAPI", "evicting");
    const evicted = seeAttempt(makePod(0, both));
    assert.deepEqual([evicted.outcome, evicted.message], [outcome, "EvictionByEvictionAPI: evicting"]);
  });

  test("has no outcome where the message is not of a worker: the last line is shown as plain text, not endless", () => {
    const log = `{"msg":"first"}\n\u001b[31mlast\u0000 words\u001b[0m\n\n`;
    assert.equal(seeAttempt(makePod(0, ended(1, "Error", log))).message, "[31mlast words [0m");
    assert.equal(seeAttempt(makePod(0, ended(1, "Error", "x".repeat(5000)))).message?.length, 1000);
    assert.equal(seeAttempt(makePod(0, ended(1, "Error", log))).outcome, undefined);
  });

  test("reads the worker's container where a cluster put another one beside it", () => {
    const proxy = { name: "istio-proxy", state: { terminated: { exitCode: 0, reason: "Completed" } } };
    const worker = ended(5, "Error").containerStatuses ?? [];
    const status = { phase: "Failed", containerStatuses: [proxy, ...worker] };
    assert.equal(seeAttempt(makePod(0, status)).exitCode, 5);
  });

  test("comes after those that began before it", () => {
    const second = makePod(0, running, { name: "a", creationTimestamp: "2026-11-21T06:20:00Z" });
    const first = makePod(0, ended(75, "Error"), { name: "b" });
    assert.deepEqual(
      see([second, first]).attempts.map(({ id }) => id),
      ["b", "a"],
    );
  });
});

test("whatever is seen of a Job, every task is told once, by its index, and an ended Job leaves nothing open", () => {
  const anyStatus = fc.constantFrom(
    pending,
    pulling,
    running,
    ended(0, "Completed"),
    ended(3, "Error"),
    ended(137, "OOMKilled"),
    disrupted({ phase: "Failed" }, "PreemptionByScheduler", "preempted"),
  );
  const anyPods = fc.array(fc.tuple(fc.nat(9), anyStatus), { maxLength: 30 });
  fc.assert(
    fc.property(anyPods, fc.boolean(), (drawn, over) => {
      const job = over ? makeJob(stopped("FailedIndexes", "Job has failed indexes")) : makeJob();
      const pods = drawn.map(([index, status], at) => makePod(index, status, {}, `${at}`));
      const tasks = translateStatus(makeLaunch({}, 8), job, pods, { vcpu: 4 });
      assert.deepEqual(
        tasks.map(({ index }) => index),
        [0, 1, 2, 3, 4, 5, 6, 7],
      );
      for (const { index, state, attempts } of tasks) {
        assert.ok(attempts.length >= drawn.filter(([own]) => own === index).length);
        assert.ok(!over || state !== "waiting");
        for (const { end, exitCode } of attempts) assert.ok(exitCode === undefined || end !== undefined);
      }
    }),
  );
});
