/** Pods and Jobs as the API server writes them in JSON (batch/v1, v1), with what a test is about. */
import type { PodSeen } from "../../../src/backend/kubernetes/attempt.ts";
import type { JobSeen } from "../../../src/backend/kubernetes/status.ts";

type Status = NonNullable<PodSeen["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];
type Metadata = NonNullable<PodSeen["metadata"]> & { readonly resourceVersion?: string };

export const jobName = "widemerge-2026-11-21-a-0";
const created = "2026-11-21T06:00:00Z";
const started = "2026-11-21T06:00:05Z";
const finished = "2026-11-21T06:10:05Z";

/** A pod of one index; `suffix` is the random part of its name, `minute` when it was made. */
export function makePod(index: number, status: Status, metadata: Metadata = {}, suffix = "x7k2p"): PodSeen {
  return {
    metadata: {
      name: `${jobName}-${index}-${suffix}`,
      creationTimestamp: created,
      labels: {
        "batch.kubernetes.io/job-completion-index": `${index}`,
        "batch.kubernetes.io/job-name": jobName,
        "widemerge/run": "2026-11-21-a",
      },
      annotations: { "batch.kubernetes.io/job-completion-index": `${index}` },
      ...metadata,
    },
    spec: { containers: [{ name: "merge", resources: { requests: { cpu: "8", memory: "50Gi" } } }] },
    status: { startTime: "2026-11-21T06:00:01Z", ...status },
  };
}

export const pending: Status = {
  phase: "Pending",
  conditions: [
    {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: "0/3 nodes are available: 3 Insufficient memory.",
      lastTransitionTime: created,
    },
  ],
};

export const pulling: Status = {
  phase: "Pending",
  conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: created }],
  containerStatuses: [
    {
      name: "merge",
      state: { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "widemerge:1"' } },
    },
  ],
};

export const running: Status = {
  phase: "Running",
  containerStatuses: [{ name: "merge", state: { running: { startedAt: started } } }],
};

type Terminated = NonNullable<NonNullable<Container["state"]>["terminated"]>;

/** A container that ended after ten minutes. */
export function ended(exitCode: number, reason: string, message?: string): Status {
  const words = message === undefined ? {} : { message };
  const terminated: Terminated = { exitCode, reason, startedAt: started, finishedAt: finished, ...words };
  return {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    containerStatuses: [{ name: "merge", state: { terminated } }],
  };
}

/** The condition that an eviction, a preemption or a lost node leaves. */
export function disrupted(status: Status, reason: string, message: string): Status {
  const condition = { type: "DisruptionTarget", status: "True", reason, message, lastTransitionTime: finished };
  return { ...status, conditions: [condition] };
}

type JobStatus = NonNullable<JobSeen["status"]>;

export function makeJob(
  status: JobStatus = {},
  metadata: NonNullable<JobSeen["metadata"]> & { readonly resourceVersion?: string } = {},
): JobSeen {
  return { metadata: { name: jobName, ...metadata }, status };
}

/** The condition of a Job that ended badly. */
export function stopped(reason: string, message: string): JobStatus {
  return { conditions: [{ type: "Failed", status: "True", reason, message, lastTransitionTime: finished }] };
}
