import { type Cause, endingOf } from "../../model/ending.ts";
import { ExitCode } from "../../model/exit-code.ts";
import type { Attempt, Launch, TaskState } from "../../model/run.ts";

/** Milliseconds. */
const longestPause = 30_000;

/** What becomes of a task whose last attempt is over: each cause of a failure has a count and a limit of its own. */
export function nextState(attempts: readonly Attempt[], launch: Launch, isCancelled: () => boolean): TaskState {
  if (attempts.at(-1)?.exitCode === ExitCode.done) return "succeeded";
  if (isCancelled()) return "cancelled";
  const endings = attempts.map((seen) => endingOf({ seen }));
  const causes = endings.flatMap((ending) => (ending.kind === "failed" ? [ending.cause] : []));
  const cause = causes.at(-1);
  if (cause === undefined) return "failed";
  const count = causes.filter((other) => other === cause).length;
  return count <= retriesOf(cause, launch) ? "waiting" : "failed";
}

/** Milliseconds before the next attempt; each pause is twice as long as the one before, up to 30 seconds. */
export function pauseBefore(attempts: number, firstMilliseconds: number): number {
  return Math.min(longestPause, firstMilliseconds * 2 ** (attempts - 1));
}

function retriesOf(cause: Cause, { retries, retriesUnexpected = retries }: Launch): number {
  if (cause === "disruption") return Number.POSITIVE_INFINITY;
  if (cause === "transient") return retries;
  return cause === "unexpected" ? retriesUnexpected : 0;
}
