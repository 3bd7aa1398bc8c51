import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ExitCode } from "../../model/exit-code.ts";
import type { Launch, TaskStatus } from "../../model/run.ts";
import type { Journal, LocalAttempt, TaskEntry } from "./journal.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { findByVariable, identify, isRunning, type ProcessId, sendSignal } from "./process.ts";
import {
  attemptVariable,
  describeExit,
  describeLoss,
  type LocalOptions,
  startWorker,
  type WorkerEnd,
} from "./worker.ts";

/** How the tasks of a launch are carried out, and for the controller of which generation. */
export type LaunchOptions = LocalOptions & { readonly generation: number | undefined };

/** Milliseconds between two checks of a worker that another process started: no event tells when it ends. */
const checkEvery = 200;

/**
 * The tasks of one launch on this machine. Starts as many workers as fit, each in a session of its own, so that they
 * outlive this process, and finds the workers of an earlier controller by process number and start time.
 */
export class LocalLaunch {
  readonly #launch: Launch;
  readonly #options: LocalOptions;
  readonly #journal: Journal;
  readonly #budget: MemoryBudget;
  /** Of the controller that this process is; undefined for one that only stops workers. */
  readonly #generation: number | undefined;
  readonly #tasks: TaskEntry[];
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #cancelled: boolean;
  /** Every task of an earlier controller is taken over. */
  #ready = false;
  #changed = true;
  #check: NodeJS.Timeout | undefined;
  #filling: NodeJS.Immediate | undefined;
  /** Attempts that other processes started, by id, with the index of their task. */
  readonly #adopted = new Map<string, number>();

  constructor(launch: Launch, { generation, ...options }: LaunchOptions, journal: Journal, budget: MemoryBudget) {
    this.#generation = generation;
    this.#launch = launch;
    this.#options = options;
    this.#journal = journal;
    this.#budget = budget;
    this.#cancelled = journal.readLaunch()?.cancelled ?? false;
    this.#tasks = launch.tasks.map(
      ({ index, pair }) => journal.readTask(index) ?? { index, pair, state: "waiting", attempts: [] },
    );
    // This comes before the first start: a worker of this process must not be taken for an earlier controller's.
    for (const task of [...this.#tasks]) this.#takeOver(task);
    this.#ready = true;
    budget.onFree(() => this.#fill());
    this.#fill();
  }

  statuses(): readonly TaskStatus[] {
    this.#changed = false;
    return this.#tasks.map((task) => toStatus(task, this.#journal));
  }

  /** Resolves once something has changed since the last `statuses`, or when the signal is aborted. */
  async change(signal: AbortSignal): Promise<void> {
    if (!this.#changed) await once(this.#changes, "change", { signal }).catch(() => undefined);
  }

  /** Ends every worker with SIGTERM, and with SIGKILL after the grace period. Resolves when none is left. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    this.#journal.markCancelled(this.#launch);
    this.#dropWaiting();
    const workers = this.#tasks.flatMap((task) => workerOf(task) ?? []);
    for (const worker of workers) sendSignal(worker, "SIGTERM");
    const deadline = performance.now() + this.#options.graceMilliseconds;
    while (this.#running() > 0) {
      if (performance.now() > deadline) for (const worker of workers) sendSignal(worker, "SIGKILL", true);
      await Promise.race([sleep(50), once(this.#changes, "change")]);
    }
  }

  /** A controller that was killed left a worker that runs, one that has ended, or one that never began. */
  #takeOver(task: TaskEntry): void {
    if (task.state !== "running") return;
    const attempt = task.attempts.at(-1);
    if (attempt === undefined) return;
    const worker = attempt.process ?? findByVariable(attemptVariable, attempt.id);
    if (worker === undefined || !isRunning(worker)) {
      const outcome = this.#journal.readOutcome(attempt.id);
      if (attempt.process === undefined && outcome === undefined) this.#forget(task);
      else this.#end(task.index, describeLoss(outcome));
      return;
    }
    this.#put(task.index, { attempts: [...task.attempts.slice(0, -1), { ...attempt, process: worker }] });
    this.#budget.take(attempt.id, this.#launch.ceilingBytes);
    this.#adopted.set(attempt.id, task.index);
    this.#check ??= setInterval(() => this.#checkAdopted(), checkEvery).unref();
  }

  #forget(task: TaskEntry): void {
    this.#put(task.index, { state: this.#cancelled ? "cancelled" : "waiting", attempts: task.attempts.slice(0, -1) });
  }

  #checkAdopted(): void {
    for (const [id, index] of this.#adopted) {
      const attempt = this.#tasks[index]?.attempts.at(-1);
      const current = attempt?.id === id;
      if (current && attempt.process !== undefined && isRunning(attempt.process)) continue;
      this.#adopted.delete(id);
      if (current) this.#end(index, describeLoss(this.#journal.readOutcome(id)));
    }
    if (this.#adopted.size === 0) clearInterval(this.#check);
  }

  /** Starts what fits in the next turn of the event loop, once for all workers that end in this one. */
  #fill(): void {
    if (!this.#ready || this.#filling !== undefined) return;
    this.#filling = setImmediate(() => {
      this.#filling = undefined;
      this.#startWaiting();
    });
  }

  #startWaiting(): void {
    if (this.#isReplaced()) return;
    if (this.#isCancelled()) return this.#dropWaiting();
    const { parallelism, ceilingBytes } = this.#launch;
    const waiting = this.#tasks.filter(({ state }) => state === "waiting");
    for (const task of waiting.slice(0, Math.max(0, parallelism - this.#running()))) {
      if (!this.#budget.fits(ceilingBytes)) return;
      this.#start(task);
    }
  }

  #dropWaiting(): void {
    for (const task of this.#tasks) if (task.state === "waiting") this.#put(task.index, { state: "cancelled" });
  }

  /** By this process or by another one, which marks the journal before it stops the first worker. */
  #isCancelled(): boolean {
    this.#cancelled ||= this.#journal.readLaunch()?.cancelled ?? false;
    return this.#cancelled;
  }

  /** A controller that was suspended may wake while its successor carries out the launch: it starts and writes nothing. */
  #isReplaced(): boolean {
    return this.#generation !== undefined && this.#journal.isReplaced(this.#generation);
  }

  #running(): number {
    return this.#tasks.filter(({ state }) => state === "running").length;
  }

  /** The attempt is in the journal before its worker starts: after a kill, the next controller looks for that worker. */
  #start(task: TaskEntry): void {
    const { vcpu } = this.#options;
    const id = `local-${this.#launch.number}-${task.index}-${task.attempts.length}-${randomBytes(4).toString("hex")}`;
    const attempt: LocalAttempt = {
      id,
      launch: this.#launch.number,
      start: new Date().toISOString(),
      vcpu,
      memoryBytes: this.#launch.ceilingBytes,
      spot: false,
    };
    this.#put(task.index, { state: "running", attempts: [...task.attempts, attempt] });
    this.#budget.take(id, this.#launch.ceilingBytes);
    const child = startWorker(this.#launch, this.#options, {
      index: task.index,
      attempt: id,
      generation: this.#generation,
      files: this.#journal.filesOf(id),
    });
    child.once("error", ({ message }) => this.#end(task.index, { reason: "StartFailed", message }));
    child.once("exit", (code, signal) =>
      this.#end(task.index, describeExit(code, signal, this.#journal.readOutcome(id))),
    );
    // A controller that gives up can end: waiting keeps the process alive with timers of its own.
    child.unref();
    const worker = child.pid === undefined ? undefined : identify(child.pid);
    if (worker !== undefined) this.#put(task.index, { attempts: [...task.attempts, { ...attempt, process: worker }] });
  }

  /** An attempt is over, and its task with it. */
  #end(index: number, end: WorkerEnd): void {
    const task = this.#tasks[index];
    const last = task?.attempts.at(-1);
    if (task === undefined || last === undefined || last.end !== undefined) return;
    const attempts = [...task.attempts.slice(0, -1), { ...last, ...end, end: new Date().toISOString() }];
    this.#budget.giveBack(last.id);
    this.#put(index, { attempts, state: this.#stateAfter(end.exitCode) });
    this.#fill();
  }

  #stateAfter(exitCode: number | undefined): TaskEntry["state"] {
    if (exitCode === ExitCode.done) return "succeeded";
    return this.#isCancelled() ? "cancelled" : "failed";
  }

  #put(index: number, change: Partial<TaskEntry>): void {
    const task = this.#tasks[index];
    if (task === undefined) return;
    const entry = { ...task, ...change };
    this.#tasks[index] = entry;
    if (!this.#isReplaced()) this.#journal.writeTask(entry);
    this.#changed = true;
    this.#changes.emit("change");
  }
}

function workerOf({ state, attempts }: TaskEntry): ProcessId | undefined {
  return state === "running" ? attempts.at(-1)?.process : undefined;
}

/** The status of a task by its journal. */
export function toStatus(task: TaskEntry, journal: Journal): TaskStatus {
  const { index, pair, state } = task;
  const attempts = task.attempts.map(({ process: _, ...attempt }) => attempt);
  const current = state === "running" ? attempts.at(-1) : undefined;
  const progress = current === undefined ? undefined : journal.readProgress(current.id);
  return { index, pair, state, attempts, ...(progress === undefined ? {} : { progress }) };
}
