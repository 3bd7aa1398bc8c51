import { constants } from "node:os";
import { nameCloudRunAttempt } from "../../model/cloudrun-attempt.ts";
import { toLine } from "../../model/outcome.ts";
import type { Attempt, Launch, TaskState, TaskStatus } from "../../model/run.ts";
import type { Execution, Task } from "./client.ts";
import { memoryOf } from "./job.ts";
import { shortName } from "./names.ts";

/** What was requested for each task of a launch. */
export interface Requested {
  readonly vcpu: number;
}

type Condition = NonNullable<Task["conditions"]>[number];

/**
 * The status of every task of a launch: from Cloud Run's task, or from the execution where the task says too little. Without
 * an execution nothing will run, so its open tasks count as cancelled. Whether a pair is done is decided by the manifest in
 * the store.
 */
export function translateStatus(
  launch: Launch,
  execution: Execution | undefined,
  tasks: readonly Task[],
  requested: Requested,
): readonly TaskStatus[] {
  const byIndex = new Map(tasks.map((task) => [task.index ?? 0, task]));
  return launch.tasks.map(({ index, pair }) => {
    const task = byIndex.get(index);
    const own = stateOf(task);
    const state = own === "waiting" || own === "running" ? (endOf(execution) ?? own) : own;
    const attempts =
      !task?.startTime && state !== "failed" ? [] : [toAttempt({ index, state, task, execution }, launch, requested)];
    return { index, pair, state, attempts };
  });
}

function stateOf(task: Task | undefined): TaskState {
  const completed = findCompleted(task?.conditions);
  if (completed?.state === "CONDITION_SUCCEEDED") return "succeeded";
  if (completed?.state === "CONDITION_FAILED" || task?.completionTime)
    return wasCancelled(completed) ? "cancelled" : "failed";
  return task?.startTime ? "running" : "waiting";
}

/** The state of a task that never started, once its execution has ended; undefined while the execution runs. */
function endOf(execution: Execution | undefined): "failed" | "cancelled" | undefined {
  if (execution === undefined || execution.deleteTime) return "cancelled";
  if (!execution.completionTime) return undefined;
  return wasCancelled(findCompleted(execution.conditions)) ? "cancelled" : "failed";
}

function wasCancelled(condition: Condition | undefined): boolean {
  const reason = condition?.executionReason;
  return reason === "CANCELLED" || reason === "CANCELLING" || reason === "DELETED";
}

function findCompleted(conditions: readonly Condition[] | null | undefined): Condition | undefined {
  return conditions?.find(({ type }) => type === "Completed");
}

/** A task of a launch as Cloud Run describes it. */
interface SeenTask {
  readonly index: number;
  readonly state: TaskState;
  readonly task: Task | undefined;
  readonly execution: Execution | undefined;
}

function toAttempt(seen: SeenTask, launch: Launch, { vcpu }: Requested): Attempt {
  const { index, state, task, execution } = seen;
  const start = toTime(task?.startTime);
  return {
    id: nameCloudRunAttempt(shortName(execution?.name ?? task?.execution ?? ""), index, task?.retried ?? 0),
    launch: launch.number,
    ...(start === undefined ? {} : { start }),
    vcpu,
    memoryBytes: memoryOf(launch),
    spot: false,
    ...(state === "running" || state === "waiting" ? {} : describeEnd(seen)),
  };
}

type End = Partial<Pick<Attempt, "end" | "exitCode" | "signal" | "reason" | "message">>;

/** How a task ended. A task without an end of its own ended with its execution. */
function describeEnd({ state, task, execution }: SeenTask): End {
  const end = toTime(task?.completionTime ?? execution?.completionTime ?? execution?.updateTime);
  const result = task?.lastAttemptResult;
  const condition = findCompleted(task?.conditions) ?? findCompleted(execution?.conditions);
  const words = result?.status?.message || condition?.message || "";
  const reason = nameReason(state, words);
  return {
    ...(end === undefined ? {} : { end }),
    ...describeExit(state, result, reason),
    ...(reason === undefined ? {} : { reason }),
    ...(state === "succeeded" ? {} : tellMessage(words, task?.logUri ?? execution?.logUri)),
  };
}

/**
 * The reason for the end. For a task that exceeded its memory limit or its timeout, Cloud Run reports exit code 0 and a
 * message only.
 */
function nameReason(state: TaskState, words: string): string | undefined {
  if (state === "cancelled") return "Cancelled";
  if (state !== "failed") return undefined;
  if (/\bmemory limit\b/i.test(words)) return "OOMKilled";
  return /\btimeout was reached\b|\bmaximum timeout\b/i.test(words) ? "DeadlineExceeded" : undefined;
}

/** Exit code and signal. In the API, 0 also means "none": it is an exit code only if the task succeeded. */
function describeExit(state: TaskState, result: Task["lastAttemptResult"], reason: string | undefined): End {
  if (state === "succeeded") return { exitCode: 0 };
  const number = result?.termSignal ?? 0;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  if (signal !== undefined) return { signal };
  const exitCode = result?.exitCode ?? 0;
  if (exitCode !== 0) return { exitCode };
  return state === "failed" && reason === undefined ? { reason: "NoExitCode" } : {};
}

/** One line, with the URL of the task's log. */
function tellMessage(words: string, logUri: string | null | undefined): Pick<End, "message"> {
  const parts = [toLine(words), logUri ? `log: ${logUri}` : ""].filter((part) => part !== "");
  return parts.length === 0 ? {} : { message: parts.join(" ") };
}

/** A time as RFC 3339. */
function toTime(time: Task["startTime"]): string | undefined {
  if (!time) return undefined;
  const milliseconds = Number(String(time.seconds ?? 0)) * 1000 + Math.floor((time.nanos ?? 0) / 1e6);
  return new Date(milliseconds).toISOString();
}
