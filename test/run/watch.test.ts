/** A run that another process controls, followed and cancelled from outside. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Backend } from "../../src/backend/backend.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import type { RunRecord, RunView } from "../../src/model/run.ts";
import { cancel } from "../../src/run/cancel.ts";
import { findRun } from "../../src/run/choose.ts";
import { type RunOptions, runPairs } from "../../src/run/controller.ts";
import { runPaths } from "../../src/run/documents.ts";
import { RunState } from "../../src/run/state.ts";
import { followRun, type WatchedRun } from "../../src/run/watch.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { makeLocalBackend } from "../support/local-backend.ts";
import { RemotePlatform } from "../support/remote-platform.ts";
import { GiB, makeLaunch, makeStand, type Stand } from "../support/run.ts";

const folder = await scratchFolder("watch");
const store = createLocalStore(false);

function newStand(pairs: readonly string[]): Stand {
  return makeStand(mkdtempSync(join(folder, "stand-")), pairs);
}

function optionsOf(stand: Stand, machine: Backend, given: Partial<RunOptions> = {}): RunOptions {
  return {
    store,
    machine,
    backend: "local",
    capacity: { ceilingBytes: GiB, workers: 4, spot: false },
    settings: stand.settings,
    pairs: stand.pairs,
    wanted: "run",
    widemerge: "0.0.0",
    signal: new AbortController().signal,
    ...given,
  };
}

async function open({ settings, output }: Stand, backend: Backend): Promise<WatchedRun> {
  const record = await findRun(store, output, "run");
  const version = (await store.stat(runPaths(store, output, "run").record))?.version;
  const state = new RunState(store, settings, { record, version }, { ceilingBytes: GiB });
  await state.load();
  return { store, state, backend };
}

const readRecord = (stand: Stand): RunRecord =>
  JSON.parse(readFileSync(join(stand.output, "runs", "run", "run.json"), "utf8"));

describe("a run that another process controls", () => {
  it("is followed through all of its launches to its end", async () => {
    const stand = newStand(["ok1", "once1", "ok2"]);
    const begun = Promise.withResolvers<void>();
    const onView = ({ pairs }: RunView): void => {
      if (pairs.some(({ state }) => state === "running")) begun.resolve();
    };
    const running = runPairs(optionsOf(stand, makeLocalBackend(stand, {}, 0.5), { onView }));
    await begun.promise;
    const run = await open(stand, makeLocalBackend(stand));
    const views: RunView[] = [];
    await followRun(run, (view) => views.push(view));
    assert.equal((await running).exitCode, ExitCode.done);
    const last = views.at(-1);
    assert.ok(views.length > 1);
    assert.deepEqual(
      last?.pairs.map(({ pair, state, attempts }) => `${pair} ${state} ${attempts.length}`),
      ["ok1 done 1", "once1 done 2", "ok2 done 1"],
    );
  });

  it("is not followed after the controller has ended", async () => {
    const stand = newStand(["ok1"]);
    await runPairs(optionsOf(stand, makeLocalBackend(stand)));
    await followRun(await open(stand, makeLocalBackend(stand)), () => assert.fail("nothing happens"));
  });
});

describe("a run that is cancelled without a controller", () => {
  /** Starts a run of two long pairs, and leaves it. */
  async function leaveRun(stand: Stand, platform: RemotePlatform): Promise<void> {
    const detach = new AbortController();
    const failure = new Failure(ExitCode.terminated, [{ what: "stopped", fix: "run again" }]);
    const onView = ({ pairs }: RunView): void => {
      if (pairs.every(({ state }) => state === "running")) detach.abort(failure);
    };
    await runPairs(optionsOf(stand, platform.connect(), { detach: detach.signal, onView }));
  }

  it("has its workers stopped, and their end recorded", async () => {
    const stand = newStand(["p1", "p2"]);
    const platform = new RemotePlatform(stand, () => ({ steps: 1e6, exitCode: 0 }));
    await leaveRun(stand, platform);
    const run = await open(stand, platform.connect());
    assert.deepEqual(await cancel(run), { outcome: "cancelled" });
    const { cancelled, finished, handles, pending } = readRecord(stand);
    assert.deepEqual([cancelled, finished !== undefined, handles.length, pending], [true, true, 1, undefined]);
    assert.deepEqual(await cancel(run), { outcome: "already over" });
    assert.deepEqual(readRecord(stand).finished, finished);
    const { statuses } = JSON.parse(readFileSync(join(stand.output, "runs", "run", "launches", "0.json"), "utf8"));
    assert.deepEqual(
      statuses.map(({ state }: { state: string }) => state),
      ["cancelled", "cancelled"],
    );
    const left = ["cancel.json", "lease.json"].map((name) => existsSync(join(stand.output, "runs", "run", name)));
    assert.deepEqual(left, [false, false]);
    await cancel(await open(stand, platform.connect()));
  });

  it("has those stopped too that may or may not have been submitted", async () => {
    const stand = newStand(["p1", "p2"]);
    const platform = new RemotePlatform(stand, () => ({ steps: 1e6, exitCode: 0 }));
    await leaveRun(stand, platform);
    const pending = makeLaunch(["p1"], { number: 1 });
    writeFileSync(join(stand.output, "runs", "run", "run.json"), JSON.stringify({ ...readRecord(stand), pending }));
    await cancel(await open(stand, platform.connect()));
    const record = readRecord(stand);
    assert.deepEqual([record.cancelled, record.pending, record.handles.length], [true, undefined, 2]);
    assert.ok(existsSync(join(stand.output, "runs", "run", "launches", "1.json")));
  });
});

describe("the end of a run", () => {
  const stopWhenRunning = (stop: AbortController) => (view: RunView) => {
    const failure = new Failure(ExitCode.interrupted, [{ what: "stopped", fix: "run again" }]);
    if (view.pairs.some(({ attempts }) => attempts.some(({ exitCode }) => exitCode === 75))) stop.abort(failure);
  };

  it("keeps the attempts that the backend forgets with what it removes, for retries and costs", async () => {
    const stand = newStand(["p1", "p2"]);
    const platform = new RemotePlatform(stand, (pair) => ({ steps: pair === "p1" ? 1 : 1e6, exitCode: 75 }));
    const machine = platform.connect();
    const removed = new Set<number>();
    const forgetful: Backend = {
      ...machine,
      cancel: async (handle) => {
        await machine.cancel(handle);
        removed.add(handle.launch.number);
      },
      status: async (handles) =>
        (await machine.status(handles)).map(({ launch, statuses }) => {
          const gone = statuses.map((task) => ({ ...task, state: "cancelled" as const, attempts: [] }));
          return { launch, statuses: removed.has(launch.number) ? gone : statuses };
        }),
    };
    const stop = new AbortController();
    const { view } = await runPairs(
      optionsOf(stand, forgetful, { signal: stop.signal, onView: stopWhenRunning(stop) }),
    );
    const ends = view.pairs.map(({ attempts }) => attempts.map(({ exitCode, reason }) => exitCode ?? reason));
    assert.deepEqual(ends, [[75], ["Deleted"]]);
    const { statuses } = JSON.parse(readFileSync(join(stand.output, "runs", "run", "launches", "0.json"), "utf8"));
    assert.deepEqual(
      statuses.map(({ attempts }: { attempts: readonly unknown[] }) => attempts.length),
      [1, 1],
    );
  });

  it("has its reports before the record says that it is finished, and cancelled runs have them too", async () => {
    const stand = newStand(["p1"]);
    const platform = new RemotePlatform(stand, () => ({ steps: 1, exitCode: 0 }));
    const orders: (string | undefined)[] = [];
    const documents = async ({ record }: RunView): Promise<ReadonlyMap<string, string>> => {
      orders.push(
        `${record.finished !== undefined} in the report, ${readRecord(stand).finished !== undefined} in the record`,
      );
      return new Map([["report.json", JSON.stringify({ cancelled: record.cancelled })]]);
    };
    await runPairs(optionsOf(stand, platform.connect(), { documents }));
    assert.deepEqual(orders, ["true in the report, false in the record"]);
    const { finished: _, ...unfinished } = readRecord(stand);
    writeFileSync(join(stand.output, "runs", "run", "run.json"), JSON.stringify(unfinished));
    assert.deepEqual(await cancel(await open(stand, platform.connect()), { documents }), { outcome: "cancelled" });
    const report = JSON.parse(readFileSync(join(stand.output, "runs", "run", "report.json"), "utf8"));
    assert.deepEqual([report.cancelled, orders.length], [true, 2]);
  });

  it("that comes before a request to cancel is seen stays what it was", async () => {
    const stand = newStand(["p1"]);
    const platform = new RemotePlatform(stand, () => ({ steps: 1, exitCode: 0 }));
    await runPairs(optionsOf(stand, platform.connect()));
    const finished = readRecord(stand);
    const path = join(stand.output, "runs", "run", "run.json");
    const { finished: _, ...unfinished } = finished;
    writeFileSync(path, JSON.stringify(unfinished));
    const run = await open(stand, platform.connect());
    // The controller finishes the run after this process has read it.
    writeFileSync(path, JSON.stringify(finished));
    assert.deepEqual(await cancel(run), { outcome: "already over" });
    assert.deepEqual(readRecord(stand), finished);
    assert.ok(!existsSync(join(stand.output, "runs", "run", "cancel.json")));
  });

  it("counts an output that a failed worker published after all", async () => {
    const stand = newStand(["p1"]);
    const platform = new RemotePlatform(stand, () => ({ steps: 1, exitCode: ExitCode.input }));
    let looks = 0;
    const late: Partial<RunOptions> = {
      store: {
        ...store,
        stat: async (path) => {
          // The pair is looked at when the run begins, when its worker ends, and at the end.
          if (path.endsWith("training_p1.parquet") && ++looks === 3)
            for (const name of ["parquet", "manifest.json"])
              copyFileSync(join(stand.prepared, `training_p1.${name}`), join(stand.output, `training_p1.${name}`));
          return store.stat(path);
        },
      },
    };
    const { exitCode, view } = await runPairs(optionsOf(stand, platform.connect(), late));
    assert.deepEqual([exitCode, view.pairs[0]?.state, looks], [ExitCode.done, "done", 3]);
  });
});
