/**
 * How an attempt ended. One function decides it, from what the backend saw and what the worker left; retries, exit codes,
 * reports and right-sizing all read its result.
 */
import { ExitCode, type Outcome, outcomeOf } from "./exit-code.ts";

/** Why an attempt failed. Each cause has its own counter and its own limit. */
export type Cause = "disruption" | "transient" | "memory" | "input" | "verification" | "usage" | "unexpected";

/** The word that people read for a failed attempt. */
export type FailureWord =
  | Exclude<Outcome, "done" | "already done">
  | "out of memory"
  | "killed"
  | "start failed"
  | "no output"
  | "deadline exceeded"
  | "disrupted"
  | "deleted"
  | "cancelled"
  | "lost";

export type Ending =
  /** The attempt has not ended. */
  | { readonly kind: "waiting" }
  | { readonly kind: "running" }
  | { readonly kind: "done"; readonly word: "done" | "already done" }
  | { readonly kind: "failed"; readonly cause: Cause; readonly word: FailureWord };

export type FailedEnding = Extract<Ending, { kind: "failed" }>;

/** What a backend saw of an attempt. A start without any of the other fields means that the attempt still runs. */
export interface Seen {
  readonly start?: string;
  readonly end?: string;
  readonly exitCode?: number;
  readonly signal?: string;
  /** A key of `reasons`, or a reason that this version does not know. */
  readonly reason?: string;
}

/** What a worker left about its own end. */
export interface Left {
  readonly exitCode: number;
  readonly outcome: Outcome;
}

export interface Evidence {
  readonly seen: Seen;
  /** Absent where the worker was killed before it could write anything. */
  readonly left?: Left | undefined;
  /** False where the store has no valid output of the pair; true unless given. */
  readonly published?: boolean;
}

interface Reason {
  readonly cause: Cause;
  readonly word: FailureWord;
  /** Whether the reason counts more than what the worker left: a worker that is stopped blames the signal. */
  readonly overrules?: true;
}

const disrupted: Reason = { cause: "disruption", word: "disrupted", overrules: true };
const lost: Reason = { cause: "disruption", word: "lost", overrules: true };
const notStarted: Reason = { cause: "unexpected", word: "start failed" };
const unexplained: Reason = { cause: "unexpected", word: "failed" };

/** Every reason that a backend gives for the end of an attempt. */
export const reasons: Readonly<Record<string, Reason>> = {
  // All container platforms. The next attempt would exceed the same time limit again.
  OOMKilled: { cause: "memory", word: "out of memory" },
  DeadlineExceeded: { cause: "usage", word: "deadline exceeded", overrules: true },
  // Kubernetes: the capacity was taken away, or the node did not admit the pod.
  DisruptionTarget: disrupted,
  Evicted: disrupted,
  Preempting: disrupted,
  Terminated: disrupted,
  NodeShutdown: disrupted,
  Shutdown: disrupted,
  NodeAffinity: disrupted,
  OutOfcpu: disrupted,
  OutOfmemory: disrupted,
  OutOfpods: disrupted,
  "OutOfephemeral-storage": disrupted,
  Deleted: { cause: "disruption", word: "deleted", overrules: true },
  // Kubernetes: nobody saw the container end.
  NodeLost: lost,
  ContainerStatusUnknown: lost,
  Unknown: lost,
  // Kubernetes: the container never ran.
  StartError: notStarted,
  ContainerCannotRun: notStarted,
  UnexpectedAdmissionError: notStarted,
  TopologyAffinityError: notStarted,
  // Kubernetes: conditions of a Job whose pods are gone.
  Failed: unexplained,
  FailedIndexes: unexplained,
  MaxFailedIndexesExceeded: unexplained,
  BackoffLimitExceeded: unexplained,
  PodFailurePolicy: unexplained,
  // Cloud Run.
  Cancelled: { cause: "disruption", word: "cancelled", overrules: true },
  NoExitCode: unexplained,
  // Workers on this machine.
  StartFailed: notStarted,
  Lost: lost,
};

/** The exit codes of a worker, and 128 + the signal's number, which a container runtime makes of a signal. */
export const exitCodes: Readonly<Record<number, Reason>> = {
  [ExitCode.unexpected]: { cause: "unexpected", word: outcomeOf[ExitCode.unexpected] },
  [ExitCode.usage]: { cause: "usage", word: outcomeOf[ExitCode.usage] },
  [ExitCode.input]: { cause: "input", word: outcomeOf[ExitCode.input] },
  [ExitCode.memory]: { cause: "memory", word: outcomeOf[ExitCode.memory] },
  [ExitCode.verification]: { cause: "verification", word: outcomeOf[ExitCode.verification] },
  // A worker of a controller that was replaced; bounded, so that no fault of ours starts workers without end.
  [ExitCode.superseded]: { cause: "unexpected", word: outcomeOf[ExitCode.superseded] },
  [ExitCode.transient]: { cause: "transient", word: outcomeOf[ExitCode.transient] },
  [ExitCode.interrupted]: { cause: "disruption", word: outcomeOf[ExitCode.interrupted] },
  [ExitCode.terminated]: { cause: "disruption", word: outcomeOf[ExitCode.terminated] },
  // SIGABRT follows a refused allocation; in a container, SIGKILL is the out-of-memory killer unless a reason says otherwise.
  134: { cause: "memory", word: "out of memory" },
  137: { cause: "memory", word: "out of memory" },
};

/** The signals that end a worker. SIGKILL came from outside: the supervisor outlives a child that the kernel killed. */
export const signals: Readonly<Record<string, Reason>> = {
  SIGHUP: { cause: "disruption", word: outcomeOf[ExitCode.terminated] },
  SIGINT: { cause: "disruption", word: outcomeOf[ExitCode.interrupted] },
  SIGTERM: { cause: "disruption", word: outcomeOf[ExitCode.terminated] },
  SIGABRT: { cause: "memory", word: "out of memory" },
  SIGKILL: { cause: "unexpected", word: "killed" },
};

/** Whether the backend saw the attempt end. */
export function isOver({ end, exitCode, signal, reason }: Seen): boolean {
  return end !== undefined || exitCode !== undefined || signal !== undefined || reason !== undefined;
}

/** The ending of a task that its backend gave up without a single attempt. */
export const unexplainedFailure: FailedEnding = { kind: "failed", cause: unexplained.cause, word: unexplained.word };

/** How an attempt stands or ended. */
export function endingOf({ seen, left, published = true }: Evidence): Ending {
  if (!isOver(seen)) return { kind: seen.start === undefined ? "waiting" : "running" };
  const reason = look(reasons, seen.reason);
  if (published && endedWell(seen, left, reason))
    return { kind: "done", word: left?.outcome === "already done" ? "already done" : "done" };
  return { kind: "failed", ...explainFailure(seen, left, reason) };
}

/** A container that ran out of memory can exit with 0: the code counts only where the worker left nothing better. */
function endedWell({ exitCode }: Seen, left: Left | undefined, reason: Reason | undefined): boolean {
  if (left !== undefined) return left.exitCode === ExitCode.done;
  return exitCode === ExitCode.done && reason?.cause !== "memory";
}

/** In this order: a disruption or deadline, what the worker left, what the backend saw. */
function explainFailure(
  { exitCode, signal }: Seen,
  left: Left | undefined,
  reason: Reason | undefined,
): Omit<FailedEnding, "kind"> {
  const { cause, word } =
    (reason?.overrules ? reason : undefined) ??
    (left === undefined || left.exitCode === ExitCode.done ? undefined : explainCode(left.exitCode)) ??
    reason ??
    (signal === undefined ? explainCode(exitCode) : (look(signals, signal) ?? unexplained));
  return { cause, word };
}

function explainCode(exitCode: number | undefined): Reason {
  if (exitCode === ExitCode.done) return { cause: "unexpected", word: "no output" };
  return look(exitCodes, exitCode) ?? unexplained;
}

/** An entry of a table; names come from outside, so those that every object has are no entries. */
function look<Entry>(table: Readonly<Record<string, Entry>>, name: string | number | undefined): Entry | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The word that people read for an attempt. */
export function describeEnding(ending: Ending): string {
  return ending.kind === "waiting" || ending.kind === "running" ? ending.kind : ending.word;
}

/** The exit code of a run whose worst failure has this cause. */
export const codeOfCause: Readonly<Record<Cause, ExitCode>> = {
  disruption: ExitCode.terminated,
  transient: ExitCode.transient,
  memory: ExitCode.memory,
  input: ExitCode.input,
  verification: ExitCode.verification,
  usage: ExitCode.usage,
  unexpected: ExitCode.unexpected,
};

/** The worst first: what is wrong with the data, then with the settings, then the rest. */
export const causesByWeight: readonly Cause[] = [
  "verification",
  "input",
  "memory",
  "usage",
  "unexpected",
  "transient",
  "disruption",
];
