import type { BackendName } from "../model/backend-name.ts";
import type { Handle, Launch, TaskStatus } from "../model/run.ts";

/**
 * Where pairs are carried out. Three verbs and nothing more: no loops, no retries, no logging inside. Names come from
 * run id and launch number, so that a second submit of the same launch is harmless.
 */
export interface Backend {
  readonly name: BackendName;
  /** Environment variable that tells a worker which task of its launch it is: an index from 0. */
  readonly indexVariable: string;
  /**
   * Starts a launch, or finds it when it was started before (by a controller that is gone).
   * @throws Failure (usage) when it can never run there, with what would; Failure (input) for a missing permission, by
   * name; Failure (transient) when the backend cannot be reached.
   */
  submit(launch: Launch): Promise<Handle>;
  /**
   * The present state of every task of a launch, by index; with `wait`, once something may have changed or that time has
   * passed. A watch behind it may be silent or broken: the answer never rests on it alone.
   */
  status(handle: Handle, wait?: Wait): Promise<readonly TaskStatus[]>;
  /** Stops what still runs and removes what the launch left in the backend; harmless a second time. */
  cancel(handle: Handle): Promise<void>;
}

export interface Wait {
  readonly milliseconds: number;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
}
