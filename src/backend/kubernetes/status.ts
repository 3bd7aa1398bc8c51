import type { Attempt, Launch, TaskState, TaskStatus } from "../../model/run.ts";
import { type PodSeen, toAttempt, toTime } from "./attempt.ts";
import { parseIndexSet } from "./index-sets.ts";
import { indexLabel } from "./names.ts";

/** The fields of a Job that are read here. Times are texts in the JSON of the API and dates in its client. */
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

/** What was requested for each pod, for pods whose own specification does not say. */
export interface Requested {
  readonly vcpu: number;
}

/**
 * The status of every task of a launch. The Job's index sets decide the state, because pods can be gone; the attempts come
 * from the pods. Without a Job nothing will run, so its open tasks count as cancelled. Whether a pair is done is decided by
 * the manifest in the store.
 */
export function translateStatus(
  launch: Launch,
  job: JobSeen | undefined,
  pods: readonly PodSeen[],
  requested: Requested,
): readonly TaskStatus[] {
  const byIndex = Map.groupBy(pods, indexOf);
  const sets = {
    completed: parseIndexSet(job?.status?.completedIndexes),
    failed: parseIndexSet(job?.status?.failedIndexes),
  };
  const stopped = job?.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
  return launch.tasks.map(({ index, pair }) => {
    const own = (byIndex.get(index) ?? []).toSorted(compareAge);
    const seen = own.map((pod) => toAttempt(pod, launch, requested.vcpu));
    const state = stateOf(index, own, sets, job, stopped !== undefined);
    const silent = seen.every(({ end }) => end === undefined);
    if (state !== "failed" || stopped === undefined || !silent) return { index, pair, state, attempts: seen };
    const id = `${job?.metadata?.name ?? "job"}-${index}`;
    const request = { launch: launch.number, memoryBytes: launch.ceilingBytes, spot: launch.spot, ...requested };
    return { index, pair, state, attempts: [...seen, { id, ...request, ...describeStop(stopped) }] };
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

/** Why a Job was stopped. A Job that passes its deadline deletes its pods, and the reason with them. */
function describeStop({ lastTransitionTime, reason = "Failed", message }: Condition): Partial<Attempt> {
  const end = toTime(lastTransitionTime);
  return { ...(end === undefined ? {} : { end }), reason, ...(message === undefined ? {} : { message }) };
}

/** The completion index of a pod; -1 if it has none. */
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
