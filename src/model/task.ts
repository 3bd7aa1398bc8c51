import type { MergeSettings, VerifyLevel } from "./settings.ts";

/** What the guarded child is told to do; plain data, sent over the process channel. */
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

/** The limits in force for the child, as the supervisor resolved them. */
export interface TaskLimits {
  readonly ceilingBytes: number;
  readonly warnBytes: number;
  /** Working set of all processes of the job when the child started, in bytes. */
  readonly baselineBytes: number;
  readonly threads: number;
}
