/**
 * A test double of a place where workers run, in virtual time: a platform that starts them by itself, as Kubernetes and
 * Cloud Run do, or machines on which each controller starts its own. A worker asks for its place by the program's own code,
 * and publishes by it; what it does not do is merge.
 */
import type { Backend } from "../../src/backend/backend.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { PairContext } from "../../src/merge/context.ts";
import { publish } from "../../src/merge/publish/publish.ts";
import type { BackendName } from "../../src/model/backend-name.ts";
import { ExitCode } from "../../src/model/exit-code.ts";
import { Failure, toFailure } from "../../src/model/failure.ts";
import { isReplaced } from "../../src/model/generation.ts";
import { nameOutputs } from "../../src/model/output-names.ts";
import type { Manifest } from "../../src/model/result.ts";
import type { Attempt, Handle, Launch, LaunchStatus, TaskStatus } from "../../src/model/run.ts";
import { admitWorker } from "../../src/run/admission.ts";
import { formatDocument, type RunStore, runPaths } from "../../src/run/documents.ts";
import { isTaskOver } from "../../src/run/outcomes.ts";
import { retryTransient } from "../../src/run/transient-retry.ts";
import type { StagedOutput } from "../../src/store/store.ts";
import { makeAttempt, makeManifest, makeWorkerRecord } from "../support/run.ts";
import type { Random } from "./random.ts";
import type { VirtualProcess } from "./virtual-time.ts";
import { connectStore, stalest, type World } from "./world.ts";

export type Mode = Extract<BackendName, "kubernetes" | "local">;

/** How the starts of a pair end that no fault touches. */
export interface PairScript {
  /** Bytes that a merge of the pair needs. */
  readonly needBytes: number;
  /** The exit codes of its first merges; those that follow succeed. */
  readonly exitCodes: readonly number[];
}

/** A start of a worker, as it truly was. */
export interface TrueStart {
  readonly pair: string;
  readonly launch: number;
  readonly generation: number;
  readonly id: string;
  readonly at: number;
  readonly ceilingBytes: number;
  /** Whether it has begun to read its inputs, and whether the run's record had a place for it when it asked. */
  readsAt?: number;
  replaced: boolean;
  /** Workers at that moment, this one included, and whether another one of the same pair is among them. */
  readonly atWork: number;
  readonly alone: boolean;
  end?: { readonly at: number; readonly exitCode: number; readonly reason?: string };
}

interface PlatformTask {
  readonly launch: Launch;
  readonly index: number;
  readonly pair: string;
  readonly generation: number;
  state: TaskStatus["state"];
  attempts: Attempt[];
  worker: VirtualProcess | undefined;
}

export interface PlatformOptions {
  readonly mode: Mode;
  readonly settings: Settings;
  readonly scripts: ReadonlyMap<string, PairScript>;
  /** The share of workers whose capacity is taken away. */
  readonly disruptions: number;
}

export class Platform {
  readonly starts: TrueStart[] = [];
  readonly #world: World;
  readonly #options: PlatformOptions;
  /** Launches of the platform, or of one machine, by number; older ones of the same number were removed. */
  readonly #shared = new Map<number, PlatformTask[]>();
  readonly #merges = new Map<string, number>();
  /** The last look at the tasks of each launch, by anybody; when, in milliseconds. */
  readonly #looks = new WeakMap<readonly PlatformTask[], { readonly at: number; readonly status: LaunchStatus }>();
  #attempts = 0;

  constructor(world: World, options: PlatformOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** Pairs whose workers run now. */
  atWork(): readonly string[] {
    return this.starts.filter(({ end }) => end === undefined).map(({ pair }) => pair);
  }

  /** The backend of one controller. On machines of their own, controllers see and start their own workers only. */
  connect(process: VirtualProcess): Backend {
    const { mode } = this.#options;
    const launches = mode === "local" ? new Map<number, PlatformTask[]>() : this.#shared;
    const reach = <Value>(what: string, work: () => Value): Promise<Value> => process.receive(this.#reach(what, work));
    return {
      name: mode,
      check: async () => undefined,
      submit: (launch, generation) =>
        reach(`submit ${launch.number}`, () => {
          const known = launches.get(launch.number);
          if (known === undefined) {
            this.#world.note(`launch ${launch.number} is new in its backend`);
            const worker = mode === "local" ? generation : launch.generation;
            launches.set(launch.number, newTasks(launch, worker ?? 0));
            this.#fill(launches, mode === "local" ? process : undefined);
          }
          return { backend: mode, name: `space/run-${launch.number}`, launch } satisfies Handle;
        }),
      status: (handles) =>
        reach("status", () => handles.map(({ launch }) => this.#describe(launch, launches.get(launch.number)))),
      wait: (_handles, signal) => process.sleep(this.#world.random.between(1000, 9000), signal),
      cancel: ({ launch }) =>
        reach(`cancel ${launch.number}`, () => {
          for (const task of launches.get(launch.number) ?? []) this.#stop(task);
          // As a Job that was deleted: another submit of the launch would start it again.
          if (mode === "kubernetes") this.#world.time.after(0, () => launches.delete(launch.number));
        }),
    };
  }

  async #reach<Value>(what: string, work: () => Value): Promise<Value> {
    const { rates, random, time } = this.#world;
    if (random.chance(rates.slow)) await time.sleep(random.between(0, 2000));
    if (random.chance(rates.lost / 2)) throw unreachable(what);
    const value = work();
    if (random.chance(rates.slow)) await time.sleep(random.between(0, 2000));
    if (random.chance(rates.lost / 2)) throw unreachable(what);
    return value;
  }

  /** Starts what fits: by itself, or as the controller that runs on the same machine. */
  #fill(launches: ReadonlyMap<number, PlatformTask[]>, controller: VirtualProcess | undefined): void {
    const { time, random } = this.#world;
    const sleep = controller === undefined ? time.sleep(random.between(0, 3000)) : controller.sleep(20);
    void sleep.then(() => {
      for (const tasks of launches.values())
        for (const task of tasks) {
          const running = tasks.filter(({ state }) => state === "running").length;
          if (task.state === "waiting" && running < task.launch.parallelism)
            this.#start(task, () => this.#fill(launches, controller));
        }
    });
  }

  #start(task: PlatformTask, onEnd: () => void): void {
    const { time, random } = this.#world;
    const clock = this.#world.newProcess(random.between(-120_000, 120_000));
    const start = this.#noteStart(task);
    const attempt = { id: start.id, launch: start.launch, memoryBytes: start.ceilingBytes };
    task.state = "running";
    task.worker = clock;
    task.attempts = [...task.attempts, makeAttempt({ ...attempt, start: clock.stamp() })];
    const end = (found: WorkerEnd): void => {
      if (start.end !== undefined) return;
      this.#end(task, start, found);
      onEnd();
    };
    if (random.chance(this.#options.disruptions)) {
      const reason = this.#options.mode === "kubernetes" ? { reason: "DisruptionTarget" } : {};
      time.after(random.between(0, 40_000), () => end({ exitCode: ExitCode.terminated, ...reason }));
    }
    void new Worker(this.#world, this.#options, { clock, start, merges: this.#merges }).work().then(end);
  }

  /** What a look at a launch shows: sometimes what the look before it showed. */
  #describe(launch: Launch, tasks: readonly PlatformTask[] | undefined): LaunchStatus {
    const { rates, random, time } = this.#world;
    const last = tasks === undefined ? undefined : this.#looks.get(tasks);
    if (last !== undefined && time.now - last.at < stalest && random.chance(rates.stale)) return last.status;
    const status = describeLaunch(launch, tasks);
    if (tasks !== undefined) this.#looks.set(tasks, { at: time.now, status });
    return status;
  }

  #noteStart({ launch, pair, generation }: PlatformTask): TrueStart {
    this.#attempts += 1;
    const id = `attempt-${this.#attempts}`;
    const atWork = this.atWork();
    const start: TrueStart = {
      ...{ pair, launch: launch.number, generation, id, at: this.#world.time.now, ceilingBytes: launch.ceilingBytes },
      ...{ replaced: false, atWork: atWork.length + 1, alone: !atWork.includes(pair) },
    };
    this.starts.push(start);
    this.#world.note(`${id} of ${pair} starts: launch ${launch.number}, generation ${generation}`);
    return start;
  }

  #end(task: PlatformTask, start: TrueStart, { exitCode, reason }: WorkerEnd): void {
    const { now } = this.#world.time;
    const said = reason === undefined ? {} : { reason };
    task.worker?.kill();
    start.end = { at: now, exitCode, ...said };
    this.#world.note(`${start.id} of ${start.pair} ends: exit ${exitCode}${reason === undefined ? "" : `, ${reason}`}`);
    task.attempts = task.attempts.map((attempt) => {
      if (attempt.id !== start.id) return attempt;
      return {
        ...attempt,
        end: new Date(Date.parse(attempt.start ?? "") + now - start.at).toISOString(),
        exitCode,
        ...said,
      };
    });
    if (task.state === "cancelled") return;
    // A platform replaces what it took away by itself.
    if (reason === "DisruptionTarget") task.state = "waiting";
    else task.state = exitCode === ExitCode.done ? "succeeded" : "failed";
  }

  #stop(task: PlatformTask): void {
    if (isTaskOver(task.state)) return;
    const running = task.state === "running";
    task.state = "cancelled";
    const start = this.starts.find(({ id }) => id === task.attempts.at(-1)?.id);
    if (!running || start === undefined) return;
    task.worker?.kill();
    start.end = { at: this.#world.time.now, exitCode: 143 };
    task.attempts = task.attempts.map((attempt) => (attempt.id === start.id ? { ...attempt, exitCode: 143 } : attempt));
  }
}

function newTasks(launch: Launch, generation: number): PlatformTask[] {
  return launch.tasks.map(({ index, pair }) => {
    return { launch, index, pair, generation, state: "waiting", attempts: [], worker: undefined };
  });
}

/** A launch that is unknown here was removed, or is carried out on another machine. */
function describeLaunch(launch: Launch, tasks: readonly PlatformTask[] | undefined): LaunchStatus {
  const none = (): readonly TaskStatus[] =>
    launch.tasks.map(({ index, pair }) => ({ index, pair, state: "cancelled", attempts: [] }));
  const statuses = tasks?.map(({ index, pair, state, attempts }) => ({ index, pair, state, attempts })) ?? none();
  return { launch, statuses };
}

function unreachable(what: string): Failure {
  return new Failure(ExitCode.transient, [{ what: "the backend is out of reach", found: what, fix: "wait" }]);
}

interface WorkerEnd {
  readonly exitCode: number;
  readonly reason?: string;
}

const patience = { milliseconds: 15_000, firstPause: 250, onFailure: () => undefined };

/** One worker: asks for its place, reads, merges nothing, publishes, and leaves its record. */
class Worker {
  readonly #world: World;
  readonly #options: PlatformOptions;
  readonly #clock: VirtualProcess;
  readonly #start: TrueStart;
  readonly #store: RunStore;
  /** Merges so far that got as far as their scripted end, by pair. */
  readonly #merges: Map<string, number>;

  constructor(
    world: World,
    options: PlatformOptions,
    {
      clock,
      start,
      merges,
    }: { readonly clock: VirtualProcess; readonly start: TrueStart; readonly merges: Map<string, number> },
  ) {
    this.#merges = merges;
    this.#world = world;
    this.#options = options;
    this.#clock = clock;
    this.#start = start;
    this.#store = connectStore(world, clock, start.id);
  }

  async work(): Promise<WorkerEnd> {
    const { random } = this.#world;
    try {
      await this.#clock.sleep(random.between(0, 4000));
      await this.#ask();
      const exitCode = await this.#merge();
      await this.#leaveRecord(exitCode);
      return exitCode === 137 ? { exitCode, reason: "OOMKilled" } : { exitCode };
    } catch (error) {
      return { exitCode: toFailure(error).exitCode };
    }
  }

  async #ask(): Promise<void> {
    const { launch, generation } = this.#start;
    const place = { launch, generation };
    // What is shown may be so old; a replacement that is younger need not be seen.
    const before = this.#world.recordAt(this.#world.time.now - stalest);
    const isGone = before !== undefined && isReplaced(place, before);
    if (this.#world.mutation !== "workers unasked")
      await retryTransient(() => admitWorker(this.#store, { output: "out", run: "run", ...place }), {
        ...patience,
        clock: this.#clock,
      });
    this.#start.readsAt = this.#world.time.now;
    // Replaced before it asked: between the answer and the first read, it may be replaced and still begin.
    this.#start.replaced = isGone;
  }

  /** Returns the exit code. @throws Failure of the store */
  async #merge(): Promise<number> {
    const { pair, ceilingBytes } = this.#start;
    const { random, store } = this.#world;
    const script = this.#options.scripts.get(pair);
    if (script === undefined) throw new Error(`no script for ${pair}`);
    const names = nameOutputs(pair);
    const outputPath = `out/${names.output}`;
    if ((await this.#try(() => this.#store.stat(`out/${names.manifest}`))) !== undefined) return ExitCode.done;
    await this.#clock.sleep(random.between(2000, 40_000));
    if (ceilingBytes < script.needBytes) return random.chance(0.5) ? ExitCode.memory : 137;
    const merges = this.#merges.get(pair) ?? 0;
    this.#merges.set(pair, merges + 1);
    const exitCode = script.exitCodes[merges] ?? ExitCode.done;
    if (exitCode !== ExitCode.done) return exitCode;
    const existing = store.documents.get(outputPath);
    await this.#publish(pair, existing?.version);
    return ExitCode.done;
  }

  /** By the program's own protocol; only the staged output is simulated. */
  async #publish(pair: string, finishes: string | undefined): Promise<void> {
    const names = nameOutputs(pair);
    const [outputPath, manifestPath] = [`out/${names.output}`, `out/${names.manifest}`];
    const text = `output of ${pair}`;
    const staged = {
      publish: async (over?: string): Promise<void> => {
        const written = over !== undefined || (await this.#store.writeTextIf(outputPath, text, undefined));
        if (!written && (await this.#store.readText(outputPath)) !== text)
          throw new Failure(ExitCode.input, [{ what: "another file has the name", fix: "move it away" }]);
      },
    } as StagedOutput;
    const context = {
      pair,
      store: this.#store,
      paths: { folder: "out", output: outputPath, manifest: manifestPath },
      port: { signal: new AbortController().signal },
    } as unknown as PairContext;
    const existing = finishes === undefined ? "none" : "unfinished";
    await publish(context, staged, this.#manifest(pair, text.length), {
      state: existing,
      ...(finishes === undefined ? {} : { version: finishes, digest: "" }),
    } as Parameters<typeof publish>[3]);
  }

  #manifest(pair: string, size: number): Manifest {
    const path = `in/${pair}/targets.parquet`;
    const found = this.#world.store.documents.get(path);
    if (found === undefined) throw new Error(`no checkpoint of ${pair}`);
    const { settings } = this.#options;
    return makeManifest(settings, pair, { path, size: found.text.length, version: found.version }, size);
  }

  async #leaveRecord(exitCode: number): Promise<void> {
    if (exitCode === 137) return;
    const { id, pair } = this.#start;
    const path = runPaths(this.#store, "out", "run").result(pair, id);
    const record = makeWorkerRecord({ attempt: id, pair, exitCode: exitCode as ExitCode, end: this.#clock.stamp() });
    await this.#try(() => this.#store.writeText(path, formatDocument(record))).catch(() => undefined);
  }

  #try<Value>(work: () => Promise<Value>): Promise<Value> {
    return retryTransient(work, { ...patience, clock: this.#clock });
  }
}

/** Some pairs and how their merges end. */
export function makeScripts(random: Random, pairs: readonly string[], GiB: number): ReadonlyMap<string, PairScript> {
  const needs = [1, 1, 1, 2, 2, 4, 8];
  const codes = [0, 0, 0, 0, 75, 75, 1, 3, 137, 143, 4];
  return new Map(
    pairs.map((pair) => {
      const exitCodes = Array.from({ length: random.whole(0, 4) }, () => random.pick(codes));
      return [pair, { needBytes: random.pick(needs) * GiB, exitCodes }];
    }),
  );
}
