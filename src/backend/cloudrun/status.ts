import { constants } from "node:os";
import { nameCloudRunAttempt } from "../../model/cloudrun-attempt.ts";
import type { Attempt, Launch, TaskState, TaskStatus } from "../../model/run.ts";
import type { Execution, Task } from "./client.ts";
import { memoryOf } from "./job.ts";
import { shortName } from "./names.ts";

/** What each task of a launch was asked to have. */
export interface Asked {
  readonly vcpu: number;
}

type Condition = NonNullable<Task["conditions"]>[number];

const messageLimit = 1000;

/**
 * Every task of a launch, by what Cloud Run says of its tasks, and of the execution where it has not said enough of a
 * task. Without an execution nothing runs and nothing will: what is not done is cancelled (the manifest in the store has
 * the last word).
 */
export function translateStatus(
  launch: Launch,
  execution: Execution | undefined,
  tasks: readonly Task[],
  asked: Asked,
): readonly TaskStatus[] {
  const byIndex = new Map(tasks.map((task) => [task.index ?? 0, task]));
  return launch.tasks.map(({ index, pair }) => {
    const task = byIndex.get(index);
    const own = stateOf(task);
    const state = own === "waiting" || own === "running" ? (endOf(execution) ?? own) : own;
    const started = task?.startTime ? task : undefined;
    const attempts =
      started === undefined && state !== "failed"
        ? []
        : [toAttempt(index, state, started ?? task, execution, launch, asked)];
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

/** What an execution that is over means for a task that never was; undefined while it goes on. */
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

function toAttempt(
  index: number,
  state: TaskState,
  task: Task | undefined,
  execution: Execution | undefined,
  launch: Launch,
  { vcpu }: Asked,
): Attempt {
  const start = toTime(task?.startTime);
  return {
    id: nameCloudRunAttempt(shortName(execution?.name ?? task?.execution ?? ""), index, task?.retried ?? 0),
    launch: launch.number,
    ...(start === undefined ? {} : { start }),
    vcpu,
    memoryBytes: memoryOf(launch),
    spot: false,
    ...(state === "running" || state === "waiting" ? {} : describeEnd(state, task, execution)),
  };
}

type End = Partial<Pick<Attempt, "end" | "exitCode" | "signal" | "reason" | "message">>;

/** How a task ended. Where its end was not told, the execution's is: nothing of it runs any more. */
function describeEnd(state: TaskState, task: Task | undefined, execution: Execution | undefined): End {
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
 * One word for the end. A task that ran into its limit of memory is told with exit code 0, a message and nothing else; so is one
 * that ran into its limit of time.
 */
function nameReason(state: TaskState, words: string): string | undefined {
  if (state === "cancelled") return "Cancelled";
  if (state !== "failed") return undefined;
  if (/\bmemory limit\b/i.test(words)) return "OOMKilled";
  return /\btimeout was reached\b|\bmaximum timeout\b/i.test(words) ? "DeadlineExceeded" : undefined;
}

/** Exit code and signal. The API's 0 also means "none": it counts only where the task has succeeded. */
function describeExit(state: TaskState, result: Task["lastAttemptResult"], reason: string | undefined): End {
  if (state === "succeeded") return { exitCode: 0 };
  const number = result?.termSignal ?? 0;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  if (signal !== undefined) return { signal };
  const exitCode = result?.exitCode ?? 0;
  if (exitCode !== 0) return { exitCode };
  return state === "failed" && reason === undefined ? { reason: "NoExitCode" } : {};
}

/** One line, with the place of the task's log. */
function tellMessage(words: string, logUri: string | null | undefined): Pick<End, "message"> {
  const line = words
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, messageLimit);
  const place = logUri ? `log: ${logUri}` : "";
  const parts = [line, place].filter((part) => part !== "");
  return parts.length === 0 ? {} : { message: parts.join(" ") };
}

/** RFC 3339, as the contract wants it. */
function toTime(time: Task["startTime"]): string | undefined {
  if (!time) return undefined;
  const milliseconds = Number(String(time.seconds ?? 0)) * 1000 + Math.floor((time.nanos ?? 0) / 1e6);
  return new Date(milliseconds).toISOString();
}
