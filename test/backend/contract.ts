import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Backend } from "../../src/backend/backend.ts";
import type { Handle, Launch, TaskStatus } from "../../src/model/run.ts";
import { makeLaunch } from "../support/run.ts";

/**
 * A backend for a test. Its workers merge nothing, and how they end is in the name of their pair: `okN` with 0, `inputN`
 * with 3, `storageN` with 75, `onceN` with 75 the first time, `stayN` goes on until it is stopped (with 143).
 */
export interface BackendSubject {
  readonly backend: Backend;
  /** The same backend as another controller would have it. */
  another(): Backend;
  /** What is left of a launch that was cancelled: processes, pods, Jobs, by name. */
  leftovers(launch: Launch): Promise<readonly string[]>;
}

export interface ContractOptions {
  /** Tasks of the launch with many. */
  readonly many: number;
  /** False where a launch starts every task once, and another try is another launch. */
  readonly triesAgain?: boolean;
  /** Why the backend cannot be tested here; the suite is skipped by name then. */
  readonly skip?: string;
}

const wait = (milliseconds = 1000) => ({ milliseconds, signal: new AbortController().signal });

/** Looks until the launch is as it should be. */
async function watch(
  backend: Backend,
  handle: Handle,
  until: (statuses: readonly TaskStatus[]) => boolean,
  look: (statuses: readonly TaskStatus[]) => void = () => undefined,
): Promise<readonly TaskStatus[]> {
  for (;;) {
    const statuses = await backend.status(handle, wait());
    look(statuses);
    if (until(statuses)) return statuses;
    await setTimeout(10);
  }
}

const isOver = (statuses: readonly TaskStatus[]) =>
  statuses.every(({ state }) => state !== "waiting" && state !== "running");
const statesOf = (statuses: readonly TaskStatus[]) => statuses.map(({ pair, state }) => `${pair} ${state}`);
const codesOf = (status: TaskStatus | undefined) => status?.attempts.map(({ exitCode }) => exitCode);

/** What every backend must do: the controller relies on it and on nothing else. */
export function backendContract(
  name: string,
  makeBackend: (context: { readonly after: (work: () => Promise<void> | void) => void }) => Promise<BackendSubject>,
  { many, triesAgain = true, skip }: ContractOptions,
): void {
  describe(`backend ${name}`, { skip: skip ?? false }, () => {
    it("carries out every task and says when, where and with what", async (context) => {
      const { backend } = await makeBackend(context);
      const launch = makeLaunch(["ok1", "ok2", "ok3"]);
      const handle = await backend.submit(launch);
      assert.equal(handle.backend, backend.name);
      assert.deepEqual(handle.launch, launch);
      const statuses = await watch(backend, handle, isOver);
      assert.deepEqual(statesOf(statuses), ["ok1 succeeded", "ok2 succeeded", "ok3 succeeded"]);
      assert.deepEqual(
        statuses.map(({ index }) => index),
        [0, 1, 2],
      );
      const attempts = statuses.flatMap((status) => status.attempts);
      assert.equal(new Set(attempts.map(({ id }) => id)).size, 3);
      for (const attempt of attempts) {
        assert.ok(Date.parse(attempt.start ?? "") <= Date.parse(attempt.end ?? ""), JSON.stringify(attempt));
        assert.ok(attempt.vcpu > 0);
        const { exitCode, memoryBytes, spot } = attempt;
        assert.deepEqual([exitCode, memoryBytes, attempt.launch, spot], [0, launch.ceilingBytes, 0, false]);
      }
    });

    it("is told twice and does it once, also by two controllers", async (context) => {
      const { backend, another } = await makeBackend(context);
      const launch = makeLaunch(["ok1", "once1"]);
      const first = await backend.submit(launch);
      assert.deepEqual(await backend.submit(launch), first);
      await watch(backend, first, isOver);
      const other = another();
      assert.deepEqual(await other.submit(launch), first);
      const statuses = await watch(other, first, isOver);
      assert.deepEqual(statuses.map(codesOf), [[0], triesAgain ? [75, 0] : [75]]);
    });

    it("tries again what may pass, gives up what will not, and goes on with the others", {
      skip: triesAgain ? false : "a launch starts every task once",
    }, async (context) => {
      const { backend } = await makeBackend(context);
      const handle = await backend.submit(makeLaunch(["input1", "once1", "storage1", "ok1"], { retries: 2 }));
      const statuses = await watch(backend, handle, isOver);
      assert.deepEqual(statesOf(statuses), ["input1 failed", "once1 succeeded", "storage1 failed", "ok1 succeeded"]);
      assert.deepEqual(statuses.map(codesOf), [[3], [75, 0], [75, 75, 75], [0]]);
    });

    it("gives up what failed where another try is another launch", {
      skip: triesAgain ? "a launch tries again itself" : false,
    }, async (context) => {
      const { backend } = await makeBackend(context);
      const pairs = ["input1", "once1", "storage1", "ok1"];
      const first = await watch(backend, await backend.submit(makeLaunch(pairs, { retries: 2 })), isOver);
      assert.deepEqual(first.map(codesOf), [[3], [75], [75], [0]]);
      const again = makeLaunch(["once1", "storage1"], { number: 1, retries: 2 });
      const second = await watch(backend, await backend.submit(again), isOver);
      assert.deepEqual(statesOf(second), ["once1 succeeded", "storage1 failed"]);
      const ids = [...first, ...second].flatMap(({ attempts }) => attempts.map(({ id }) => id));
      assert.equal(new Set(ids).size, 6);
    });

    it("never has more at work than was asked for", async (context) => {
      const { backend } = await makeBackend(context);
      const pairs = Array.from({ length: 8 }, (_, index) => `ok${index}`);
      const handle = await backend.submit(makeLaunch(pairs, { parallelism: 2 }));
      let most = 0;
      await watch(backend, handle, isOver, (statuses) => {
        most = Math.max(most, statuses.filter(({ state }) => state === "running").length);
      });
      assert.ok(most <= 2, `${most} at once`);
    });

    it("stops everything when it is cancelled, leaves nothing, and does not mind a second time", async (context) => {
      const { backend, another, leftovers } = await makeBackend(context);
      const launch = makeLaunch(["stay1", "ok1", "stay2", "stay3"], { parallelism: 3 });
      const handle = await backend.submit(launch);
      const at = (statuses: readonly TaskStatus[]) => statuses.filter(({ state }) => state === "running").length;
      await watch(backend, handle, (statuses) => at(statuses) === 3 && statuses[1]?.state === "succeeded");
      await another().cancel(handle);
      assert.deepEqual(await leftovers(launch), []);
      await backend.cancel(handle);
      const states = statesOf(await backend.status(handle));
      assert.ok(
        states.every((state) => !/running|waiting/.test(state)),
        states.join(", "),
      );
    });

    it("a wait ends when it is told to", async (context) => {
      const { backend } = await makeBackend(context);
      const handle = await backend.submit(makeLaunch(["stay1"]));
      await watch(backend, handle, ([status]) => status?.state === "running");
      await backend.status(handle);
      const stop = new AbortController();
      const waiting = backend.status(handle, { milliseconds: 3_600_000, signal: stop.signal });
      stop.abort();
      assert.deepEqual(statesOf(await waiting), ["stay1 running"]);
      await backend.cancel(handle);
    });

    it(`carries out ${many} tasks`, async (context) => {
      const { backend } = await makeBackend(context);
      const pairs = Array.from({ length: many }, (_, index) => `ok${index}`);
      const handle = await backend.submit(makeLaunch(pairs, { parallelism: 8 }));
      const statuses = await watch(backend, handle, isOver);
      assert.deepEqual(
        statesOf(statuses),
        pairs.map((pair) => `${pair} succeeded`),
      );
    });
  });
}
