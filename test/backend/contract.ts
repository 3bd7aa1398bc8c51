import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend } from "../../src/backend/backend.ts";
import type { Launch, TaskStatus } from "../../src/model/run.ts";
import { makeLaunch } from "../support/run.ts";
import { statusOf, watchToEnd, watchUntil } from "../support/watch.ts";

/**
 * A backend for a test. Its workers merge nothing, and how they end is in the name of their pair: `okN` with 0, `inputN`
 * with 3, `storageN` with 75, `onceN` with 75 the first time, `stayN` goes on until it is stopped (with 143).
 */
export interface BackendSubject {
  readonly backend: Backend;
  /** The same backend as another controller would have it. */
  another(): Backend;
  /** The names of processes, pods and Jobs that are left of a cancelled launch. */
  leftovers(launch: Launch): Promise<readonly string[]>;
}

export interface ContractOptions {
  /** Tasks of the largest launch. */
  readonly many: number;
  /** Why the backend cannot be tested here; the suite is skipped by name then. */
  readonly skip?: string;
}

const statesOf = (statuses: readonly TaskStatus[]) => statuses.map(({ pair, state }) => `${pair} ${state}`);
const codesOf = (status: TaskStatus | undefined) => status?.attempts.map(({ exitCode }) => exitCode);

/** What every backend must do, and all that the controller relies on. */
export function backendContract(
  name: string,
  makeBackend: (context: { readonly after: (work: () => Promise<void> | void) => void }) => Promise<BackendSubject>,
  { many, skip }: ContractOptions,
): void {
  describe(`backend ${name}`, { skip: skip ?? false }, () => {
    it("runs every task, and reports times, exit codes and resources", async (context) => {
      const { backend } = await makeBackend(context);
      const launch = makeLaunch(["ok1", "ok2", "ok3"]);
      const handle = await backend.submit(launch);
      assert.equal(handle.backend, backend.name);
      assert.deepEqual(handle.launch, launch);
      const statuses = await watchToEnd(backend, handle);
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

    it("starts a launch once although it is submitted twice, also by two controllers", async (context) => {
      const { backend, another } = await makeBackend(context);
      const launch = makeLaunch(["ok1", "once1"]);
      const first = await backend.submit(launch);
      assert.deepEqual(await backend.submit(launch), first);
      await watchToEnd(backend, first);
      const other = another();
      assert.deepEqual(await other.submit(launch), first);
      const statuses = await watchToEnd(other, first);
      assert.deepEqual(statuses.map(codesOf), [[0], [75]]);
    });

    it("starts every task once; a retry is another launch, also beside the first one", async (context) => {
      const { backend } = await makeBackend(context);
      const pairs = ["stay1", "input1", "once1", "storage1", "ok1"];
      const first = await backend.submit(makeLaunch(pairs, { parallelism: 5 }));
      const failed = await watchUntil(backend, first, (all) =>
        all.slice(1).every(({ state }) => state === "failed" || state === "succeeded"),
      );
      assert.deepEqual(failed.slice(1).map(codesOf), [[3], [75], [75], [0]]);
      const second = await backend.submit(makeLaunch(["once1", "storage1"], { number: 1 }));
      const again = await watchToEnd(backend, second);
      assert.deepEqual(statesOf(again), ["once1 succeeded", "storage1 failed"]);
      const both = await backend.status([first, second]);
      assert.deepEqual(
        both.map(({ launch, statuses }) => [launch.number, statuses[0]?.state, statuses.length]),
        [
          [0, "running", 5],
          [1, "succeeded", 2],
        ],
      );
      const ids = both.flatMap(({ statuses }) => statuses.flatMap(({ attempts }) => attempts.map(({ id }) => id)));
      assert.equal(new Set(ids).size, 7);
      await backend.cancel(first);
    });

    it("runs as many tasks at a time as requested, and never more", async (context) => {
      const { backend } = await makeBackend(context);
      const pairs = ["stay1", "stay2", ...Array.from({ length: 6 }, (_, index) => `ok${index}`)];
      const handle = await backend.submit(makeLaunch(pairs, { parallelism: 2 }));
      const countRunning = (all: readonly TaskStatus[]) => all.filter(({ state }) => state === "running").length;
      const seen = await watchUntil(backend, handle, (all) => countRunning(all) >= 2);
      assert.deepEqual(
        seen.map(({ state }) => state),
        pairs.map((_, index) => (index < 2 ? "running" : "waiting")),
      );
      await backend.cancel(handle);
      const other = await backend.submit(makeLaunch(pairs.slice(2), { number: 1, parallelism: 2 }));
      let most = 0;
      const onLook = (all: readonly TaskStatus[]) => {
        most = Math.max(most, countRunning(all));
      };
      await watchUntil(backend, other, (all) => all.every(({ state }) => state === "succeeded"), { onLook });
      assert.ok(most <= 2, `${most} at once`);
    });

    it("stops everything on cancel and leaves nothing; a second cancel is harmless", async (context) => {
      const { backend, another, leftovers } = await makeBackend(context);
      const launch = makeLaunch(["stay1", "ok1", "stay2", "stay3"], { parallelism: 3 });
      const handle = await backend.submit(launch);
      const at = (statuses: readonly TaskStatus[]) => statuses.filter(({ state }) => state === "running").length;
      await watchUntil(backend, handle, (statuses) => at(statuses) === 3 && statuses[1]?.state === "succeeded");
      await another().cancel(handle);
      assert.deepEqual(await leftovers(launch), []);
      await backend.cancel(handle);
      const states = statesOf(await statusOf(backend, handle));
      assert.ok(
        states.every((state) => !/running|waiting/.test(state)),
        states.join(", "),
      );
    });

    it("ends a wait when the signal is aborted", async (context) => {
      const { backend } = await makeBackend(context);
      const handle = await backend.submit(makeLaunch(["stay1"]));
      await watchUntil(backend, handle, ([status]) => status?.state === "running");
      const stop = new AbortController();
      const waiting = backend.wait([handle], stop.signal);
      stop.abort();
      await waiting;
      assert.deepEqual(statesOf(await statusOf(backend, handle)), ["stay1 running"]);
      await backend.cancel(handle);
    });

    it(`runs ${many} tasks`, async (context) => {
      const { backend } = await makeBackend(context);
      const pairs = Array.from({ length: many }, (_, index) => `ok${index}`);
      const handle = await backend.submit(makeLaunch(pairs, { parallelism: 8 }));
      const statuses = await watchToEnd(backend, handle);
      assert.deepEqual(
        statesOf(statuses),
        pairs.map((pair) => `${pair} succeeded`),
      );
    });
  });
}
