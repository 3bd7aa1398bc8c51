import type { Cause, FailedEnding } from "../model/ending.ts";
import { describeProblem } from "../model/failure.ts";
import { largest } from "../model/numbers.ts";
import type { AttemptOutcome, RunRecord, WorkerRecord } from "../model/run.ts";
import { formatMemory } from "../model/units.ts";

/** The only policy of retries: how often a pair may fail for each cause, and how long it pauses before the next start. */
export interface Policy {
  /** Failures before a pair is given up; for memory, there are as many as there are ceilings. */
  readonly limits: Readonly<Record<Exclude<Cause, "memory">, number>>;
  /** Bytes, rising: the stated ceiling, then those for pairs that ran out of memory. */
  readonly ceilings: readonly number[];
  /** Milliseconds before the first retry; each further one takes twice as long, up to 30 seconds. */
  readonly firstPause: number;
}

/** An attempt that failed. */
export type FailedOutcome = AttemptOutcome & { readonly ending: FailedEnding };

/** The cause of one failure, and the ceiling that it had, in bytes. */
export interface FailedAttempt {
  readonly cause: Cause;
  readonly ceilingBytes: number;
}

export type Decision =
  | { readonly action: "start"; readonly ceilingBytes: number }
  | { readonly action: "give up"; readonly cause: Cause };

const longestPause = 30_000;

export function policyOf(settings: NonNullable<RunRecord["policy"]>, ceilingBytes: number, firstPause = 1000): Policy {
  return {
    limits: {
      // It is not the pair's fault that capacity was taken away.
      disruption: Number.POSITIVE_INFINITY,
      transient: settings.retries,
      unexpected: settings.retriesUnexpected,
      input: 0,
      verification: 0,
      usage: 0,
    },
    ceilings: [...new Set([ceilingBytes, ...settings.memoryCeilings.filter((bytes) => bytes > ceilingBytes)])].sort(
      (left, right) => left - right,
    ),
    firstPause,
  };
}

/** What to do with a pair that is not done and has no running task. Each cause has its own counter. Pure. */
export function decide(failures: readonly FailedAttempt[], { limits, ceilings }: Policy): Decision {
  const counts = countCauses(failures.map(({ cause }) => cause));
  const spent = failures.find(({ cause }) => cause !== "memory" && counts[cause] > limits[cause]);
  if (spent !== undefined) return { action: "give up", cause: spent.cause };
  const tooSmall = largest(failures.filter(({ cause }) => cause === "memory").map((it) => it.ceilingBytes));
  const ceilingBytes = ceilings.find((bytes) => bytes > tooSmall);
  return ceilingBytes === undefined ? { action: "give up", cause: "memory" } : { action: "start", ceilingBytes };
}

/** Milliseconds to wait after the last of these failures; none for a retry with more memory. Pure. */
export function pauseAfter(failures: readonly FailedAttempt[], { firstPause }: Policy): number {
  if (failures.at(-1)?.cause === "memory") return 0;
  const count = failures.filter(({ cause }) => cause !== "memory").length;
  return count === 0 ? 0 : Math.min(longestPause, firstPause * 2 ** (count - 1));
}

export function countCauses(causes: readonly Cause[]): Record<Cause, number> {
  const counts: Record<Cause, number> = {
    disruption: 0,
    transient: 0,
    memory: 0,
    input: 0,
    verification: 0,
    usage: 0,
    unexpected: 0,
  };
  for (const cause of causes) counts[cause] += 1;
  return counts;
}

/** Why an attempt failed, in one line for people. */
export function describeFailure(attempt: FailedOutcome, record: WorkerRecord | undefined): string {
  const { ending, message, outcome } = attempt;
  const [first, ...others] = record?.result.problems ?? outcome?.problems ?? [];
  if (first !== undefined) {
    const count = others.length + (record === undefined ? (outcome?.problemsOmitted ?? 0) : 0);
    const more = count > 0 ? ` (and ${count} more)` : "";
    return `${ending.cause}: ${describeProblem(first)}${more}`;
  }
  if (ending.word === "no output")
    return `${ending.cause}: the worker ended with exit 0, but there is no output with a manifest of these inputs`;
  const said = message === undefined ? "" : `, ${message}`;
  const memory = ending.cause === "memory" ? ` under a ceiling of ${formatMemory(attempt.memoryBytes)}` : "";
  return `${ending.cause}: ${describeSeen(attempt)}${memory}${said}`;
}

/** What the backend saw: "OOMKilled, exit 137". */
function describeSeen({ exitCode, signal, reason, ending }: FailedOutcome): string {
  const parts = [reason, signal, exitCode === undefined ? undefined : `exit ${exitCode}`];
  return parts.filter((part) => part !== undefined).join(", ") || ending.word;
}
