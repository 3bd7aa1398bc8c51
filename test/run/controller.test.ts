import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Backend } from "../../src/backend/backend.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import type { RunRecord, RunView } from "../../src/model/run.ts";
import { type RunOptions, runPairs } from "../../src/run/controller.ts";
import type { CostGuard } from "../../src/run/launch.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf } from "../support/in-process.ts";
import { makeLocalBackend } from "../support/local-backend.ts";
import { RemotePlatform } from "../support/remote-platform.ts";
import { GiB, makeStand, type Stand } from "../support/run.ts";

const folder = await scratchFolder("controller");
const store = createLocalStore(false);

function newStand(pairs: readonly string[], given: Record<string, unknown> = {}): Stand {
  return makeStand(mkdtempSync(join(folder, "stand-")), pairs, given);
}

function optionsOf(stand: Stand, given: Partial<RunOptions> = {}): RunOptions {
  return {
    store,
    machine: makeLocalBackend(stand),
    backend: "local",
    capacity: { ceilingBytes: GiB, workers: 4, memoryBytes: 64 * GiB, spot: false },
    firstPause: 1,
    settings: stand.settings,
    pairs: stand.pairs,
    wanted: "run",
    widemerge: "0.0.0",
    signal: new AbortController().signal,
    requests: { milliseconds: 20_000, firstPause: 1 },
    ...given,
  };
}

const statesOf = (view: RunView) => view.pairs.map(({ pair, state }) => `${pair} ${state}`);

function readRecord(stand: Stand, run = "run"): RunRecord {
  return JSON.parse(readFileSync(join(stand.output, "runs", run, "run.json"), "utf8"));
}

function journal(stand: Stand, word: string): readonly string[] {
  if (!existsSync(stand.journal)) return [];
  const lines = readFileSync(stand.journal, "utf8").trim().split("\n");
  return lines.filter((line) => line.startsWith(word)).sort();
}

/** A run that costs `before` without any start, and `each` for every start of a pair, charged when it begins. */
function costGuard(before: number, each: number): CostGuard {
  return {
    spent: ({ pairs }) => before + each * pairs.reduce((sum, { attempts }) => sum + attempts.length, 0),
    remaining: ({ pairs }, open, starts) => {
      const waiting = open.filter((start) =>
        pairs.every(({ pair, attempts }) => pair !== start.pair || attempts.length === 0),
      );
      return each * (waiting.length + starts.length);
    },
  };
}

describe("a run", () => {
  it("ends when every pair has its output and manifest, and keeps its documents and reports", async () => {
    const stand = newStand(["ok1", "ok2", "ok3", "ok4", "ok5"]);
    const views: RunView[] = [];
    const documents = async () =>
      new Map([
        ["report.html", "<p>"],
        ["costs/ok1.json", "{}"],
      ]);
    // A second is long enough to be seen by a controller on a busy machine.
    const { view, exitCode } = await runPairs(
      optionsOf(stand, { machine: makeLocalBackend(stand, {}, 1), documents, onView: (it) => views.push(it) }),
    );
    assert.equal(exitCode, ExitCode.done);
    assert.deepEqual(
      statesOf(view),
      stand.pairs.map((pair) => `${pair} done`),
    );
    assert.ok(views.some(({ pairs }) => pairs.some(({ state }) => state === "running")));
    const record = readRecord(stand);
    assert.ok(record.finished !== undefined && record.pending === undefined);
    assert.deepEqual(view.pairs[0]?.output?.families, { targets: { spliced: 1, aligned: 0 } });
    const files = ["report.html", "costs/ok1.json", "launches/0.json"];
    for (const name of files) assert.ok(existsSync(join(stand.output, "runs", "run", name)), name);
    assert.ok(!existsSync(join(stand.output, "runs", "run", "lease.json")));
  });

  it("skips pairs that are done, and says so", async () => {
    const stand = newStand(["ok1", "ok2"]);
    await runPairs(optionsOf(stand, { pairs: ["ok1"], wanted: "first" }));
    const before = statSync(join(stand.output, "training_ok1.manifest.json")).ino;
    const { view } = await runPairs(optionsOf(stand, { wanted: "second" }));
    assert.deepEqual(statesOf(view), ["ok1 done before", "ok2 done"]);
    assert.match(view.pairs[0]?.why ?? "", /the output and its manifest match these inputs/);
    assert.deepEqual(journal(stand, "start"), [`start ok1 ${GiB}`, `start ok2 ${GiB}`]);
    assert.equal(statSync(join(stand.output, "training_ok1.manifest.json")).ino, before);
  });

  it("starts pairs again whose inputs changed, or whose manifest has other settings", async () => {
    const stand = newStand(["ok1", "ok2", "ok3"]);
    await runPairs(optionsOf(stand));
    writeFileSync(join(stand.settings.input, "ok1", "targets.parquet"), "other");
    utimesSync(join(stand.settings.input, "ok2", "targets.parquet"), 1, 1);
    rmSync(join(stand.settings.input, "ok3", "_COMPLETE"));
    const { view, exitCode } = await runPairs(optionsOf(stand, { wanted: "again" }));
    // These workers publish outputs for the old inputs again, which is no success.
    assert.deepEqual(statesOf(view), ["ok1 failed", "ok2 failed", "ok3 failed"]);
    assert.match(view.pairs[0]?.why ?? "", /ended with exit 0, but there is no output with a manifest of these inputs/);
    assert.equal(exitCode, ExitCode.unexpected);
  });

  it("continues when pairs fail; its exit code is that of the worst failure", async () => {
    const stand = newStand(["storage1", "ok1", "input1", "once1", "ok2"], { retries: 1 });
    const { view, exitCode } = await runPairs(optionsOf(stand));
    assert.deepEqual(statesOf(view), ["storage1 failed", "ok1 done", "input1 failed", "once1 done", "ok2 done"]);
    assert.equal(exitCode, ExitCode.input);
    const { failures } = view.pairs[0] ?? {};
    assert.equal(failures?.transient, 2);
    assert.match(view.pairs[2]?.why ?? "", /^input: the stand says so: use another pair$/);
  });

  it("retries only the pairs that ran out of memory with the next ceiling", async () => {
    const stand = newStand(["memory1", "ok1", "memory2"], { memoryCeilings: "1500000000,3GB,9GB" });
    const { view, exitCode } = await runPairs(optionsOf(stand));
    assert.equal(exitCode, ExitCode.done);
    assert.deepEqual(statesOf(view), ["memory1 done", "ok1 done", "memory2 done"]);
    assert.deepEqual(journal(stand, "start memory1"), [
      `start memory1 ${GiB}`,
      "start memory1 1500000000",
      "start memory1 3000000000",
    ]);
    assert.deepEqual(journal(stand, "start ok1"), [`start ok1 ${GiB}`]);
    assert.equal(view.pairs[0]?.failures.memory, 2);
    const none = newStand(["memory1"]);
    assert.equal((await runPairs(optionsOf(none))).exitCode, ExitCode.memory);
  });

  it("starts nothing that could exceed the cost limit", async () => {
    const stand = newStand(["ok1", "ok2", "ok3", "ok4"], { maxCost: "2.50" });
    const notices: string[] = [];
    const cost = costGuard(1, 0.7);
    const options = { cost, onNotice: (text: string) => notices.push(text) };
    const { view, exitCode } = await runPairs(optionsOf(stand, options));
    assert.equal(exitCode, ExitCode.usage);
    assert.deepEqual(statesOf(view), ["ok1 done", "ok2 done", "ok3 waiting", "ok4 waiting"]);
    assert.match(notices.join("\n"), /\$1.00 spent: 2 pairs are not started, as the run could exceed --max-cost 2.5/);
    const { settings } = newStand([], { maxCost: "9" });
    const more = { ...stand.settings, maxCost: settings.maxCost };
    const end = await runPairs(optionsOf(stand, { cost, settings: more }));
    assert.equal(end.exitCode, ExitCode.done);
  });

  it("stops its workers when it is interrupted, and continues when it is started again", async () => {
    const stand = newStand(["stay1", "ok1"]);
    const stop = new AbortController();
    const failure = new Failure(ExitCode.interrupted, [{ what: "stopped", found: "SIGINT", fix: "run again" }]);
    const onView = ({ pairs }: RunView): void => {
      if (pairs[0]?.state === "running" && pairs[1]?.state === "done") stop.abort(failure);
    };
    const { view, exitCode } = await runPairs(optionsOf(stand, { signal: stop.signal, onView }));
    assert.equal(exitCode, ExitCode.interrupted);
    assert.deepEqual(statesOf(view), ["stay1 waiting", "ok1 done"]);
    assert.equal(view.pairs[0]?.failures.disruption, 1);
    assert.equal(readRecord(stand).finished, undefined);
    const again = new AbortController();
    const second = runPairs(
      optionsOf(stand, {
        signal: again.signal,
        onView: ({ pairs }) => pairs[0]?.state === "running" && again.abort(failure),
      }),
    );
    assert.equal((await second).view.pairs[0]?.attempts.length, 2);
    assert.equal(journal(stand, "start ok1").length, 1);
  });

  it("stops a launch that was being submitted when it was interrupted", async () => {
    const stand = newStand(["stay1"]);
    const machine = makeLocalBackend(stand);
    const stop = new AbortController();
    const failure = new Failure(ExitCode.interrupted, [{ what: "stopped", found: "SIGINT", fix: "run again" }]);
    const interrupted: Backend = {
      name: "local",
      check: machine.check.bind(machine),
      submit: async (launch) => {
        const handle = await machine.submit(launch);
        stop.abort(failure);
        return handle;
      },
      status: machine.status.bind(machine),
      wait: machine.wait.bind(machine),
      cancel: machine.cancel.bind(machine),
    };
    const end = await runPairs(optionsOf(stand, { signal: stop.signal, machine: interrupted }));
    assert.equal(end.exitCode, ExitCode.interrupted);
    assert.deepEqual(statesOf(end.view), ["stay1 waiting"]);
    const { statuses } = JSON.parse(readFileSync(join(stand.output, "runs", "run", "launches", "0.json"), "utf8"));
    assert.deepEqual(
      statuses.map(({ state }: { state: string }) => state),
      ["cancelled"],
    );
  });

  it("goes on without a controller that detaches; the next one continues it at once, and nothing is done twice", async () => {
    const stand = newStand(["ok1", "ok2"]);
    const [detach, documents] = [new AbortController(), async () => new Map([["report.html", "<p>"]])];
    const failure = new Failure(ExitCode.terminated, [{ what: "stopped", found: "SIGTERM", fix: "run again" }]);
    const onView = ({ pairs }: RunView): void => {
      if (pairs.every(({ state }) => state === "running")) detach.abort(failure);
    };
    const machine = makeLocalBackend(stand, {}, 1);
    const end = await runPairs(optionsOf(stand, { detach: detach.signal, machine, onView, documents }));
    assert.deepEqual([end.exitCode, end.reported], [ExitCode.terminated, false]);
    assert.deepEqual(statesOf(end.view), ["ok1 running", "ok2 running"]);
    const left = (name: string) => existsSync(join(stand.output, "runs", "run", name));
    assert.deepEqual(["lease.json", "launches/0.json", "report.html"].map(left), [false, false, false]);
    assert.deepEqual(journal(stand, "publish"), []);
    const notices: string[] = [];
    const next = await runPairs(optionsOf(stand, { documents, onNotice: (text) => notices.push(text) }));
    assert.deepEqual([next.exitCode, next.reported, notices], [ExitCode.done, true, []]);
    assert.equal(journal(stand, "start").length, 2);
    assert.deepEqual(
      next.view.pairs.map(({ attempts }) => attempts.length),
      [1, 1],
    );
  });

  it("is cancelled by a document in its folder, and can be continued", async () => {
    const stand = newStand(["stay1", "ok1"]);
    const onView = ({ pairs }: RunView): void => {
      if (pairs[1]?.state === "done") writeFileSync(join(stand.output, "runs", "run", "cancel.json"), '{"format":1}');
    };
    const { view, exitCode } = await runPairs(optionsOf(stand, { onView, beatMilliseconds: 20 }));
    assert.equal(exitCode, ExitCode.terminated);
    assert.deepEqual(statesOf(view), ["stay1 cancelled", "ok1 done"]);
    assert.ok(readRecord(stand).cancelled);
    // What prepares "stay1" as done: its output is there by another way.
    for (const name of ["parquet", "manifest.json"])
      writeFileSync(
        join(stand.output, `training_stay1.${name}`),
        readFileSync(join(stand.prepared, `training_stay1.${name}`)),
      );
    const again = await runPairs(optionsOf(stand));
    assert.equal(again.exitCode, ExitCode.done);
    assert.ok(!readRecord(stand).cancelled);
  });

  it("retries failed pairs when it is started again after its end", async () => {
    const stand = newStand(["storage1", "ok1"], { retries: 0 });
    assert.equal((await runPairs(optionsOf(stand))).exitCode, ExitCode.transient);
    const { view } = await runPairs(optionsOf(stand));
    assert.deepEqual(statesOf(view), ["storage1 failed", "ok1 done"]);
    assert.equal(view.pairs[0]?.attempts.length, 2);
  });
});

it("a run of the previous version, whose launches had their own retries, is continued", async () => {
  const stand = newStand(["ok1", "ok2"]);
  const stop = AbortSignal.abort(new Failure(ExitCode.interrupted, [{ what: "stopped", fix: "run again" }]));
  await runPairs(optionsOf(stand, { signal: stop }));
  const [folder, tasks] = [join(stand.output, "runs", "run"), [{ index: 0, pair: "ok1" }]];
  const launch = { run: "run", number: 0, tasks, ceilingBytes: GiB, parallelism: 1, spot: false };
  const old = { ...launch, retries: 3, retriesUnexpected: 1 };
  const attempt = { id: "local-0-0-0-aa", launch: 0, start: "2026-11-21T06:00:00.000Z", vcpu: 2, memoryBytes: GiB };
  const failed = { ...attempt, spot: false, exitCode: 75, end: "2026-11-21T06:00:01.000Z" };
  mkdirSync(join(folder, "local", "0"), { recursive: true });
  writeFileSync(join(folder, "local", "0", "launch.json"), JSON.stringify({ launch: old, cancelled: false }));
  // The controller was killed in the pause before the second start.
  const task = { index: 0, pair: "ok1", state: "waiting", attempts: [failed] };
  writeFileSync(join(folder, "local", "0", "0.json"), JSON.stringify(task));
  const handles = [{ backend: "local", name: "run-0", launch: old }];
  const pending = { ...old, number: 1, tasks: [{ index: 0, pair: "ok2" }] };
  writeFileSync(join(folder, "run.json"), JSON.stringify({ ...readRecord(stand), handles, pending }));
  const { exitCode, view } = await runPairs(optionsOf(stand));
  assert.equal(exitCode, ExitCode.done);
  assert.deepEqual(
    view.pairs.map(({ attempts }) => attempts.map((one) => one.exitCode)),
    [[75, 0], [0]],
  );
  assert.equal(journal(stand, "start").length, 2);
});

it("a controller that was overtaken does not overwrite the documents of its successor", async () => {
  const stand = newStand(["ok1", "stay1"]);
  const path = join(stand.output, "runs", "run", "run.json");
  let other = "";
  const stop = new AbortController();
  const onView = ({ pairs }: RunView): void => {
    if (pairs[0]?.state !== "done" || other !== "") return;
    other = JSON.stringify({ ...readRecord(stand), widemerge: "a successor" });
    rmSync(path);
    writeFileSync(path, other);
    stop.abort(new Failure(ExitCode.interrupted, [{ what: "stopped", found: "SIGINT", fix: "run again" }]));
    writeFileSync(join(stand.output, "runs", "run", "cancel.json"), '{"format":1}');
  };
  const options = { onView, beatMilliseconds: 10, capacity: { ...optionsOf(stand).capacity, workers: 2 } };
  const failure = await failureOf(runPairs(optionsOf(stand, options)));
  assert.match(failure.message, /another controller took this run over: found its record was changed/);
  assert.equal(readFileSync(path, "utf8"), other);
});

it("two controllers that open a run at the same time never have the same record", async () => {
  const stand = newStand(["ok1"]);
  await runPairs(optionsOf(stand));
  const path = join(stand.output, "runs", "run", "run.json");
  const before = readFileSync(path, "utf8");
  let other = "";
  const late = {
    ...store,
    writeTextIf: async (name: string, text: string, expected: string | undefined) => {
      if (name !== path || other !== "") return store.writeTextIf(name, text, expected);
      // Another controller was faster by one write, and differs in nothing but its name.
      other = JSON.stringify({ ...JSON.parse(text), controller: "another" });
      writeFileSync(path, other);
      return false;
    },
  };
  const failure = await failureOf(runPairs(optionsOf(stand, { store: late, owner: "one" })));
  assert.equal(failure.exitCode, ExitCode.superseded);
  assert.equal(readFileSync(path, "utf8"), other);
  assert.deepEqual([JSON.parse(before).generation, JSON.parse(other).generation], [1, 2]);
});

it("a launch that is gone from its platform is not started again: its pairs are planned again", async () => {
  const stand = newStand(["p1", "p2"]);
  const platform = new RemotePlatform(stand, (_pair, earlier) => ({ steps: earlier === 0 ? 1e6 : 1, exitCode: 0 }));
  const [detach, machine] = [new AbortController(), { ...platform.connect(), name: "kubernetes" } as const];
  const onView = ({ pairs }: RunView): void => {
    if (pairs.every(({ state }) => state === "running"))
      detach.abort(new Failure(ExitCode.terminated, [{ what: "stopped", fix: "run again" }]));
  };
  const options = { machine, backend: "kubernetes" } as const;
  await runPairs(optionsOf(stand, { ...options, detach: detach.signal, onView }));
  const [handle] = readRecord(stand).handles;
  assert.ok(handle !== undefined);
  await machine.cancel(handle);
  const submitted: number[] = [];
  const next: Backend = {
    ...machine,
    submit: async (launch) => {
      submitted.push(launch.number);
      return machine.submit(launch);
    },
  };
  const { exitCode } = await runPairs(optionsOf(stand, { ...options, machine: next }));
  assert.deepEqual([exitCode, submitted], [ExitCode.done, [1]]);
});

describe("a store and a backend that cannot be reached for a while", () => {
  it("do not end the run", async () => {
    const stand = newStand(["ok1", "ok2", "ok3"]);
    const machine = makeLocalBackend(stand);
    let calls = 0;
    const shaky = <Arguments extends readonly unknown[], Value>(work: (...given: Arguments) => Promise<Value>) => {
      return async (...given: Arguments): Promise<Value> => {
        calls += 1;
        // Five of 17 calls fail.
        if (calls % 17 >= 12) throw new Failure(ExitCode.transient, [{ what: "lost", found: "nothing", fix: "wait" }]);
        return work(...given);
      };
    };
    const lossy: Backend = {
      name: "local",
      check: machine.check.bind(machine),
      submit: shaky(machine.submit.bind(machine)),
      status: shaky(machine.status.bind(machine)),
      wait: machine.wait.bind(machine),
      cancel: machine.cancel.bind(machine),
    };
    const lossyStore = {
      ...store,
      readText: shaky(store.readText),
      list: shaky(store.list),
      stat: shaky(store.stat),
      writeText: shaky(store.writeText),
    };
    const notices: string[] = [];
    const end = await runPairs(
      optionsOf(stand, { machine: lossy, store: lossyStore, onNotice: (text) => notices.push(text) }),
    );
    assert.equal(end.exitCode, ExitCode.done);
    assert.equal(journal(stand, "start").length, 3);
    assert.match(notices[0] ?? "", /^trying again: lost/);
  });

  it("end the controller after some time; the workers go on, and the run can be continued", async () => {
    const stand = newStand(["ok1", "ok2"]);
    const machine = makeLocalBackend(stand, {}, 0.3);
    const lost: Backend = {
      ...machine,
      name: "local",
      check: machine.check.bind(machine),
      submit: machine.submit.bind(machine),
      wait: machine.wait.bind(machine),
      status: () => Promise.reject(new Failure(ExitCode.transient, [{ what: "lost", found: "nothing", fix: "wait" }])),
      cancel: machine.cancel.bind(machine),
    };
    const requests = { milliseconds: 50, firstPause: 1 };
    const failure = await failureOf(runPairs(optionsOf(stand, { machine: lost, requests })));
    assert.equal(failure.exitCode, ExitCode.transient);
    const end = await runPairs(optionsOf(stand));
    assert.equal(end.exitCode, ExitCode.done);
    assert.equal(journal(stand, "start").length, 2);
  });
});

describe("the run to continue", () => {
  it("is an unfinished one if no name is given, or else a new one of the day", async () => {
    const stand = newStand(["ok1"]);
    const { wanted: _, ...options } = optionsOf(stand);
    const first = await runPairs(options);
    assert.match(first.view.record.run, /^\d{4}-\d\d-\d\d-a$/);
    assert.match((await runPairs(options)).view.record.run, /-b$/);
    const open = newStand(["stay1"]);
    const stop = new AbortController();
    const failure = new Failure(ExitCode.interrupted, [{ what: "stopped", found: "SIGINT", fix: "run again" }]);
    const { wanted: __, ...asked } = optionsOf(open, {
      signal: stop.signal,
      onView: ({ pairs }) => pairs[0]?.state === "running" && stop.abort(failure),
    });
    assert.match((await runPairs(asked)).view.record.run, /-a$/);
    const notices: string[] = [];
    const again = await runPairs({ ...asked, onNotice: (text) => notices.push(text) });
    assert.match(again.view.record.run, /-a$/);
    assert.match(notices[0] ?? "", /is not finished: continuing it/);
    const other = await runPairs({ ...asked, pairs: ["ok1"], onNotice: (text) => notices.push(text) });
    assert.match(other.view.record.run, /-b$/);
    assert.match(
      notices[1] ?? "",
      /^this is a new run, .*-b: run .*-a has different pairs \(\["stay1"\] in the run, \["ok1"\] requested\)/,
    );
  });

  it("must have the same pairs, folders and settings: every difference is listed", async () => {
    const stand = newStand(["ok1"]);
    await runPairs(optionsOf(stand));
    const settings = { ...stand.settings, input: "elsewhere", key: "time" };
    const failure = await failureOf(runPairs(optionsOf(stand, { pairs: ["ok1", "ok2"], settings })));
    assert.equal(failure.exitCode, ExitCode.usage);
    assert.deepEqual(
      failure.problems.map(({ what }) => what),
      ["run run has different input", "run run has different pairs", "run run has different key"],
    );
  });

  it("cannot be the last one if there is none", async () => {
    const failure = await failureOf(runPairs(optionsOf(newStand(["ok1"]), { wanted: "last" })));
    assert.match(failure.message, /no run yet/);
  });
});
