import { type Cause, causesByWeight, codeOfCause, endingOf, type Left, unexplainedFailure } from "../model/ending.ts";
import { ExitCode } from "../model/exit-code.ts";
import type {
  AttemptOutcome,
  Launch,
  PairOutcome,
  PairState,
  RunRecord,
  RunView,
  TaskStatus,
  WorkerRecord,
} from "../model/run.ts";
import type { Completion } from "./completion.ts";
import { countCauses, decide, describeFailure, type FailedAttempt, type FailedOutcome, type Policy } from "./policy.ts";

/** A launch and the last that was heard of its tasks; by index. */
export interface LaunchStatus {
  readonly launch: Launch;
  readonly statuses: readonly TaskStatus[];
}

/** Everything that a view of a run is made of. */
export interface RunFacts {
  readonly record: RunRecord;
  readonly launches: readonly LaunchStatus[];
  /** By attempt id. */
  readonly records: ReadonlyMap<string, WorkerRecord>;
  /** By pair. */
  readonly completions: ReadonlyMap<string, Completion>;
  readonly policy: Policy;
}

/** What is known of one pair; what the next launch is decided on. */
export interface PairFacts {
  readonly pair: string;
  readonly done: boolean;
  /** The status in the last launch that has the pair. */
  readonly status: TaskStatus | undefined;
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
    const last = found.at(-1)?.status;
    return {
      pair,
      done: isDone(pair, last, facts),
      status: last,
      attempts: found.flatMap(({ status }) => listOutcomes(status, facts)),
      failed: found.flatMap(({ launch, status }) => listFailures(launch, status, facts)),
    };
  });
}

/** By its manifest; where only a worker could compare the bytes, by the manifest and the worker's word. */
function isDone(pair: string, last: TaskStatus | undefined, facts: RunFacts): boolean {
  const verdict = facts.completions.get(pair)?.verdict;
  if (verdict === "done") return true;
  const attempt = last?.attempts.at(-1);
  return verdict === "unsure" && attempt !== undefined && facts.records.get(attempt.id)?.exitCode === ExitCode.done;
}

/** The attempts of a task in one launch, with how each of them ended. */
function listOutcomes(status: TaskStatus, facts: RunFacts): AttemptOutcome[] {
  const published = isDone(status.pair, status, facts);
  return status.attempts.map((seen) => {
    const left = readLeft(facts.records.get(seen.id));
    return { ...seen, ending: endingOf({ seen, left, published }) };
  });
}

function readLeft(record: WorkerRecord | undefined): Left | undefined {
  return record && { exitCode: record.exitCode, outcome: record.result.outcome };
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

/** Failures that count: those since the run was last taken up anew. */
export function countedFailures(pair: PairFacts, record: RunRecord): readonly FailedAttempt[] {
  return pair.failed.filter(({ attempt }) => attempt.launch >= (record.countFrom ?? 0));
}

function toOutcome(pair: PairFacts, facts: RunFacts): PairOutcome {
  const completion = facts.completions.get(pair.pair);
  const state = stateOf(pair, facts);
  const why = whyOf(pair, state, facts);
  const progress = state === "running" ? pair.status?.progress : undefined;
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
  const state = pair.status?.state;
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
