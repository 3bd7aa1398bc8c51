import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Launch, TaskStatus } from "../../model/run.ts";
import type { Journal, LocalAttempt, TaskEntry } from "./journal.ts";
import { findByVariable, identify, isRunning, type ProcessId, sendSignal } from "./process.ts";
import { readProgress } from "./progress.ts";
import { nextState, pauseBefore } from "./retry.ts";
import { attemptVariable, describeExit, type LocalOptions, parseEnd, slotsOf, startWorker } from "./worker.ts";

/** Milliseconds between two looks at a worker that another process started: it tells nobody when it ends. */
const lookEvery = 200;

/**
 * The tasks of one launch on this machine: starts as many workers as fit, each in a session of its own, so that they
 * outlive whoever started them; finds them again by process number and start time.
 */
export class LocalLaunch {
  readonly #launch: Launch;
  readonly #options: LocalOptions;
  readonly #journal: Journal;
  readonly #tasks: TaskEntry[];
  readonly #changes = new EventEmitter().setMaxListeners(0);
  /** Tasks that wait for their next attempt, by index. */
  readonly #pauses = new Map<number, NodeJS.Timeout>();
  #cancelled: boolean;
  /** All that was left is taken up. */
  #ready = false;
  #changed = true;
  #look: NodeJS.Timeout | undefined;
  #filling: NodeJS.Immediate | undefined;
  /** Attempts that other processes started, by id, with their tasks. */
  readonly #adopted = new Map<string, number>();

  constructor(launch: Launch, options: LocalOptions, journal: Journal, cancelled: boolean) {
    this.#launch = launch;
    this.#options = options;
    this.#journal = journal;
    this.#cancelled = cancelled;
    this.#tasks = launch.tasks.map(
      ({ index, pair }) => journal.readTask(index) ?? { index, pair, state: "waiting", attempts: [] },
    );
    // Before anything is started: what is started here is not to be taken for what was left.
    for (const task of [...this.#tasks]) this.#takeUp(task);
    this.#ready = true;
    this.#fill();
  }

  statuses(): readonly TaskStatus[] {
    this.#changed = false;
    return this.#tasks.map((task) => toStatus(task, this.#journal));
  }

  /** Resolves once something has changed since the last `statuses`, after the time, or when the signal says so. */
  async change(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#changed) return;
    const over = new AbortController();
    const stop = { signal: AbortSignal.any([signal, over.signal]) };
    const waits = [once(this.#changes, "change", stop), sleep(milliseconds, undefined, stop)];
    await Promise.race(waits).catch(() => undefined);
    over.abort();
  }

  /** Ends every worker: told first, killed after the time of grace. Resolves when none is left. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    this.#journal.markCancelled(this.#launch);
    for (const timer of this.#pauses.values()) clearTimeout(timer);
    this.#pauses.clear();
    this.#dropWaiting();
    const workers = this.#tasks.flatMap((task) => workerOf(task) ?? []);
    for (const worker of workers) sendSignal(worker, "SIGTERM");
    const deadline = performance.now() + this.#options.graceMilliseconds;
    while (this.#running() > 0) {
      if (performance.now() > deadline) for (const worker of workers) sendSignal(worker, "SIGKILL", true);
      await Promise.race([sleep(50), once(this.#changes, "change")]);
    }
  }

  /** What a process that was killed left: a worker that runs, one that has ended, one that never began. */
  #takeUp(task: TaskEntry): void {
    if (task.state !== "running") return;
    const attempt = task.attempts.at(-1);
    if (attempt === undefined) return;
    const worker = attempt.process ?? findByVariable(attemptVariable, attempt.id);
    if (worker === undefined || !isRunning(worker)) {
      const message = this.#journal.readMessage(attempt.id);
      if (attempt.process === undefined && message === undefined) this.#forget(task);
      else this.#end(task.index, parseEnd(message));
      return;
    }
    this.#put(task.index, { attempts: [...task.attempts.slice(0, -1), { ...attempt, process: worker }] });
    this.#adopted.set(attempt.id, task.index);
    this.#look ??= setInterval(() => this.#lookAtAdopted(), lookEvery).unref();
  }

  #forget(task: TaskEntry): void {
    this.#put(task.index, { state: this.#cancelled ? "cancelled" : "waiting", attempts: task.attempts.slice(0, -1) });
  }

  #lookAtAdopted(): void {
    for (const [id, index] of this.#adopted) {
      const attempt = this.#tasks[index]?.attempts.at(-1);
      const current = attempt?.id === id;
      if (current && attempt.process !== undefined && isRunning(attempt.process)) continue;
      this.#adopted.delete(id);
      if (current) this.#end(index, parseEnd(this.#journal.readMessage(id)));
    }
    if (this.#adopted.size === 0) clearInterval(this.#look);
  }

  /** Starts what fits, soon: of many workers that end at once, each would otherwise keep everybody else waiting. */
  #fill(): void {
    if (!this.#ready || this.#filling !== undefined) return;
    this.#filling = setImmediate(() => {
      this.#filling = undefined;
      this.#startWaiting();
    });
  }

  #startWaiting(): void {
    if (this.#isCancelled()) return this.#dropWaiting();
    const free = slotsOf(this.#launch, this.#options.budgetBytes) - this.#running();
    const ready = this.#tasks.filter(({ index, state }) => state === "waiting" && !this.#pauses.has(index));
    for (const task of ready.slice(0, Math.max(0, free))) this.#start(task);
  }

  #dropWaiting(): void {
    for (const task of this.#tasks) if (task.state === "waiting") this.#put(task.index, { state: "cancelled" });
  }

  /** By this process, or by another one: the mark in the journal stands before the first worker is told to stop. */
  #isCancelled(): boolean {
    this.#cancelled ||= this.#journal.readLaunch()?.cancelled ?? false;
    return this.#cancelled;
  }

  #running(): number {
    return this.#tasks.filter(({ state }) => state === "running").length;
  }

  /** Written down before it happens: whoever comes after a kill looks for a worker of this name. */
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
    const child = startWorker(this.#launch, this.#options, task.index, id, this.#journal.filesOf(id));
    child.once("error", ({ message }) => this.#end(task.index, { reason: "StartFailed", message }));
    child.once("exit", (code, signal) =>
      this.#end(task.index, describeExit(code, signal, this.#journal.readMessage(id))),
    );
    // Whoever waits for it does so with a timer of his own; a controller that gives up must not be held back.
    child.unref();
    const worker = child.pid === undefined ? undefined : identify(child.pid);
    if (worker !== undefined) this.#put(task.index, { attempts: [...task.attempts, { ...attempt, process: worker }] });
  }

  /** An attempt is over: the task with it, or it is tried again after a pause. */
  #end(index: number, end: Pick<LocalAttempt, "exitCode" | "signal" | "reason" | "message">): void {
    const task = this.#tasks[index];
    const last = task?.attempts.at(-1);
    if (task === undefined || last === undefined || last.end !== undefined) return;
    const attempts = [...task.attempts.slice(0, -1), { ...last, ...end, end: new Date().toISOString() }];
    const next = nextState(attempts, this.#launch, () => this.#isCancelled());
    this.#put(index, { attempts, state: next });
    if (next === "waiting") this.#pause(index, attempts.length);
    this.#fill();
  }

  #pause(index: number, attempts: number): void {
    const milliseconds = pauseBefore(attempts, this.#options.retryMilliseconds);
    const timer = setTimeout(() => {
      this.#pauses.delete(index);
      this.#fill();
    }, milliseconds);
    this.#pauses.set(index, timer.unref());
  }

  #put(index: number, change: Partial<TaskEntry>): void {
    const task = this.#tasks[index];
    if (task === undefined) return;
    const entry = { ...task, ...change };
    this.#tasks[index] = entry;
    this.#journal.writeTask(entry);
    this.#changed = true;
    this.#changes.emit("change");
  }
}

function workerOf({ state, attempts }: TaskEntry): ProcessId | undefined {
  return state === "running" ? attempts.at(-1)?.process : undefined;
}

/** What the journal says of a task, in the words that all backends share. */
export function toStatus(task: TaskEntry, journal: Journal): TaskStatus {
  const { index, pair, state } = task;
  const attempts = task.attempts.map(({ process: _, ...attempt }) => attempt);
  const worker = workerOf(task);
  const id = attempts.at(-1)?.id;
  const progress = worker === undefined || id === undefined ? undefined : readProgress(worker, journal.filesOf(id).log);
  return { index, pair, state, attempts, ...(progress === undefined ? {} : { progress }) };
}
