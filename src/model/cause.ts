import { ExitCode } from "./exit-code.ts";
import type { Attempt, Cause, WorkerRecord } from "./run.ts";

/** What backends call an end that the pair has nothing to do with: capacity taken away, a machine gone, a worker lost. */
const disruptions =
  /^(DisruptionTarget|Evicted|Preempt\w*|Terminated|NodeShutdown|NodeLost|NodeAffinity|Shutdown|DeletionByTaintManager|DeletionByPodGC|Cancelled|Lost|Deleted|ContainerStatusUnknown)$/;

const causeOfCode: Readonly<Record<number, Cause>> = {
  [ExitCode.unexpected]: "unexpected",
  [ExitCode.usage]: "usage",
  [ExitCode.input]: "input",
  [ExitCode.memory]: "memory",
  [ExitCode.verification]: "verification",
  [ExitCode.transient]: "transient",
  [ExitCode.interrupted]: "disruption",
  [ExitCode.terminated]: "disruption",
  // 128 + signal, as a container runtime tells it: SIGABRT after a refused allocation, SIGKILL for want of memory.
  134: "memory",
  137: "memory",
};

/** By a program that is the worker itself: there SIGKILL came from outside, as its supervisor outlives a killed child. */
const causeOfSignal: Readonly<Record<string, Cause>> = {
  SIGINT: "disruption",
  SIGTERM: "disruption",
  SIGHUP: "disruption",
  SIGABRT: "memory",
};

/**
 * Why an attempt failed. A disruption excuses whatever code the worker left with; then counts what the worker said of
 * itself, then what the backend saw. `record` is the worker's own of this very attempt.
 */
export function causeOf(attempt: Attempt, record?: WorkerRecord): Cause {
  if (attempt.reason !== undefined && disruptions.test(attempt.reason)) return "disruption";
  // Told to stop, the worker leaves with 143; with the same limit of time the next one would as well.
  if (attempt.reason === "DeadlineExceeded") return "usage";
  if (record !== undefined && record.exitCode !== ExitCode.done) return causeOfCode[record.exitCode] ?? "unexpected";
  if (attempt.reason === "OOMKilled") return "memory";
  if (attempt.signal !== undefined) return causeOfSignal[attempt.signal] ?? "unexpected";
  return causeOfCode[attempt.exitCode ?? ExitCode.unexpected] ?? "unexpected";
}

/** The exit code that stands for a cause. */
export const codeOfCause: Readonly<Record<Cause, ExitCode>> = {
  disruption: ExitCode.terminated,
  transient: ExitCode.transient,
  memory: ExitCode.memory,
  input: ExitCode.input,
  verification: ExitCode.verification,
  usage: ExitCode.usage,
  unexpected: ExitCode.unexpected,
};

/** The worst first: the one that says most about what is wrong with the data, then with the settings, then the rest. */
export const causesByWeight: readonly Cause[] = [
  "verification",
  "input",
  "memory",
  "usage",
  "unexpected",
  "transient",
  "disruption",
];
