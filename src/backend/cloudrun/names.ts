import type { Launch } from "../../model/run.ts";

/** Keys of labels on Google Cloud have no slash. Bills can be broken down by them. */
export const labels = { run: "widemerge-run", launch: "widemerge-launch" } as const;

export const annotations = {
  /** The launch's pairs in index order, separated by commas. */
  pairs: "widemerge/pairs",
  /** Of the whole job: tells whether an existing job is the one that was asked for. */
  digest: "widemerge/digest",
} as const;

/** The job of a launch. The number comes last and has no -, so two launches never share a name. */
export function nameJob(launch: Pick<Launch, "run" | "number">): string {
  return `widemerge-${launch.run}-${launch.number}`;
}

/** projects/…/locations/…: the parent of jobs. */
export function nameParent(project: string, region: string): string {
  return `projects/${project}/locations/${region}`;
}

/** The job that an execution belongs to; both by their full names. */
export function jobOfExecution(execution: string): string {
  return execution.replace(/\/executions\/[^/]+$/, "");
}

/** The last part of a full name. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** The project in a full name. */
export function projectOf(name: string): string {
  const project = /^projects\/([^/]+)\//.exec(name)?.[1];
  if (project === undefined) throw new Error(`not a full name of Cloud Run: ${name}`);
  return project;
}
