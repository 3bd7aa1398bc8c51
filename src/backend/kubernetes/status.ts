import type { Attempt, Launch, TaskState, TaskStatus } from "../../model/run.ts";
import { type PodSeen, toAttempt, toTime } from "./attempt.ts";
import { parseIndexSet } from "./index-sets.ts";
import { indexLabel } from "./names.ts";

/** What the translation reads of a Job; times are texts in the API's JSON and dates in its client. */
export interface JobSeen {
  readonly metadata?: { readonly name?: string; readonly deletionTimestamp?: Date | string };
  readonly status?: {
    readonly completedIndexes?: string;
    readonly failedIndexes?: string;
    readonly conditions?: readonly Condition[];
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: Date | string;
}

/** What a pod is asked for, where its own specification does not say. */
export interface Asked {
  readonly vcpu: number;
}

/**
 * Every task of a launch. The Job's index sets decide, since pods can have gone; the pods tell of the attempts. Without
 * a Job nothing runs and nothing will: what is not done is cancelled (the manifest in the store has the last word).
 */
export function translateStatus(
  launch: Launch,
  job: JobSeen | undefined,
  pods: readonly PodSeen[],
  asked: Asked,
): readonly TaskStatus[] {
  const byIndex = Map.groupBy(pods, indexOf);
  const sets = {
    completed: parseIndexSet(job?.status?.completedIndexes),
    failed: parseIndexSet(job?.status?.failedIndexes),
  };
  const stopped = job?.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
  return launch.tasks.map(({ index, pair }) => {
    const own = (byIndex.get(index) ?? []).toSorted(compareAge);
    const seen = own.map((pod) => toAttempt(pod, launch, asked.vcpu));
    const state = stateOf(index, own, sets, job, stopped !== undefined);
    const attempts = state === "failed" && stopped ? explain(seen, index, launch, asked, job, stopped) : seen;
    return { index, pair, state, attempts };
  });
}

function stateOf(
  index: number,
  pods: readonly PodSeen[],
  sets: { readonly completed: ReadonlySet<number>; readonly failed: ReadonlySet<number> },
  job: JobSeen | undefined,
  stopped: boolean,
): TaskState {
  const phases = pods.map((pod) => pod.status?.phase ?? "Pending");
  if (sets.completed.has(index) || phases.includes("Succeeded")) return "succeeded";
  if (sets.failed.has(index)) return "failed";
  if (phases.includes("Running") || phases.includes("Unknown")) return "running";
  if (job === undefined || job.metadata?.deletionTimestamp !== undefined) return "cancelled";
  return stopped ? "failed" : "waiting";
}

/** A Job that passed its deadline deletes the pods: the reason would be lost with them. */
function explain(
  attempts: readonly Attempt[],
  index: number,
  launch: Launch,
  asked: Asked,
  job: JobSeen | undefined,
  stopped: Condition,
): readonly Attempt[] {
  if (attempts.some(({ end }) => end !== undefined)) return attempts;
  const end = toTime(stopped.lastTransitionTime);
  return [
    ...attempts,
    {
      id: `${job?.metadata?.name ?? "job"}-${index}`,
      launch: launch.number,
      vcpu: asked.vcpu,
      memoryBytes: launch.ceilingBytes,
      spot: launch.spot,
      ...(end === undefined ? {} : { end }),
      reason: stopped.reason ?? "Failed",
      ...(stopped.message === undefined ? {} : { message: stopped.message }),
    },
  ];
}

/** The completion index of a pod; -1 where it has none. */
export function indexOf(pod: PodSeen): number {
  const { labels, annotations } = pod.metadata ?? {};
  const text = labels?.[indexLabel] ?? annotations?.[indexLabel];
  return text === undefined || !/^\d+$/.test(text) ? -1 : Number(text);
}

function compareAge(left: PodSeen, right: PodSeen): number {
  const [one, other] = [left, right].map(
    ({ metadata }) => `${toTime(metadata?.creationTimestamp) ?? ""} ${metadata?.name ?? ""}`,
  );
  return (one ?? "") < (other ?? "") ? -1 : 1;
}
