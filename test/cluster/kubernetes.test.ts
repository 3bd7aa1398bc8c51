/** The Kubernetes backend with real workers in real containers. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Backend } from "../../src/backend/backend.ts";
import { createKubernetesBackend } from "../../src/backend/kubernetes/backend.ts";
import { buildJob } from "../../src/backend/kubernetes/job.ts";
import { Failure } from "../../src/model/failure.ts";
import { decodeOutcome } from "../../src/model/outcome.ts";
import { nameOutputs } from "../../src/model/output-names.ts";
import type { TaskStatus } from "../../src/model/run.ts";
import { defaultPairs } from "../../src/sample/pairs.ts";
import { causeOf } from "../support/run.ts";
import { statusOf, watchToEnd, watchUntil } from "../support/watch.ts";
import { Field, launchOf, whySkipped } from "./support.ts";

const skip = whySkipped();
const field = new Field("backend");

function connect(options = field.options): Backend {
  return createKubernetesBackend(options, field.environment);
}

function statesOf(tasks: readonly TaskStatus[]): readonly string[] {
  return tasks.map(({ state }) => state);
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Failure, `not a Failure: ${error}`);
  return error;
}

/** Pods of a Job, one a line: pair, run. */
function listPods(job: string): string {
  const columns = '{range .items[*]}{.metadata.labels.widemerge/pair} {.metadata.labels.widemerge/run}{"\\n"}{end}';
  return field.kubectl("get", "pods", "-l", `job-name=${job}`, "-o", `jsonpath=${columns}`);
}

describe("the Kubernetes backend", { skip, timeout: 600_000 }, () => {
  before(() => {
    field.open();
    field.sample(defaultPairs, "--tables", "5");
  });
  after(() => field.close());

  test("27 real pairs: one Job, one output each; kubectl tells which pod is whose", async () => {
    const backend = connect();
    const handle = await backend.submit(launchOf("all", defaultPairs, { parallelism: 6 }));
    const tasks = await watchToEnd(backend, handle);
    assert.deepEqual(
      statesOf(tasks),
      defaultPairs.map(() => "succeeded"),
    );
    for (const { pair, attempts } of tasks) {
      assert.ok(existsSync(join(field.output, nameOutputs(pair).manifest)), pair);
      const [attempt, ...others] = attempts;
      assert.deepEqual(others, []);
      assert.equal(attempt?.exitCode, 0);
      assert.deepEqual([attempt?.outcome?.pair, attempt?.outcome?.outcome], [pair, "done"]);
      assert.deepEqual(attempt?.outcome?.progress, { tablesDone: 6, tables: 6 }, "the features and the targets");
      assert.ok(existsSync(join(field.output, "runs/all/results", pair, `${attempt?.id}.json`)), attempt?.id);
      assert.deepEqual([attempt?.vcpu, attempt?.memoryBytes], [0.5, 512 * 2 ** 20]);
    }
    assert.deepEqual(listPods("widemerge-all-0").trim().split("\n").sort(), defaultPairs.map((p) => `${p} all`).sort());
    const annotation = field.kubectl("get", "job", "widemerge-all-0", "-o", "yaml");
    assert.match(annotation, new RegExp(`widemerge/pairs: ${defaultPairs.join(",")}`));
    await backend.cancel(handle);
  });

  test("a damaged input is refused once, exit 3, told in one line; it stops no other pair", async () => {
    rmSync(join(field.input, "audcad/_COMPLETE"));
    const backend = connect();
    const handle = await backend.submit(launchOf("refused", ["audcad", "audchf"]));
    const tasks = await watchToEnd(backend, handle);
    assert.deepEqual(statesOf(tasks), ["failed", "succeeded"]);
    const attempts = tasks[0]?.attempts ?? [];
    assert.deepEqual(
      attempts.map(({ exitCode }) => exitCode),
      [3],
    );
    assert.match(attempts[0]?.message ?? "", /^audcad: exit 3 .*_COMPLETE/);
    const { outcome } = attempts[0] ?? {};
    assert.deepEqual([outcome?.pair, outcome?.exitCode, outcome?.outcome], ["audcad", 3, "input refused"]);
    const path = "jsonpath={.status.containerStatuses[0].state.terminated.message}";
    const left = field.kubectl("get", "pod", attempts[0]?.id ?? "", "-o", path);
    assert.ok(left.startsWith('{"message":"audcad: exit 3 input refused: '), left);
    assert.deepEqual(decodeOutcome(left), outcome);
    await backend.cancel(handle);
  });

  test("a container that the kernel kills for its memory is told as memory, and not tried again", async () => {
    const backend = connect();
    // Too small for Node itself: the guard cannot come first.
    const handle = await backend.submit(launchOf("killed", ["gbpusd"], { ceilingBytes: 16 * 2 ** 20 }));
    const [task] = await watchToEnd(backend, handle);
    assert.equal(task?.state, "failed");
    const [attempt, ...others] = task?.attempts ?? [];
    assert.deepEqual(others, []);
    // containerd may miss the kernel's word that it was for want of memory: the exit code is there nevertheless.
    assert.ok(attempt?.reason === "OOMKilled" || attempt?.exitCode === 137, JSON.stringify(attempt));
    assert.ok(attempt && causeOf(attempt) === "memory");
    await backend.cancel(handle);
  });

  test("a pod that is evicted, and one that is deleted, cost no retry: both pairs are done in the end", async () => {
    for (const pair of ["usdjpy", "usdchf"])
      for (const name of Object.values(nameOutputs(pair))) rmSync(join(field.output, name), { force: true });
    // So slow that they are still at work when they are taken away.
    const backend = connect({ ...field.options, cpu: 0.1 });
    const handle = await backend.submit(launchOf("disrupted", ["usdjpy", "usdchf"]));
    const runs = (tasks: readonly TaskStatus[]) => tasks.every(({ state }) => state === "running");
    const started = await watchUntil(backend, handle, runs);
    const [evicted, deleted] = started.map(({ attempts }) => attempts[0]?.id ?? "");
    field.evict(evicted ?? "");
    field.kubectl("delete", "pod", deleted ?? "", "--wait=false");
    const tasks = await watchToEnd(backend, handle);
    assert.deepEqual(statesOf(tasks), ["succeeded", "succeeded"]);
    for (const [index, first] of [evicted, deleted].entries())
      assert.notEqual(tasks[index]?.attempts.at(-1)?.id, first, "another pod has done it");
    await backend.cancel(handle);
  });

  test("a second controller finds the Job of the first and goes on with it; other settings are refused", async () => {
    const launch = launchOf("resumed", ["eurgbp", "eurjpy", "eurchf"]);
    const handle = await connect().submit(launch);
    const second = connect();
    assert.deepEqual(await second.submit(launch), handle);
    assert.deepEqual(statesOf(await watchToEnd(second, handle)), ["succeeded", "succeeded", "succeeded"]);
    const { exitCode, message } = await failureOf(second.submit({ ...launch, parallelism: 1 }));
    assert.equal(exitCode, 2);
    assert.match(message, /widemerge-resumed-0 exists already with other settings/);
    await second.cancel(handle);
  });

  test("a Job that was applied by hand is found and gone on with", async () => {
    const launch = launchOf("by-hand", ["audjpy"]);
    field.apply(buildJob(launch, field.options, field.environment));
    const backend = connect();
    const handle = await backend.submit(launch);
    assert.deepEqual(statesOf(await watchToEnd(backend, handle)), ["succeeded"]);
    await backend.cancel(handle);
  });

  test("cancel stops what runs, leaves nothing, and does no harm a second time", async () => {
    const backend = connect();
    const launch = launchOf("stopped", ["euraud", "eurcad", "eurnzd", "gbpjpy", "gbpchf"], { parallelism: 2 });
    const handle = await backend.submit(launch);
    await watchUntil(backend, handle, (tasks) => tasks.some(({ state }) => state === "running"));
    await backend.cancel(handle);
    assert.equal(field.kubectl("get", "jobs,pods", "-l", "widemerge/run=stopped", "-o", "name"), "");
    await backend.cancel(handle);
    const states = statesOf(await statusOf(backend, handle));
    assert.deepEqual(
      states,
      launch.tasks.map(() => "cancelled"),
    );
  });

  test("a Job past its deadline says so for every pair that is not done", async () => {
    const options = { ...field.options, deadline: 1, image: "localhost/not-there:1" };
    const backend = createKubernetesBackend(options, field.environment);
    const handle = await backend.submit(launchOf("late", ["gbpaud", "gbpcad"]));
    const tasks = await watchToEnd(backend, handle);
    assert.deepEqual(statesOf(tasks), ["failed", "failed"]);
    for (const { attempts } of tasks) assert.equal(attempts.at(-1)?.reason, "DeadlineExceeded");
    await backend.cancel(handle);
  });

  test("a pod that cannot start says what it waits for", async () => {
    const backend = createKubernetesBackend({ ...field.options, image: "localhost/not-there:1" }, field.environment);
    const handle = await backend.submit(launchOf("imageless", ["gbpnzd"]));
    const told = (tasks: readonly TaskStatus[]) =>
      tasks[0]?.attempts[0]?.message?.startsWith("ErrImageNeverPull") === true;
    assert.equal((await watchUntil(backend, handle, told))[0]?.state, "waiting");
    await backend.cancel(handle);
  });

  test("what the server would refuse is said before anything is there", async () => {
    const backend = createKubernetesBackend({ ...field.options, namespace: "not-there" }, field.environment);
    const { exitCode, message } = await failureOf(backend.submit(launchOf("nowhere", ["gbpnzd"])));
    assert.equal(exitCode, 2);
    assert.match(message, /namespaces "not-there" not found/);
  });
});
