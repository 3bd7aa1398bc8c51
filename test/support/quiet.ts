/** Counts the requests of a controller while nothing happens in its run; for a test and the benchmark. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../../src/backend/backend.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure } from "../../src/model/failure.ts";
import type { PairOutcome, RunView } from "../../src/model/run.ts";
import { runPairs } from "../../src/run/controller.ts";
import { createLocalStore } from "../../src/store/local/store.ts";
import type { Stand } from "./run.ts";

/** A platform on which the workers of a run wait until they are told to end. */
export interface QuietPlatform {
  readonly stand: Stand;
  readonly machine: Backend;
  readonly ceilingBytes: number;
  /** The requests so far, each by its name. */
  readonly requests: string[];
  /** Ends the worker of a pair; resolves when the platform knows that it has ended. */
  end(pair: string): Promise<void>;
}

export interface QuietResult {
  readonly seconds: number;
  /** By name. */
  readonly requests: Readonly<Record<string, number>>;
  readonly perMinute: number;
  /** Seconds from the end of a worker, as the platform knows it, to the view that shows it. */
  readonly delays: readonly number[];
}

export interface QuietOptions {
  /** How long to count. */
  readonly seconds: number;
  /** How long to let the run settle before. */
  readonly settleSeconds: number;
  /** How many workers to end afterwards, one after the other. */
  readonly changes: number;
}

/** Carries out a run of all pairs at once, counts the requests while all of them are at work, and stops it. */
export async function measureQuiet(platform: QuietPlatform, options: QuietOptions): Promise<QuietResult> {
  const { stand, machine, ceilingBytes } = platform;
  const stop = new AbortController();
  const views = new EventTarget();
  let view: RunView | undefined;
  const running = runPairs({
    store: createLocalStore(false),
    machine,
    backend: machine.name,
    capacity: { ceilingBytes, workers: Number.POSITIVE_INFINITY, spot: false },
    settings: stand.settings,
    pairs: stand.pairs,
    wanted: "quiet",
    widemerge: "0.0.0",
    signal: stop.signal,
    onNotice: (text) => process.stderr.write(`${text}\n`),
    onView: (next) => {
      view = next;
      views.dispatchEvent(new Event("view"));
    },
  });
  const until = async (isSo: (pairs: readonly PairOutcome[]) => boolean): Promise<void> => {
    const limit = AbortSignal.timeout(300_000);
    while (view === undefined || !isSo(view.pairs)) await once(views, "view", { signal: limit });
  };
  try {
    await Promise.race([until((pairs) => pairs.every(({ state }) => state === "running")), running]);
    await sleep(options.settleSeconds * 1000);
    platform.requests.length = 0;
    await sleep(options.seconds * 1000);
    const requests = countNames(platform.requests);
    const delays: number[] = [];
    for (const pair of stand.pairs.slice(0, options.changes)) {
      // The pauses have time to grow again.
      await sleep(options.settleSeconds * 1000);
      await platform.end(pair);
      const ended = performance.now();
      await until((pairs) =>
        pairs.some((one) => one.pair === pair && one.attempts.some(({ end }) => end !== undefined)),
      );
      delays.push((performance.now() - ended) / 1000);
    }
    const count = Object.values(requests).reduce((sum, times) => sum + times, 0);
    return { seconds: options.seconds, requests, perMinute: (60 * count) / options.seconds, delays };
  } finally {
    stop.abort(new Failure(ExitCode.interrupted, [{ what: "the measurement is over", fix: "nothing" }]));
    await running;
  }
}

function countNames(names: readonly string[]): Record<string, number> {
  const groups = Map.groupBy(names, (name) => name);
  return Object.fromEntries([...groups].map(([name, all]) => [name, all.length]));
}
