import { decodeOutcome, toLine } from "../../model/outcome.ts";
import type { Attempt, Launch } from "../../model/run.ts";
import { containerName, spotLabel } from "./names.ts";
import { parseCpuQuantity, parseMemoryQuantity } from "./quantity.ts";

type Time = Date | string;

/** The fields of a pod that are read here. Times are texts in the JSON of the API and dates in its client. */
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

/** A pod as an attempt. The requests in its own specification count: a cluster can change what was submitted. */
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

/** How a pod ended. An evicted pod, or a pod of a lost node, may have no container status. */
function describeEnd(pod: PodSeen, terminated: Terminated | undefined): End {
  const disruption = findCondition(pod, "DisruptionTarget", "True");
  const end = toTime(terminated?.finishedAt ?? disruption?.lastTransitionTime ?? pod.metadata?.deletionTimestamp);
  const reason = nameReason(pod, terminated, disruption !== undefined);
  const outcome = decodeOutcome(terminated?.message);
  const message = outcome?.message ?? lastLine(terminated?.message ?? pod.status?.message);
  return {
    // Without an end, the attempt would count as running. Every pod has at least the time of its creation.
    end: end ?? toTime(pod.status?.startTime ?? pod.metadata?.creationTimestamp) ?? "",
    ...(terminated === undefined ? {} : { exitCode: terminated.exitCode }),
    ...(reason === undefined ? {} : { reason }),
    ...optionalMessage(disruption === undefined ? message : joinWords(disruption)),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

/**
 * The reason for the end. "Error" and "Completed" of a container only repeat the exit code. A pod that was deleted by hand
 * has no condition, only the time of its deletion.
 */
function nameReason(pod: PodSeen, terminated: Terminated | undefined, disrupted: boolean): string | undefined {
  if (disrupted) return "DisruptionTarget";
  if (terminated?.reason === "OOMKilled") return terminated.reason;
  if (pod.status?.reason !== undefined && pod.status.reason !== "") return pod.status.reason;
  if (pod.status?.phase === "Failed" && pod.metadata?.deletionTimestamp !== undefined) return "Deleted";
  return terminated?.reason === "Error" || terminated?.reason === "Completed" ? undefined : terminated?.reason;
}

/** What a pod waits for before it starts: a node, an image. */
function describeWait(pod: PodSeen): End {
  if (pod.status?.phase === "Running") return {};
  const waiting = pick(pod.status?.containerStatuses)?.state?.waiting;
  return optionalMessage(joinWords(waiting ?? findCondition(pod, "PodScheduled", "False") ?? {}));
}

function findCondition(pod: PodSeen, type: string, status: string): ConditionSeen | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type && condition.status === status);
}

/** The worker's container: a cluster can add others to the pod. */
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

/** A time as RFC 3339. */
export function toTime(time: Time | null | undefined): string | undefined {
  return time === undefined || time === null ? undefined : new Date(time).toISOString();
}
