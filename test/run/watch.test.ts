/** A run that another process controls, followed and cancelled from outside. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
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
