import { decodeOutcome, toLine } from "../../model/outcome.ts";
import type { Attempt, Launch } from "../../model/run.ts";
import { containerName, spotLabel } from "./names.ts";
import { parseCpuQuantity, parseMemoryQuantity } from "./quantity.ts";

type Time = Date | string;

/** What the translation reads of a pod; times are texts in the API's JSON and dates in its client. */
export interface PodSeen {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: Time;
    readonly deletionTimestamp?: Time;
  };
  readonly spec?: {
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly containers: readonly ContainerSeen[];
  } | null;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly startTime?: Time;
    readonly conditions?: readonly ConditionSeen[];
    readonly containerStatuses?: readonly ContainerStatusSeen[];
  };
}

interface ContainerSeen {
  readonly name: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

interface ConditionSeen {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: Time;
}

interface ContainerStatusSeen {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: Time };
    readonly terminated?: Terminated;
  };
}

interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
  readonly startedAt?: Time;
  readonly finishedAt?: Time;
}

/** One pod as an attempt. What its own specification asks for counts: a cluster may have changed what was submitted. */
export function toAttempt(pod: PodSeen, launch: Launch, vcpu: number): Attempt {
  const requests = pick(pod.spec?.containers)?.resources?.requests;
  const state = pick(pod.status?.containerStatuses)?.state;
  const start = toTime(state?.running?.startedAt ?? state?.terminated?.startedAt);
  return {
    id: pod.metadata?.name ?? "",
    launch: launch.number,
    ...(start === undefined ? {} : { start }),
    vcpu: parseCpuQuantity(requests?.cpu) ?? vcpu,
    memoryBytes: parseMemoryQuantity(requests?.memory) ?? launch.ceilingBytes,
    spot: pod.spec?.nodeSelector === undefined ? launch.spot : pod.spec.nodeSelector[spotLabel] === "true",
    ...(hasEnded(pod) ? describeEnd(pod, state?.terminated) : describeWait(pod)),
  };
}

function hasEnded({ status }: PodSeen): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

type End = Partial<Pick<Attempt, "end" | "exitCode" | "reason" | "message" | "outcome">>;

/** How a pod ended; a pod that was evicted or whose node went may have no word about its container. */
function describeEnd(pod: PodSeen, terminated: Terminated | undefined): End {
  const disruption = findCondition(pod, "DisruptionTarget", "True");
  const end = toTime(terminated?.finishedAt ?? disruption?.lastTransitionTime ?? pod.metadata?.deletionTimestamp);
  const reason = nameReason(pod, terminated, disruption !== undefined);
  const outcome = decodeOutcome(terminated?.message);
  const message = outcome?.message ?? lastLine(terminated?.message ?? pod.status?.message);
  return {
    // The end of an attempt must be told, and a pod with no time of its end has at least been there.
    end: end ?? toTime(pod.status?.startTime ?? pod.metadata?.creationTimestamp) ?? "",
    ...(terminated === undefined ? {} : { exitCode: terminated.exitCode }),
    ...(reason === undefined ? {} : { reason }),
    ...optionalMessage(disruption === undefined ? message : joinWords(disruption)),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

/**
 * One word for the end. The container's own "Error" and "Completed" say nothing that the exit code does not say better; a
 * pod that somebody deleted carries no condition, only the time of its deletion.
 */
function nameReason(pod: PodSeen, terminated: Terminated | undefined, disrupted: boolean): string | undefined {
  if (disrupted) return "DisruptionTarget";
  if (terminated?.reason === "OOMKilled") return terminated.reason;
  if (pod.status?.reason !== undefined && pod.status.reason !== "") return pod.status.reason;
  if (pod.status?.phase === "Failed" && pod.metadata?.deletionTimestamp !== undefined) return "Deleted";
  return terminated?.reason === "Error" || terminated?.reason === "Completed" ? undefined : terminated?.reason;
}

/** What a pod that has not started is waiting for: a node, an image. */
function describeWait(pod: PodSeen): End {
  if (pod.status?.phase === "Running") return {};
  const waiting = pick(pod.status?.containerStatuses)?.state?.waiting;
  return optionalMessage(joinWords(waiting ?? findCondition(pod, "PodScheduled", "False") ?? {}));
}

function findCondition(pod: PodSeen, type: string, status: string): ConditionSeen | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type && condition.status === status);
}

/** The worker's container: a cluster may have put others beside it. */
function pick<Named extends { readonly name: string }>(list: readonly Named[] | undefined): Named | undefined {
  return list?.find(({ name }) => name === containerName) ?? list?.[0];
}

function joinWords({ reason, message }: { readonly reason?: string; readonly message?: string }): string {
  return [reason, message].filter((word) => word !== undefined && word !== "").join(": ");
}

/** The last line that is not empty. A container that could not be started has a message of the runtime. */
function lastLine(text = ""): string {
  return text.split(/[\r\n]+/).findLast((line) => line.trim() !== "") ?? "";
}

function optionalMessage(text: string): Pick<End, "message"> {
  const message = toLine(text);
  return message === "" ? {} : { message };
}

/** RFC 3339, as the contract wants it. */
export function toTime(time: Time | null | undefined): string | undefined {
  return time === undefined || time === null ? undefined : new Date(time).toISOString();
}
