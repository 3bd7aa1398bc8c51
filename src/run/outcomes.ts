import { type Cause, causesByWeight, codeOfCause, endingOf, type Left, unexplainedFailure } from "../model/ending.ts";
import { ExitCode } from "../model/exit-code.ts";
import type {
  Attempt,
  AttemptOutcome,
  Launch,
  LaunchStatus,
  PairOutcome,
  PairState,
  RunRecord,
  RunView,
  TaskStatus,
  WorkerRecord,
} from "../model/run.ts";
import type { Completion } from "./completion.ts";
import { countCauses, decide, describeFailure, type FailedAttempt, type FailedOutcome, type Policy } from "./policy.ts";

/** Everything that a view of a run is made of. */
export interface RunFacts {
  readonly record: RunRecord;
  /** By number, with the latest statuses. */
  readonly launches: readonly LaunchStatus[];
  /** When a task was first seen to be over: milliseconds on the monotonic clock, by launch number and pair. */
  readonly taskEnds: ReadonlyMap<string, number>;
  /** By attempt id. */
  readonly records: ReadonlyMap<string, WorkerRecord>;
  /** By pair. */
  readonly completions: ReadonlyMap<string, Completion>;
  readonly policy: Policy;
}

/** One pair over all launches of its run. */
export interface PairFacts {
  readonly pair: string;
  readonly done: boolean;
  /** The last launch that has the pair, and the pair's status in it. */
  readonly last: { readonly launch: Launch; readonly status: TaskStatus } | undefined;
  readonly attempts: readonly AttemptOutcome[];
  readonly failed: readonly (FailedAttempt & { readonly attempt: FailedOutcome })[];
}

/** A run at this moment. Pure. */
export function composeView(facts: RunFacts, at: string): RunView {
  const known = collectPairs(facts);
  const pairs = known.map((pair) => toOutcome(pair, facts));
  return { record: facts.record, at, pairs };
}

/** Every pair of the run with its attempts over all launches, in the record's order. */
export function collectPairs(facts: RunFacts): readonly PairFacts[] {
  const tasks = new Map<string, { readonly launch: Launch; readonly status: TaskStatus }[]>();
  for (const { launch, statuses } of facts.launches)
    for (const status of statuses) {
      const list = tasks.get(status.pair) ?? [];
      list.push({ launch, status });
      tasks.set(status.pair, list);
    }
  return facts.record.pairs.map((pair) => {
    const found = tasks.get(pair) ?? [];
    const last = found.at(-1);
    return {
      pair,
      done: isDone(pair, last?.status, facts),
      last,
      attempts: found.flatMap(({ status }) => listOutcomes(status, facts)),
      failed: found.flatMap(({ launch, status }) => listFailures(launch, status, facts)),
    };
  });
}

/** A pair is done by its manifest. Where only a worker could compare the bytes, its record must say so as well. */
function isDone(pair: string, last: TaskStatus | undefined, facts: RunFacts): boolean {
  const verdict = facts.completions.get(pair)?.verdict;
  if (verdict === "done") return true;
  const attempt = last?.attempts.at(-1);
  return verdict === "unsure" && attempt !== undefined && facts.records.get(attempt.id)?.exitCode === ExitCode.done;
}

/** The attempts of a task in one launch, with how each of them ended. */
function listOutcomes(status: TaskStatus, facts: RunFacts): AttemptOutcome[] {
  const published = isDone(status.pair, status, facts);
  return status.attempts.map((seen) => ({
    ...seen,
    ending: endingOf({ seen, left: readLeft(seen, facts), published }),
  }));
}

/** What the worker of an attempt left: its record in the store, or else the outcome that its backend read. */
function readLeft({ id, outcome }: Attempt, { records }: RunFacts): Left | undefined {
  const record = records.get(id);
  return record === undefined ? outcome : { exitCode: record.exitCode, outcome: record.result.outcome };
}

/** The failed attempts of a task in one launch. A task that failed without any attempt counts as one. */
function listFailures(launch: Launch, status: TaskStatus, facts: RunFacts): PairFacts["failed"] {
  const failed = listOutcomes(status, facts).filter(hasFailed);
  const unexplained = failed.length === 0 && isOpenFailure(status, facts);
  return (unexplained ? [missingAttempt(launch, status)] : failed).map((attempt) => ({
    attempt,
    cause: attempt.ending.cause,
    ceilingBytes: launch.ceilingBytes,
  }));
}

function hasFailed(attempt: AttemptOutcome): attempt is FailedOutcome {
  return attempt.ending.kind === "failed";
}

/** Whether the backend has given the task up although its pair is not done. */
function isOpenFailure(status: TaskStatus, facts: RunFacts): boolean {
  const { state } = status;
  return (state === "succeeded" || state === "failed") && !isDone(status.pair, status, facts);
}

function missingAttempt(launch: Launch, { index, state }: TaskStatus): FailedOutcome {
  return {
    id: `launch-${launch.number}-${index}`,
    launch: launch.number,
    vcpu: 0,
    memoryBytes: launch.ceilingBytes,
    spot: launch.spot,
    message: `the backend reports the task as ${state} and nothing else`,
    ending: unexplainedFailure,
  };
}

/** Whether the backend will do no more for a task. */
export function isTaskOver(state: TaskStatus["state"]): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The key of a task in `RunFacts.taskEnds`. */
export function taskKey({ number }: Launch, pair: string): string {
  return `${number}/${pair}`;
}

/** The failures since the run was last begun or begun again. */
export function countedFailures(pair: PairFacts, record: RunRecord): readonly FailedAttempt[] {
  return pair.failed.filter(({ attempt }) => attempt.launch >= (record.countFrom ?? 0));
}

function toOutcome(pair: PairFacts, facts: RunFacts): PairOutcome {
  const completion = facts.completions.get(pair.pair);
  const state = stateOf(pair, facts);
  const why = whyOf(pair, state, facts);
  const progress = state === "running" ? pair.last?.status.progress : undefined;
  return {
    pair: pair.pair,
    state,
    attempts: pair.attempts,
    records: pair.attempts.map(({ id }) => facts.records.get(id)).filter((record) => record !== undefined),
    failures: countCauses(pair.failed.map(({ cause }): Cause => cause)),
    ...(pair.done && completion?.output !== undefined ? { output: completion.output } : {}),
    ...(progress === undefined ? {} : { progress }),
    ...(why === undefined ? {} : { why }),
  };
}

function stateOf(pair: PairFacts, { record, policy }: RunFacts): PairState {
  if (pair.done) return record.doneBefore.includes(pair.pair) ? "done before" : "done";
  const state = pair.last?.status.state;
  // "succeeded" without an output is not looked at yet, or is a failure.
  if (state === "running") return state;
  if (record.cancelled) return "cancelled";
  if (state === "waiting") return state;
  return decide(countedFailures(pair, record), policy).action === "start" ? "waiting" : "failed";
}

function whyOf(pair: PairFacts, state: PairState, { completions, records }: RunFacts): string | undefined {
  if (state === "done before") return completions.get(pair.pair)?.why;
  const last = pair.failed.at(-1)?.attempt;
  if (last === undefined || state === "done") return undefined;
  return describeFailure(last, records.get(last.id));
}

/** The exit code of a run of which nothing runs any more: 0 only when every pair is done. Pure. */
export function exitCodeOf(facts: RunFacts): ExitCode {
  const open = collectPairs(facts).filter((pair) => !pair.done);
  if (open.length === 0) return ExitCode.done;
  const causes = new Set(open.map((pair) => finalCause(pair, facts)));
  const worst = causesByWeight.find((cause) => causes.has(cause));
  return worst === undefined ? ExitCode.unexpected : codeOfCause[worst];
}

/** A pair that may still be started was held back by a limit of the settings. */
function finalCause(pair: PairFacts, { record, policy }: RunFacts): Cause {
  const decision = decide(countedFailures(pair, record), policy);
  return decision.action === "give up" ? decision.cause : "usage";
}
