import { setImmediate } from "node:timers/promises";
import * as v from "valibot";
import { Settings, type VerifyLevel } from "../../src/config/settings.ts";
import { type Context, openPair, type PairContext, type Port } from "../../src/merge/context.ts";
import { runTask } from "../../src/merge/run.ts";
import type { WorkerEvent } from "../../src/model/event.ts";
import { Failure } from "../../src/model/failure.ts";
import type { MemoryRecord } from "../../src/model/measurement.ts";
import type { Plan } from "../../src/model/plan.ts";
import type { Verification, WorkerReport } from "../../src/model/result.ts";
import type { TaskLimits } from "../../src/model/task.ts";
import { localStore } from "../../src/store/local/store.ts";

const GiB = 2 ** 30;

/** The port of a task that runs in the process of a test: keeps every event, and stops on request. */
export class TestPort implements Port {
  readonly events: WorkerEvent[] = [];
  slowed = false;
  readonly #controller = new AbortController();
  readonly #watch: (event: WorkerEvent, port: TestPort) => void;

  constructor(watch: (event: WorkerEvent, port: TestPort) => void = () => undefined) {
    this.#watch = watch;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  emit(event: WorkerEvent): void {
    this.events.push(event);
    this.#watch(event, this);
  }

  stop(reason: unknown): void {
    this.#controller.abort(reason);
  }

  async measureMemory(): Promise<MemoryRecord> {
    await setImmediate();
    return { source: "rss", peakBytes: 1, ceilingBytes: 8 * GiB, warnings: 0, samples: [] };
  }
}

export type SomeSettings = Partial<Record<keyof Settings, unknown>>;

/** Settings as the command line would resolve them. */
export function makeSettings(given: SomeSettings): Settings {
  return v.parse(Settings, given);
}

export const limits: TaskLimits = { cpus: 1, ceilingBytes: 8 * GiB, baselineBytes: 0 };

/** The context of a worker in this process, without the guard around it. */
export function makeContext(port: Port = new TestPort(), store = localStore): Context {
  return { store, port };
}

/** The context of one pair's stages. */
export function makePairContext(pair: string, output: string, port: Port = new TestPort()): PairContext {
  return openPair(makeContext(port), pair, output);
}

/** Merges a pair in this process. @throws Failure */
export async function mergeHere(
  given: SomeSettings,
  pair = "pair",
  port: Port = new TestPort(),
  cpus = 1,
): Promise<Extract<WorkerReport, { command: "merge" }>["result"]> {
  const settings = makeSettings(given);
  const task = { command: "merge", pair, settings, limits: { ...limits, cpus } } as const;
  const report = await runTask(task, makeContext(port));
  if (report.command !== "merge") throw new Error(`a report of ${report.command}`);
  return report.result;
}

/** Plans a pair in this process. @throws Failure */
export async function planHere(given: SomeSettings, pair = "pair"): Promise<Plan> {
  const settings = makeSettings(given);
  const report = await runTask({ command: "plan", pair, settings, limits }, makeContext());
  if (report.command !== "plan") throw new Error(`a report of ${report.command}`);
  return report.plan;
}

/** Verifies a pair or a file in this process. @throws Failure */
export async function verifyHere(given: SomeSettings, target: string, level: VerifyLevel): Promise<Verification> {
  const settings = makeSettings(given);
  const task = { command: "verify", target, level, inputGiven: given.input !== undefined, settings, limits } as const;
  const report = await runTask(task, makeContext());
  if (report.command !== "verify") throw new Error(`a report of ${report.command}`);
  return report.verification;
}

/** The Failure that `work` ends with. @throws when it ends well, or otherwise. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("no failure");
}
