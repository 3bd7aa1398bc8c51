import type { MergeSettings, VerifyLevel } from "./settings.ts";

/** A task of the guarded child; plain data, sent over the process channel. */
export type Task =
  | { readonly command: "merge"; readonly pair: string; readonly settings: MergeSettings; readonly limits: TaskLimits }
  | { readonly command: "plan"; readonly pair: string; readonly settings: MergeSettings; readonly limits: TaskLimits }
  | {
      readonly command: "verify";
      readonly target: string;
      readonly level: VerifyLevel;
      /** Whether the settings name an input folder; otherwise the sources are where the manifest says. */
      readonly inputGiven: boolean;
      readonly settings: MergeSettings;
      readonly limits: TaskLimits;
    };

/** The limits of a task. */
export interface TaskLimits {
  /** Whole CPUs that it may keep busy, at least 1. */
  readonly cpus: number;
  readonly ceilingBytes: number;
  /** Working set of all processes under the ceiling just before the child starts, in bytes. */
  readonly baselineBytes: number;
}
