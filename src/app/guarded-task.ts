import type { Settings } from "../config/settings.ts";
import { type Ceiling, resolveCeiling } from "../memory/ceiling.ts";
import { leaveOutGroups, readLimits } from "../memory/limits.ts";
import { type ChildEnd, supervise } from "../memory/supervise.ts";
import type { WorkerEvent } from "../model/event.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn } from "../model/failure.ts";
import type { WorkerReport } from "../model/result.ts";
import type { Task, TaskLimits } from "../model/task.ts";
import { formatMemory } from "../model/units.ts";
import { modulePath } from "./module-path.ts";

/** How a guarded task ended, and how long it took in seconds. */
export type GuardedEnd = ChildEnd & { readonly seconds: number; readonly report?: WorkerReport };

/** Follows a guarded task. Each method is optional. */
export interface TaskObserver {
  /** The task has started. */
  onStart?(task: RunningTask): void;
  /** A stage has begun, or a table is done. */
  onEvent?(event: WorkerEvent): void;
  /** The working set in bytes and the ceiling that it must not exceed, ten times a second. */
  onSample?(workingSetBytes: number, ceilingBytes: number): void;
  /** A sentence about something that the task survives. */
  onWarning?(text: string): void;
  /** The task has ended. */
  onEnd?(): void;
}

/** A task whose process is running. */
export interface RunningTask {
  /** Asks the task to clean up and to end with this code; called again more than a second later, kills it. */
  interrupt(exitCode: ExitCode): void;
}

/** Makes the observer of a task, given the name of the pair or file that the task is about. */
export type ObserverFactory = (subject: string) => TaskObserver;

/** A small young generation: garbage is collected before it grows into what the ceiling has to hold. */
const childOptions = ["--no-warnings", "--max-semi-space-size=2", "--expose-gc"];

/**
 * glibc returns every large block to the kernel when it is freed and zeroes new ones, which takes half of the time of
 * aligning a table. These settings take blocks up to 32 MiB (the maximum) from a heap that is trimmed from 128 MiB on.
 */
const allocator = { MALLOC_MMAP_THRESHOLD_: "33554432", MALLOC_TRIM_THRESHOLD_: "134217728", MALLOC_ARENA_MAX: "1" };

type WithoutLimits<Some> = Some extends Task ? Omit<Some, "limits"> : never;

/** A task as a caller states it: the limits are resolved here. */
export type GuardedTask = WithoutLimits<Task>;

/**
 * Runs a task in a child process under the memory guard and waits for its end.
 * @throws Failure (input) when the memory settings do not fit this machine
 */
export async function runGuarded(
  task: GuardedTask,
  settings: Settings,
  observer: TaskObserver = {},
): Promise<GuardedEnd> {
  const start = performance.now();
  const found = readLimits();
  const limits = settings.memoryScope === "process" ? leaveOutGroups(found) : found;
  const { ceiling, problems } = resolveCeiling(settings, limits);
  failOn(ExitCode.input, problems);
  // The guard measures the baseline just before it starts the child.
  const taskLimits: TaskLimits = { cpus: limits.cpus, ceilingBytes: ceiling.ceilingBytes, baselineBytes: 0 };
  const supervision = supervise({
    modulePath: modulePath("merge/main"),
    execArgv: childOptions,
    env: { ...allocator, ...process.env },
    task: { ...task, limits: taskLimits },
    ceiling,
    limits,
    onEvent: (event) => observer.onEvent?.(event),
    onSample: (bytes) => observer.onSample?.(bytes, ceiling.ceilingBytes),
    onWarn: (bytes) => observer.onWarning?.(describeWarning(bytes, ceiling)),
    onNotice: (text) => observer.onWarning?.(text),
  });
  try {
    observer.onStart?.({ interrupt: (exitCode) => supervision.interrupt(exitCode) });
    const end = await supervision.ended;
    return { ...end, seconds: (performance.now() - start) / 1000 };
  } finally {
    observer.onEnd?.();
  }
}

function describeWarning(bytes: number, { warnBytes, ceilingBytes }: Ceiling): string {
  return `the working set of ${formatMemory(bytes)} has reached the warning level of ${formatMemory(warnBytes)} (ceiling ${formatMemory(ceilingBytes)}): fewer tables at a time from now on`;
}
