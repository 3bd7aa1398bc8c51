import type { StageName } from "./measurement.ts";

/** What a task reports while it runs. */
export type ProgressEvent =
  /** A stage begins. */
  | { readonly type: "stage"; readonly stage: StageName }
  /** How far the stage is. */
  | {
      readonly type: "progress";
      readonly stage: StageName;
      readonly tablesDone: number;
      readonly tables: number;
      readonly bytesDone: number;
      readonly bytesTotal: number;
    }
  /** The working set of the task and its child processes, measured ten times a second, and the ceiling that it must not exceed. */
  | { readonly type: "memory"; readonly workingSetBytes: number; readonly ceilingBytes: number }
  /** Something that the task survives, in one sentence. */
  | { readonly type: "warning"; readonly message: string };

/** How to follow a task and how to stop it. */
export interface TaskControl {
  /** Receives every event. If it throws, the task is stopped and rejects with the error that was thrown. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Aborts the task: it removes its unfinished files, then rejects with a `Failure` of exit code 130. */
  readonly signal?: AbortSignal | undefined;
}
