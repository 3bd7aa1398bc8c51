/** Retries start beside running pairs, and a controller that dies between any two steps leaves nothing undone or done twice. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import pMap from "p-map";
import type { Backend } from "../../src/backend/backend.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import { type RunOptions, runPairs } from "../../src/run/controller.ts";
import type { RunStore } from "../../src/run/documents.ts";
import type { CostGuard } from "../../src/run/launch.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import { scratchFolder } from "../support/folder.ts";
import { failureOf } from "../support/in-process.ts";
import { RemotePlatform, type Script } from "../support/remote-platform.ts";
import { GiB, makeStand, type Stand } from "../support/run.ts";

const folder = await scratchFolder("overlap");
const store = createLocalStore(false);
const limits = { workers: 3, memoryBytes: 8 * GiB };

function newStand(pairs: readonly string[], given: Record<string, unknown> = {}): Stand {
  return makeStand(mkdtempSync(join(folder, "stand-")), pairs, given);
}

function optionsOf(stand: Stand, machine: Backend, given: Partial<RunOptions> = {}): RunOptions {
  return {
    store,
    machine,
    backend: "local",
    capacity: { ceilingBytes: GiB, ...limits, spot: false },
    settings: stand.settings,
    pairs: stand.pairs,
    wanted: "run",
    widemerge: "0.0.0",
    signal: new AbortController().signal,
    requests: { milliseconds: 20_000, firstPause: 1 },
    firstPause: 1,
    ...given,
  };
}

/** The script of each start of a pair; the last one is used for all further starts. */
const inTurn =
  (scripts: Readonly<Record<string, readonly Script[]>>) =>
  (pair: string, earlier: number): Script =>
    scripts[pair]?.[Math.min(earlier, scripts[pair].length - 1)] ?? { steps: 1, exitCode: 0 };

describe("a retry", () => {
  it("starts while a slow pair of the first launch still runs, once it fits beside all open tasks", async () => {
    const stand = newStand(["slow", "a", "b", "c"], { memoryCeilings: "2GiB" });
    const platform = new RemotePlatform(
      stand,
      inTurn({
        slow: [{ steps: 40, exitCode: 0 }],
        a: [
          { steps: 1, exitCode: ExitCode.transient },
          { steps: 1, exitCode: 0 },
        ],
        b: [
          { steps: 1, exitCode: ExitCode.memory },
          { steps: 1, exitCode: 0 },
        ],
      }),
    );
    const slowWhenOthersDone: (string | undefined)[] = [];
    const { exitCode, view } = await runPairs(
      optionsOf(stand, platform.connect(), {
        onView: ({ pairs: [slow, ...others] }) => {
          if (others.every(({ state }) => state === "done")) slowWhenOthersDone.push(slow?.state);
        },
      }),
    );
    assert.equal(exitCode, ExitCode.done);
    assert.equal(slowWhenOthersDone[0], "running");
    const retries = platform.starts.filter(({ launch }) => launch > 0);
    assert.deepEqual(
      new Map(retries.map(({ pair, ceilingBytes }) => [pair, ceilingBytes])),
      new Map([
        ["a", GiB],
        ["b", 2 * GiB],
      ]),
    );
    assert.deepEqual(
      view.pairs.map(({ attempts }) => attempts.length),
      [1, 2, 2, 1],
    );
  });

  it("that is refused stops no worker: open launches are watched to their end first, and the run can be continued", async () => {
    const stand = newStand(["slow", "a"], { memoryCeilings: "9GiB" });
    const platform = new RemotePlatform(
      stand,
      inTurn({
        slow: [{ steps: 20, exitCode: 0 }],
        a: [
          { steps: 1, exitCode: ExitCode.memory },
          { steps: 1, exitCode: 0 },
        ],
      }),
    );
    const machine = platform.connect();
    const refuse = (ceilingBytes: number): Backend => ({
      ...machine,
      submit: async (launch) => {
        if (launch.ceilingBytes > ceilingBytes)
          throw new Failure(ExitCode.usage, [{ what: "the ceiling is too large", fix: "lower it" }]);
        return machine.submit(launch);
      },
    });
    const notices: string[] = [];
    const capacity = { ceilingBytes: GiB, workers: 3, spot: false };
    const options = optionsOf(stand, refuse(8 * GiB), { capacity, onNotice: (text) => notices.push(text) });
    assert.match((await failureOf(runPairs(options))).message, /the ceiling is too large/);
    assert.match(notices.join("\n"), /no further pairs are started: the ceiling is too large/);
    assert.deepEqual(
      platform.starts.map(({ pair }) => pair),
      ["slow", "a"],
    );
    const again = await runPairs(optionsOf(stand, refuse(16 * GiB), { capacity }));
    assert.equal(again.exitCode, ExitCode.done);
    assert.deepEqual(
      platform.starts.map(({ pair }) => pair),
      ["slow", "a", "a"],
    );
  });

  it("is not started if it could exceed the cost limit together with the open launches", async () => {
    const pairs = ["slow", "a", "b"];
    const scripts = {
      slow: [{ steps: 40, exitCode: 0 }],
      a: [
        { steps: 1, exitCode: ExitCode.transient },
        { steps: 1, exitCode: 0 },
      ],
    };
    const each = 1;
    // A start is charged when it ends; until then its cost is only expected.
    const cost: CostGuard = {
      spent: ({ pairs: all }) =>
        each * all.flatMap(({ attempts }) => attempts).filter(({ end }) => end !== undefined).length,
      remaining: (_view, open, starts) => each * (open.length + starts.length),
    };
    const run = async (maxCost: number) => {
      const stand = newStand(pairs, { maxCost: String(maxCost) });
      const platform = new RemotePlatform(stand, inTurn(scripts));
      const { exitCode } = await runPairs(optionsOf(stand, platform.connect(), { cost }));
      return [exitCode, platform.starts.length];
    };
    assert.deepEqual(await run(4), [ExitCode.done, 4]);
    assert.deepEqual(await run(3.9), [ExitCode.usage, 3]);
  });
});

/** The ceiling of every start of a pair whose starts end with these codes and then with 0: the policy, step by step. */
function expectStarts(codes: readonly number[]): readonly number[] {
  const ceilings = [GiB, 2 * GiB, 4 * GiB];
  const left = { transient: 2, unexpected: 1 };
  const starts: number[] = [];
  for (const code of [...codes, 0]) {
    const [ceiling] = ceilings;
    if (ceiling === undefined) break;
    starts.push(ceiling);
    if (code === 0 || code === 3) break;
    if (code === 4) ceilings.shift();
    if (code === 75 && left.transient-- === 0) break;
    if (code === 1 && left.unexpected-- === 0) break;
  }
  return starts;
}

describe("any run", () => {
  const script = fc.record({
    steps: fc.integer({ min: 1, max: 6 }),
    exitCode: fc.constantFrom(0, 0, 0, 1, 3, 4, 75, 143),
  });

  it("never exceeds workers and memory, follows the policy for every pair, and ends", async () => {
    const scripts = fc.array(fc.array(script, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(scripts, fc.integer({ min: 1, max: 5 }), async (all, workers) => {
        const pairs = all.map((_, index) => `p${index}`);
        const stand = newStand(pairs, { retries: 2, memoryCeilings: "2GiB,4GiB" });
        const last = { steps: 1, exitCode: 0 };
        const platform = new RemotePlatform(
          stand,
          inTurn(Object.fromEntries(pairs.map((pair, index) => [pair, [...(all[index] ?? []), last]]))),
        );
        const capacity = { ceilingBytes: GiB, workers, memoryBytes: 5 * GiB, spot: false };
        await runPairs(optionsOf(stand, platform.connect(), { capacity }));
        for (const { atWork, bytesAtWork } of platform.starts) {
          assert.ok(atWork <= workers, `${atWork} at work, ${workers} workers`);
          assert.ok(bytesAtWork <= 5 * GiB);
        }
        for (const [index, pair] of pairs.entries()) {
          const starts = platform.starts.filter((start) => start.pair === pair).map(({ ceilingBytes }) => ceilingBytes);
          assert.deepEqual(starts, expectStarts((all[index] ?? []).map(({ exitCode }) => exitCode)));
        }
      }),
      { numRuns: 20 },
    );
  });
});

class Killed extends Error {}

/** The same store and backend until this operation, which is the last one that happens or the first one that does not. */
function killAt(
  count: number,
  happens: boolean,
  machine: Backend,
): { store: RunStore; machine: Backend; count: () => number } {
  let done = 0;
  const guard =
    <Arguments extends readonly unknown[], Value>(work: (...given: Arguments) => Promise<Value>) =>
    async (...given: Arguments): Promise<Value> => {
      done += 1;
      if (done > count || (done === count && !happens)) throw new Killed("killed");
      const value = await work(...given);
      if (done >= count) throw new Killed("killed");
      return value;
    };
  return {
    count: () => done,
    store: {
      join: store.join,
      list: guard(store.list),
      stat: guard(store.stat),
      readText: guard(store.readText),
      writeText: guard(store.writeText),
      writeTextIf: guard(store.writeTextIf),
      remove: guard(store.remove),
    },
    machine: { ...machine, submit: guard(machine.submit), status: guard(machine.status) },
  };
}

describe("a controller that is killed between any two steps", () => {
  const pairs = ["slow", "once", "big", "bad"];
  const scripts = inTurn({
    slow: [{ steps: 12, exitCode: 0 }],
    once: [
      { steps: 1, exitCode: ExitCode.transient },
      { steps: 1, exitCode: 0 },
    ],
    big: [
      { steps: 2, exitCode: ExitCode.memory },
      { steps: 1, exitCode: 0 },
    ],
    bad: [{ steps: 1, exitCode: ExitCode.input }],
  });
  const capacity = { ceilingBytes: GiB, workers: 4, memoryBytes: 8 * GiB, spot: false };

  /** Kills the first controller at an operation and lets a second one finish. Returns the operations of the first. */
  async function killAndContinue(count: number, happens: boolean): Promise<number> {
    const stand = newStand(pairs, { memoryCeilings: "2GiB" });
    const platform = new RemotePlatform(stand, scripts);
    const dying = killAt(count, happens, platform.connect());
    const options = optionsOf(stand, dying.machine, { store: dying.store, capacity, beatMilliseconds: 3_600_000 });
    await runPairs(options).catch(() => undefined);
    // The lease of a dead process is free at once, but this controller was a part of this process.
    rmSync(join(stand.output, "runs", "run", "lease.json"), { force: true });
    // A finished run begins again with the next controller, which retries what failed for good.
    const bad = isFinished(stand) ? 2 : 1;
    const { exitCode, view } = await runPairs(optionsOf(stand, platform.connect(), { capacity }));
    const about = `operation ${count} ${happens ? "was the last" : "did not happen"}`;
    assert.equal(exitCode, ExitCode.input, about);
    const countStarts = (pair: string) => platform.starts.filter((start) => start.pair === pair).length;
    assert.deepEqual(pairs.map(countStarts), [1, 2, 2, bad], about);
    const attempts = view.pairs.map((pair) => pair.attempts.length);
    assert.deepEqual(attempts, [1, 2, 2, bad], about);
    return dying.count();
  }

  function isFinished({ output }: Stand): boolean {
    const path = join(output, "runs", "run", "run.json");
    return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).finished !== undefined;
  }

  for (const happens of [false, true])
    it(
      happens ? "after the operation that was its last" : "before the operation that would have been next",
      async () => {
        const all = await killAndContinue(Number.POSITIVE_INFINITY, happens);
        assert.ok(all > 50, `a run of ${all} operations`);
        const counts = Array.from({ length: all }, (_, index) => index + 1);
        await pMap(counts, (count) => killAndContinue(count, happens), { concurrency: 16 });
      },
    );
});
