import type { Backend } from "../backend/backend.ts";
import type { ExitCode } from "../model/exit-code.ts";
import type { RunView } from "../model/run.ts";
import type { RunRequest } from "./choose.ts";
import type { Completion } from "./completion.ts";
import type { RunStore } from "./documents.ts";
import type { RetryOptions } from "./transient-retry.ts";

/** What a run may use. */
export interface Capacity {
  readonly ceilingBytes: number;
  /** Pairs at work at the same time, given how many there are and the ceiling of each in bytes. */
  readonly parallelism: (pairs: number, ceilingBytes: number) => number;
  readonly spot: boolean;
}

/** Money; absent functions count nothing. */
export interface CostGuard {
  /** $ so far. */
  spent(view: RunView): number;
  /** $ for one start of these pairs, each under this ceiling in bytes. */
  estimate(pairs: readonly PlannedPair[], ceilingBytes: number): number;
}

/** A pair before it is started. */
export type PlannedPair = Pick<Completion, "pair" | "inputBytes">;

export interface RunOptions extends RunRequest {
  readonly store: RunStore;
  readonly backend: Backend["name"];
  readonly machine: Backend;
  readonly capacity: Capacity;
  readonly widemerge: string;
  /** Aborted with a Failure as its reason (interrupted or terminated): what was started is stopped. */
  readonly signal: AbortSignal;
  /** Aborted with a Failure as its reason: this controller leaves at once, what was started goes on without it. */
  readonly detach?: AbortSignal;
  readonly cost?: CostGuard;
  /** Reports of a view, by their names in the run's folder. */
  readonly documents?: (view: RunView) => Promise<ReadonlyMap<string, string>>;
  readonly onView?: (view: RunView) => void;
  readonly onNotice?: (text: string) => void;
  readonly patience?: Partial<Pick<RetryOptions, "milliseconds" | "firstPause">>;
  /** Milliseconds between two signs of life. */
  readonly beatMilliseconds?: number;
}

export interface RunEnd {
  readonly view: RunView;
  /** 0 only when every pair has a verified output and its manifest. */
  readonly exitCode: ExitCode;
  /** Whether reports of this view are in the run's folder. */
  readonly reported: boolean;
}
