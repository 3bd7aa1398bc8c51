import type { Launch } from "../../model/run.ts";

/** The one container of a pod that does the work. */
export const containerName = "merge";

export const labels = {
  run: "widemerge/run",
  launch: "widemerge/launch",
  pair: "widemerge/pair",
} as const;

export const annotations = {
  /** The launch's pairs in index order, separated by commas. */
  pairs: "widemerge/pairs",
  /** Of the whole specification: tells whether an existing Job is the one that was asked for. */
  digest: "widemerge/digest",
} as const;

/** Kubernetes' own labels on the pods of a Job. */
export const jobNameLabel = "batch.kubernetes.io/job-name";
export const indexLabel = "batch.kubernetes.io/job-completion-index";

export const spotLabel = "cloud.google.com/gke-spot";

/** The Job of a launch. The number comes last and has no -, so two launches never share a name. */
export function nameJob(launch: Pick<Launch, "run" | "number">): string {
  return `widemerge-${launch.run}-${launch.number}`;
}

/** Whether a text may be the value of a label. */
export function isLabelValue(text: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(text);
}
