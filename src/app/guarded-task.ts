import * as v from "valibot";
import { type Progress, showProgress } from "../cli/progress.ts";
import type { Settings } from "../config/settings.ts";
import { type Ceiling, resolveCeiling } from "../memory/ceiling.ts";
import { leaveOutGroups, readLimits } from "../memory/limits.ts";
import { type ChildEnd, type Supervision, supervise } from "../memory/supervise.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn, type Problem } from "../model/failure.ts";
import { Pair } from "../model/names.ts";
import type { WorkerReport } from "../model/result.ts";
import type { Task, TaskLimits } from "../model/task.ts";
import { formatMemory } from "../model/units.ts";

/** How a guarded task ended, and how long it took in seconds. */
export type GuardedEnd = ChildEnd & { readonly seconds: number; readonly report?: WorkerReport };

/** A small young generation: garbage is collected before it grows into what the ceiling has to hold. */
const childOptions = ["--no-warnings", "--max-semi-space-size=2", "--expose-gc"];

/**
 * glibc returns every large block to the kernel when it is freed and zeroes new ones: half of the time of aligning a
 * table. Blocks up to 32 MiB (the most it allows) come from a heap instead that is trimmed from 128 MiB on.
 */
const allocator = { MALLOC_MMAP_THRESHOLD_: "33554432", MALLOC_TRIM_THRESHOLD_: "134217728", MALLOC_ARENA_MAX: "1" };

type WithoutLimits<Some> = Some extends Task ? Omit<Some, "limits"> : never;

/**
 * Runs a task in a child process under the memory guard; passes Ctrl-C and SIGTERM on to it and waits for its end.
 * @throws Failure (input) when the memory settings do not fit this machine.
 */
export async function runGuarded(task: WithoutLimits<Task>, settings: Settings): Promise<GuardedEnd> {
  const start = performance.now();
  const found = readLimits();
  const limits = settings.memoryScope === "process" ? leaveOutGroups(found) : found;
  const { ceiling, problems } = resolveCeiling(settings, limits);
  failOn(ExitCode.input, problems);
  const taskLimits: TaskLimits = {
    ceilingBytes: ceiling.ceilingBytes,
    warnBytes: ceiling.warnBytes,
    baselineBytes: 0,
    threads: limits.cpus,
  };
  const progress = showProgress("pair" in task ? task.pair : task.target, ceiling.ceilingBytes, settings.logEvery);
  const supervision = supervise({
    modulePath: new URL("../merge/main.ts", import.meta.url).pathname,
    execArgv: childOptions,
    env: { ...allocator, ...process.env },
    task: { ...task, limits: taskLimits },
    ceiling,
    limits,
    onEvent: (event) => progress.event(event),
    onSample: (bytes) => progress.sample(bytes),
    onWarn: (bytes) => progress.warn(describeWarning(bytes, ceiling)),
    onNotice: (text) => progress.warn(text),
  });
  const end = await passSignals(supervision, progress);
  return { ...end, seconds: (performance.now() - start) / 1000 };
}

function describeWarning(bytes: number, { warnBytes, ceilingBytes }: Ceiling): string {
  return `a working set of ${formatMemory(bytes)} has reached the warning level of ${formatMemory(warnBytes)}, under a ceiling of ${formatMemory(ceilingBytes)}: fewer tables at a time from here on`;
}

async function passSignals(supervision: Supervision, progress: Progress): Promise<ChildEnd> {
  const interrupt = (): void => supervision.interrupt(ExitCode.interrupted);
  const terminate = (): void => supervision.interrupt(ExitCode.terminated);
  process.on("SIGINT", interrupt).on("SIGTERM", terminate);
  try {
    return await supervision.ended;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", terminate);
    progress.end();
  }
}

/** A pair's name, safe as a folder, a file name and a label. @throws Failure (usage). */
export function parsePair(name: string): string {
  if (v.is(Pair, name)) return name;
  const problem: Problem = {
    what: "not a pair's name",
    found: JSON.stringify(name),
    fix: "use letters, digits, _ and -, at most 63, such as audusd",
  };
  throw new Failure(ExitCode.usage, [problem]);
}
