import type { BackendName } from "../model/backend-name.ts";
import type { Handle, Launch, LaunchStatus } from "../model/run.ts";

/** The settings of a worker as environment variables. */
export interface WorkerEnvironment extends Readonly<Record<string, string>> {
  readonly WIDEMERGE_INPUT: string;
  readonly WIDEMERGE_OUTPUT: string;
}

/**
 * Where pairs are merged. A backend starts each task once, says how it stands and stops it. It does not retry, poll or
 * log: the controller decides what to start again, as a new launch. A backend may replace capacity that was taken away.
 */
export interface Backend {
  readonly name: BackendName;
  /** Checks a launch without a trace of it. @throws Failure (usage) if it can never run there, with advice */
  check(launch: Launch): Promise<void>;
  /**
   * Starts a launch, or finds it if it was started before, also by another controller. `generation` is that of the
   * controller which asks: where the controller itself starts the workers, they carry it; elsewhere they carry the launch's.
   * @throws Failure (usage) if the launch can never run there, with advice; Failure (input) for a missing permission, by
   * name; Failure (transient) if the backend cannot be reached.
   */
  submit(launch: Launch, generation?: number): Promise<Handle>;
  /** The present state of every task of these launches. Never relies on a watch alone, which may be silent or broken. */
  status(handles: readonly Handle[]): Promise<readonly LaunchStatus[]>;
  /**
   * Resolves when the next `status` of these launches may tell something new: after the first change since the last one
   * if the backend sees changes, otherwise after the time that it chooses; at once if the signal is aborted. Never rejects.
   */
  wait(handles: readonly Handle[], signal: AbortSignal): Promise<void>;
  /** Stops what still runs and removes what the launch left in the backend; harmless a second time. */
  cancel(handle: Handle): Promise<void>;
}
