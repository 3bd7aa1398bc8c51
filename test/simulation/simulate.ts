/**
 * One seed, one run: the program's own controllers, lease, admission of workers and publishing, in virtual time, on a store
 * and a platform that fail as the seed says. Afterwards everything that happened is compared with what is promised.
 */
import * as v from "valibot";
import { Settings } from "../../src/config/settings.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure, toFailure } from "../../src/model/failure.ts";
import type { RunView } from "../../src/model/run.ts";
import { cancel } from "../../src/run/cancel.ts";
import { type RunEnd, runPairs } from "../../src/run/controller.ts";
import type { CostGuard } from "../../src/run/launch.ts";
import { RunState } from "../../src/run/state.ts";
import { GiB } from "../support/run.ts";
import { checkRun } from "./invariants.ts";
import { type Mode, makeScripts, Platform } from "./platform.ts";
import { Random } from "./random.ts";
import type { VirtualProcess } from "./virtual-time.ts";
import { connectStore, type FaultRates, type Mutation, noFaults, paths, World } from "./world.ts";

export type { Mutation } from "./world.ts";

/** How a controller ended: by itself, by a failure, or killed. */
export interface ControllerEnd {
  readonly name: string;
  readonly end?: RunEnd;
  readonly failure?: Failure;
  readonly killed: boolean;
}

/** Everything about a simulated run that its invariants look at. */
export interface Simulated {
  readonly seed: number;
  readonly mode: Mode;
  readonly world: World;
  readonly platform: Platform;
  readonly settings: Settings;
  readonly pairs: readonly string[];
  readonly workers: number;
  readonly controllers: readonly ControllerEnd[];
  /** How often a person cancelled the run or interrupted its controller. */
  stops: number;
}

/** What a simulated run was like. */
export interface Summary {
  readonly virtualSeconds: number;
  readonly controllers: number;
  readonly generations: number;
  readonly starts: number;
  readonly superseded: number;
}

/** Milliseconds of virtual time after which a run counts as stuck. */
const limit = 4 * 3_600_000;
/** Healthy controllers, one after the other, after which a run has to be finished. */
const healthyAtMost = 12;
const endangeredAtMost = 8;
const day = 86_400_000;
const skews = [0, 0, 0, 120_000, -120_000, 30_000, 1826 * day, -day];

/** @throws Error with the seed, what was broken and what happened before it */
export async function simulate(seed: number, mutation?: Mutation): Promise<Summary> {
  const simulation = new Simulation(seed, mutation);
  let problems: readonly string[];
  try {
    problems = await simulation.run();
  } catch (error) {
    problems = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  if (problems.length > 0) throw new Error(describe(simulation, problems));
  return simulation.summary();
}

function describe({ simulated: { seed, mode, world } }: Simulation, problems: readonly string[]): string {
  const shown = process.env.SIMULATE_LOG === undefined ? world.log.slice(-60) : world.log;
  return [
    `seed ${seed} (${mode}): ${problems.join("\n")}`,
    `replay it: SEED=${seed} SIMULATE_LOG=all make simulate`,
    ...shown,
  ].join("\n");
}

class Simulation {
  readonly simulated: Simulated;
  readonly #random: Random;
  readonly #world: World;
  readonly #platform: Platform;
  readonly #settings: Settings;
  readonly #controllers: ControllerEnd[] = [];
  readonly #open = new Set<Promise<void>>();
  #count = 0;

  constructor(seed: number, mutation: Mutation | undefined) {
    const random = new Random(seed);
    const mode: Mode = random.chance(0.7) ? "kubernetes" : "local";
    const pairs = ["audusd", "eurjpy", "gbpusd", "nzdcad", "usdchf"].slice(0, random.whole(1, 5));
    const world = new World(random, drawRates(random), mutation);
    const hasLimit = random.chance(0.25);
    this.#settings = v.parse(Settings, {
      ...{ input: "in", output: "out", retries: random.whole(0, 3), retriesUnexpected: random.whole(0, 2) },
      memoryCeilings: random.chance(0.7) ? ["2GiB", "4GiB"] : [],
      ...(hasLimit ? { maxCost: random.whole(1, 8) } : {}),
    });
    for (const pair of pairs) {
      world.store.put(`in/${pair}/targets.parquet`, `targets of ${pair}`);
      world.store.put(`in/${pair}/_COMPLETE`, "");
    }
    this.#random = random;
    this.#world = world;
    this.#platform = new Platform(world, {
      mode,
      settings: this.#settings,
      scripts: makeScripts(random, pairs, GiB),
      // Replacements by the platform are no decision of the controller, so its cost limit cannot bound them.
      disruptions: hasLimit ? 0 : random.pick([0, 0, 0.1, 0.3]),
    });
    const workers = random.whole(1, 4);
    const [settings, platform, controllers] = [this.#settings, this.#platform, this.#controllers];
    this.simulated = { seed, mode, world, platform, settings, pairs, workers, controllers, stops: 0 };
  }

  async run(): Promise<readonly string[]> {
    await this.#world.time.runUntil(this.#carryOut(), limit);
    return checkRun(this.simulated, await this.#readAgain());
  }

  summary(): Summary {
    const { world, platform, controllers } = this.simulated;
    return {
      virtualSeconds: world.time.now / 1000,
      controllers: controllers.length,
      generations: world.record()?.generation ?? 0,
      starts: platform.starts.length,
      superseded: controllers.filter(({ failure }) => failure?.exitCode === ExitCode.superseded).length,
    };
  }

  async #carryOut(): Promise<void> {
    const { time } = this.#world;
    const random = this.#random;
    for (let left = random.whole(1, 4); left > 0; left -= 1) {
      this.#start(true);
      await time.sleep(random.between(0, 70_000));
    }
    if (random.chance(0.1)) await this.#cancel();
    this.#world.rates = random.chance(0.5) ? noFaults : { lost: 0.01, late: 0, slow: 0.05, stale: 0 };
    for (let count = 0; ; count += 1) {
      while (this.#open.size > 0) await Promise.all(this.#open);
      if (this.#world.record()?.finished !== undefined) break;
      if (count === healthyAtMost) throw new Error(`the run is not finished after ${count} healthy controllers`);
      await time.sleep(2000);
      this.#start(false);
    }
    // What was left behind has time to do harm.
    await time.sleep(150_000);
  }

  /** A controller, on a machine of its own. An endangered one may be killed, suspended, or told to stop. */
  #start(endangered: boolean): void {
    const random = this.#random;
    this.#count += 1;
    const name = `controller${this.#count}`;
    const clock = this.#world.newProcess(random.pick(skews));
    const [stop, detach, killed] = [new AbortController(), new AbortController(), Promise.withResolvers<void>()];
    this.#world.note(`${name} starts at ${clock.stamp()} by its clock`);
    let isOver = false;
    const end = (how: Omit<ControllerEnd, "name" | "killed">, isKilled = false): void => {
      isOver = true;
      const said = how.failure?.message ?? `exit ${how.end?.exitCode}`;
      this.#world.note(`${name} ${isKilled ? "is killed" : `ends: ${said}`}`);
      this.#controllers.push({ name, ...how, killed: isKilled });
    };
    if (endangered) this.#endanger(name, clock, { stop, detach, killed, isOver: () => isOver });
    const ended = this.#control(name, clock, { stop, detach }).then(
      (view) => end({ end: view }),
      (error: unknown) => end({ failure: toFailure(error) }),
    );
    const over = Promise.race([ended, killed.promise.then(() => end({}, true))]).then(
      () => void this.#open.delete(over),
    );
    this.#open.add(over);
  }

  #endanger(name: string, clock: VirtualProcess, { stop, detach, killed, isOver }: Dangers): void {
    const { time } = this.#world;
    const random = this.#random;
    const at = (work: () => void): void =>
      time.after(random.between(0, 120_000), () => {
        if (!isOver()) work();
      });
    for (let count = random.pick([0, 0, 1, 2]); count > 0; count -= 1)
      at(() => {
        const milliseconds = random.between(1000, 120_000);
        this.#world.note(`${name} is suspended for ${Math.round(milliseconds / 1000)} s`);
        clock.suspend(milliseconds);
        // Somebody sees that nothing moves, and starts another one.
        if (this.#count < endangeredAtMost && random.chance(0.6))
          time.after(random.between(0, 20_000), () => {
            if (this.#open.size > 0) this.#start(true);
          });
      });
    if (random.chance(0.4))
      at(() => {
        clock.kill();
        killed.resolve();
      });
    if (random.chance(0.08))
      at(() => {
        this.simulated.stops += 1;
        void clock.receive(Promise.resolve()).then(() => stop.abort(stopped(ExitCode.interrupted)));
      });
    // Workers on the controller's own machine are never left.
    if (this.simulated.mode === "kubernetes" && random.chance(0.08))
      at(() => clock.receive(Promise.resolve()).then(() => detach.abort(stopped(ExitCode.terminated))));
  }

  #control(name: string, clock: VirtualProcess, { stop, detach }: Pick<Dangers, "stop" | "detach">): Promise<RunEnd> {
    const { mode, pairs, workers } = this.simulated;
    return runPairs({
      store: connectStore(this.#world, clock, name),
      machine: this.#platform.connect(clock),
      backend: mode,
      capacity: { ceilingBytes: GiB, workers, spot: false },
      settings: this.#settings,
      pairs,
      wanted: "run",
      widemerge: "0.0.0",
      signal: stop.signal,
      detach: detach.signal,
      cost: oneForEveryStart,
      documents,
      onNotice: (text) => this.#world.note(`${name}: ${text}`),
      requests: { milliseconds: 120_000, firstPause: 500 },
      clock,
      owner: `${name}-1-1-aa`,
    });
  }

  /** A person at another machine cancels the run, and waits until it is known whether a controller does it. */
  async #cancel(): Promise<void> {
    const clock = this.#world.newProcess(this.#random.pick(skews));
    const store = connectStore(this.#world, clock, "cancel", noFaults);
    const state = await this.#openState(store, clock);
    if (state === undefined) return;
    this.#world.note("the run is cancelled from outside");
    this.simulated.stops += 1;
    const cancelling = cancel({ store, state, backend: this.#platform.connect(clock) }, { wait: true, documents })
      .catch((error: unknown) => toFailure(error).message)
      .then((end) => {
        this.#world.note(`cancel: ${JSON.stringify(end)}`);
        this.#open.delete(cancelling);
      });
    this.#open.add(cancelling);
  }

  async #openState(store: ConstructorParameters<typeof RunState>[0], clock: VirtualProcess) {
    const version = (await store.stat(paths.record))?.version;
    const record = this.#world.record();
    if (record === undefined) return undefined;
    const state = new RunState(store, this.#settings, { record, version }, { ceilingBytes: GiB, clock });
    await state.load();
    return state;
  }

  /** The run as its documents alone tell it. */
  async #readAgain(): Promise<RunState> {
    const state = await this.#openState(this.#world.store, this.#world.newProcess());
    if (state === undefined) throw new Error("the run has no record");
    return state;
  }
}

interface Dangers {
  readonly stop: AbortController;
  readonly detach: AbortController;
  readonly killed: PromiseWithResolvers<void>;
  /** Whether the controller has ended. */
  isOver(): boolean;
}

async function documents(view: RunView): Promise<ReadonlyMap<string, string>> {
  return new Map([["report.json", describeView(view)]]);
}

function drawRates(random: Random): FaultRates {
  const lost = random.pick([0, 0.01, 0.05, 0.15]);
  return {
    lost,
    late: random.pick([0, 0, 0.02, 0.05]),
    slow: random.pick([0, 0.05, 0.3]),
    stale: random.pick([0, 0, 0.1]),
  };
}

function stopped(exitCode: ExitCode): Failure {
  return new Failure(exitCode, [{ what: "the run was stopped", fix: "run again" }]);
}

/** Every start of a worker costs $1, charged when it begins. */
const oneForEveryStart: CostGuard = {
  spent: ({ pairs }) => pairs.reduce((sum, { attempts }) => sum + attempts.length, 0),
  remaining: ({ pairs }, open, starts) => {
    const running = new Set(pairs.filter(({ state }) => state === "running").map(({ pair }) => pair));
    return open.filter(({ pair }) => !running.has(pair)).length + starts.length;
  },
};

/** A report: what the documents of a finished run have to agree on. */
export function describeView({ record, pairs }: RunView): string {
  const { generation, finished, cancelled } = record;
  const states = Object.fromEntries(pairs.map(({ pair, state, attempts }) => [pair, `${state} ${attempts.length}`]));
  return JSON.stringify({ format: 1, generation, finished, cancelled, states });
}
