import type { ChildProcess } from "node:child_process";
import type { Order, WorkerEvent } from "../model/event.ts";
import { ExitCode } from "../model/exit-code.ts";
import { type Problem, toFailure } from "../model/failure.ts";
import type { MemoryRecord } from "../model/measurement.ts";
import type { WorkerReport } from "../model/result.ts";
import type { Task } from "../model/task.ts";
import { formatMemory } from "../model/units.ts";
import { readOomKills } from "./cgroup.ts";
import { type ChildOptions, startChild, waitForEnd } from "./child.ts";
import { classifyEnd, describeMemory, raiseCeiling, type Stop } from "./classify.ts";
import type { Limits } from "./limits.ts";
import { createSampler } from "./sample.ts";
import { forwardStream } from "./stderr.ts";
import { createWatch, type Level, type Watch } from "./watch.ts";

export interface SuperviseOptions extends ChildOptions {
  /** Sent as the first message, with `limits.baselineBytes` as measured just before the child starts. */
  readonly task: Task;
  /** Milliseconds between two samples; 100 unless given. */
  readonly sampleEveryMs?: number;
  /** Milliseconds from an order to stop to SIGKILL; 2000 for memory and 8000 for an interrupt unless given. */
  readonly graceMs?: number;
  /** Receives every event of the child except `askMemory`, which the supervisor answers. */
  readonly onEvent?: (event: WorkerEvent) => void;
  /** Receives every sample: the working set in bytes, and the level that it reaches. */
  readonly onSample?: (bytes: number, level: Level) => void;
  /** Called each time that the working set rises to the warning level, with the working set in bytes. */
  readonly onWarn?: (bytes: number) => void;
  /** Where the child's stderr goes; this process's stderr unless given. */
  readonly stderr?: NodeJS.WritableStream;
}

/** The end of a child. There are no problems only with `ExitCode.done`. */
export interface ChildEnd extends Stop {
  readonly report?: WorkerReport;
  readonly memory: MemoryRecord;
}

export interface Supervision {
  /** Process id of the child; undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Orders the child to clean up and to stop with this code; called again more than a second later, kills it. */
  interrupt(exitCode: ExitCode): void;
  /** The measurements so far. */
  memory(): MemoryRecord;
  /** Resolves after the child has ended and all of its output has been read. Does not reject. */
  readonly ended: Promise<ChildEnd>;
}

const sampleEveryMs = 100;
const memoryGraceMs = 2000;
const interruptGraceMs = 8000;
/** timeout(1), npm and terminals deliver one signal twice: only a later one asks for an immediate end. */
const repeatedSignalMs = 1000;
const lastStderrBytes = 8192;

/**
 * Starts the child under its data limit and watches the memory of supervisor, child and descendants until the child has ended. At the
 * warning level it orders the child to slow down, at the stop level to stop; above the ceiling it kills the child at once.
 */
export function supervise(options: SuperviseOptions): Supervision {
  return new Guard(options);
}

class Guard implements Supervision {
  readonly ended: Promise<ChildEnd>;
  readonly #options: SuperviseOptions;
  readonly #watch: Watch;
  readonly #child: ChildProcess;
  readonly #readStderr: () => string;
  readonly #oomKillsBefore: number;
  #report: WorkerReport | undefined;
  #failure: Stop | undefined;
  #stoppedFor: Stop | undefined;
  #stoppedAt = 0;
  #spawnError = "";
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(options: SuperviseOptions) {
    const { ceiling, limits, task } = options;
    const baselineBytes = createSampler(limits).sample();
    this.#options = options;
    this.#oomKillsBefore = countOomKills(limits);
    this.#child = startChild(options);
    this.#watch = createWatch({
      ceiling,
      limits,
      childPid: this.#child.pid,
      onSample: (bytes, level) => this.#act(bytes, level),
      onWarn: (bytes) => {
        this.#send({ type: "slowDown" });
        options.onWarn?.(bytes);
      },
    });
    this.#readStderr = forwardStream(this.#child.stderr, options.stderr ?? process.stderr, lastStderrBytes);
    this.ended = this.#follow();
    this.#send({ type: "task", task: { ...task, limits: { ...task.limits, baselineBytes } } });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  memory(): MemoryRecord {
    return this.#watch.record();
  }

  interrupt(exitCode: ExitCode): void {
    const first = this.#stoppedFor === undefined;
    this.#stop(exitCode, describeInterrupt(exitCode), interruptGraceMs);
    if (!first && performance.now() - this.#stoppedAt > repeatedSignalMs) this.#child.kill("SIGKILL");
  }

  async #follow(): Promise<ChildEnd> {
    const child = this.#child;
    child.on("message", (event: WorkerEvent) => this.#receive(event));
    const timer = setInterval(() => this.#watch.sample(), this.#options.sampleEveryMs ?? sampleEveryMs);
    // Later samples would only displace the last ones of the child.
    child.once("exit", () => clearInterval(timer));
    const [exitCode, signal] = await waitForEnd(child).catch((error: Error): [null, null] => {
      const { exitCode, problems } = toFailure(error);
      // A process that could not be started for want of descriptors says so; anything else is for the classification.
      if (exitCode !== ExitCode.unexpected) this.#failure ??= { exitCode, problems };
      this.#spawnError = error.message;
      return [null, null];
    });
    clearInterval(timer);
    clearTimeout(this.#graceTimer);
    return this.#conclude(exitCode, signal);
  }

  #receive(event: WorkerEvent): void {
    // The child's high-water mark ends with its process, so it is read with every message that may be the last.
    if (event.type !== "progress") this.#watch.sample();
    if (event.type === "askMemory") return this.#send({ type: "memory", memory: this.#watch.record() });
    if (event.type === "report") this.#report = event.report;
    if (event.type === "failure") this.#failure = { exitCode: event.exitCode, problems: event.problems };
    this.#options.onEvent?.(event);
  }

  #act(bytes: number, level: Level): void {
    this.#options.onSample?.(bytes, level);
    if (level === "ok" || level === "warn") return;
    this.#stop(ExitCode.memory, describeStop(bytes, this.#watch.record()), memoryGraceMs);
    if (level === "over") this.#child.kill("SIGKILL");
  }

  #stop(exitCode: ExitCode, problem: Problem, graceMs: number): void {
    if (this.#stoppedFor !== undefined) return;
    this.#stoppedFor = { exitCode, problems: [problem] };
    this.#stoppedAt = performance.now();
    this.#send({ type: "stop", exitCode, problem });
    this.#graceTimer = setTimeout(() => this.#child.kill("SIGKILL"), this.#options.graceMs ?? graceMs);
  }

  /** A child that has just ended receives no orders; `#follow` notices its end. */
  #send(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }

  #conclude(exitCode: number | null, signal: NodeJS.Signals | null): ChildEnd {
    const memory = this.#watch.record();
    const report = this.#report === undefined ? {} : { report: this.#report };
    const end = classifyEnd({
      exitCode,
      signal,
      ...report,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      ...(this.#stoppedFor === undefined ? {} : { stoppedFor: this.#stoppedFor }),
      oomKills: countOomKills(this.#options.limits) - this.#oomKillsBefore,
      memory,
      lastStderr: this.#readStderr() + this.#spawnError,
    });
    return { ...end, ...report, memory };
  }
}

function countOomKills({ cgroup }: Limits): number {
  return cgroup === undefined ? 0 : (readOomKills(cgroup) ?? 0);
}

function describeStop(bytes: number, memory: MemoryRecord): Problem {
  return {
    what: "the memory ceiling was reached",
    found: `a working set of ${formatMemory(bytes)} under a ceiling of ${formatMemory(memory.ceilingBytes)}; ${describeMemory(memory)}`,
    fix: raiseCeiling,
  };
}

function describeInterrupt(exitCode: ExitCode): Problem {
  const found = exitCode === ExitCode.interrupted ? "SIGINT" : "SIGTERM";
  return { what: "the run was ended from outside", found, fix: "run again: it finishes the work" };
}
