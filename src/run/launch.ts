import type { Backend } from "../backend/backend.ts";
import { smallest } from "../model/numbers.ts";
import type { Handle, Launch, RunRecord, RunView } from "../model/run.ts";
import type { Completion } from "./completion.ts";
import { collectPairs, countedFailures, isTaskOver, type PairFacts, type RunFacts, taskKey } from "./outcomes.ts";
import { decide, pauseAfter } from "./policy.ts";
import type { RunState } from "./state.ts";

/** What a run may use. */
export interface Capacity {
  /** Bytes: the ceiling of a pair until it runs out of memory. */
  readonly ceilingBytes: number;
  /** Pairs that run at the same time; infinite if nothing limits them. */
  readonly workers: number;
  /** Bytes that all workers share; absent if each of them has a machine or container of its own. */
  readonly memoryBytes?: number;
  readonly spot: boolean;
}

/** How many of these pairs can run at the same time, each under this ceiling in bytes; at least one. */
export function parallelismOf({ workers, memoryBytes }: Capacity, pairs: number, ceilingBytes: number): number {
  const fitting = memoryBytes === undefined ? workers : Math.min(workers, Math.floor(memoryBytes / ceilingBytes));
  return Math.max(1, Math.min(pairs, fitting));
}

/** A pair before it is started. */
export type PlannedPair = Pick<Completion, "pair" | "inputBytes">;

/** A start of a pair under a ceiling in bytes. */
export type PlannedStart = PlannedPair & Pick<Launch, "ceilingBytes" | "spot">;

/** What a run costs, in US$. */
export interface CostGuard {
  /** Every attempt so far, running ones up to now. */
  spent(view: RunView): number;
  /** Still to come: what is open until it ends, and the new starts. */
  remaining(view: RunView, open: readonly PlannedStart[], starts: readonly PlannedStart[]): number;
}

/** The pairs of the next launch. */
export interface LaunchPlan {
  readonly pairs: readonly string[];
  readonly ceilingBytes: number;
  readonly parallelism: number;
  readonly spot: boolean;
  readonly sharesMachine: boolean;
}

export interface NextStep {
  /** Absent if nothing can be started now. */
  readonly plan?: LaunchPlan;
  /** When the earliest pause before a retry ends, in milliseconds on the monotonic clock. */
  readonly pauseEnds?: number;
}

/** A pair that may be started, under which ceiling in bytes, and when, in milliseconds on the monotonic clock. */
interface Candidate {
  readonly pair: string;
  readonly ceilingBytes: number;
  readonly due: number;
}

/**
 * The pairs to start now: of those with the smallest ceiling, as many as fit beside every unfinished task of all open
 * launches, running or waiting. The parallelism of an open launch never changes. If nothing is open, all of them form one
 * launch, and the backend lets them wait for their turn. Pure.
 */
export function planNext(facts: RunFacts, capacity: Capacity, now: number): NextStep {
  const candidates = collectPairs(facts).flatMap((pair) => toCandidate(pair, facts));
  const pauses = candidates.map(({ due }) => due).filter((due) => due > now);
  const pauseEnds = pauses.length === 0 ? {} : { pauseEnds: smallest(pauses) };
  const ready = candidates.filter(({ due }) => due <= now);
  const ceilingBytes = smallest(ready.map((candidate) => candidate.ceilingBytes));
  const pairs = ready.filter((candidate) => candidate.ceilingBytes === ceilingBytes).map(({ pair }) => pair);
  const room = countRoom(capacity, listUnfinished(facts), ceilingBytes);
  if (pairs.length === 0 || room === 0) return pauseEnds;
  const fitting = pairs.slice(0, room);
  const plan: LaunchPlan = {
    pairs: fitting,
    ceilingBytes,
    parallelism: parallelismOf(capacity, fitting.length, ceilingBytes),
    // What the first launch leaves undone runs on demand: a pair that keeps losing its place is done in the end.
    spot: capacity.spot && facts.record.handles.length === 0,
    sharesMachine: canShare(facts, capacity, ceilingBytes),
  };
  return { plan, ...pauseEnds };
}

function toCandidate(pair: PairFacts, facts: RunFacts): readonly Candidate[] {
  if (pair.done || (pair.last !== undefined && !isTaskOver(pair.last.status.state))) return [];
  const failures = countedFailures(pair, facts.record);
  const decision = decide(failures, facts.policy);
  if (decision.action === "give up") return [];
  const ended = pair.last === undefined ? 0 : (facts.taskEnds.get(taskKey(pair.last.launch, pair.pair)) ?? 0);
  const due = ended + pauseAfter(failures, facts.policy);
  return [{ pair: pair.pair, ceilingBytes: decision.ceilingBytes, due }];
}

/** Tasks that run or wait in any launch. */
export function listUnfinished(facts: RunFacts): readonly PlannedStart[] {
  return facts.launches.flatMap(({ launch, statuses }) =>
    statuses.filter(({ state }) => !isTaskOver(state)).map(({ pair }) => toStart(pair, launch, facts)),
  );
}

/** How many tasks with this ceiling fit beside the unfinished ones; all of them if there are none. */
function countRoom(capacity: Capacity, unfinished: readonly PlannedStart[], ceilingBytes: number): number {
  if (unfinished.length === 0) return Number.POSITIVE_INFINITY;
  const { workers, memoryBytes = Number.POSITIVE_INFINITY } = capacity;
  const usedBytes = unfinished.reduce((sum, start) => sum + start.ceilingBytes, 0);
  return Math.max(0, Math.min(workers - unfinished.length, Math.floor((memoryBytes - usedBytes) / ceilingBytes)));
}

/** Whether a worker with this ceiling leaves room for another one of the run on the same machine. */
function canShare({ record, policy }: RunFacts, capacity: Capacity, ceilingBytes: number): boolean {
  const { workers, memoryBytes } = capacity;
  if (memoryBytes === undefined || workers === 1 || record.pairs.length === 1) return false;
  return memoryBytes - ceilingBytes >= smallest(policy.ceilings);
}

type Terms = Pick<Launch, "ceilingBytes" | "spot">;

function toStart(pair: string, { ceilingBytes, spot }: Terms, { completions }: RunFacts): PlannedStart {
  const inputBytes = completions.get(pair)?.inputBytes;
  if (inputBytes === undefined) throw new Error(`the checkpoint of ${pair} was not looked at`);
  return { pair, inputBytes, ceilingBytes, spot };
}

/**
 * The part of a plan that keeps the run within its cost limit: what was spent, what the open launches will still cost and
 * the new starts count together.
 */
export function limitCost(
  plan: LaunchPlan,
  state: RunState,
  { cost, maxCost }: { readonly cost: CostGuard; readonly maxCost: number },
): LaunchPlan {
  const view = state.view();
  const spent = cost.spent(view);
  const open = listUnfinished(state);
  const starts = plan.pairs.map((pair) => toStart(pair, plan, state));
  let count = 0;
  while (count < starts.length && spent + cost.remaining(view, open, starts.slice(0, count + 1)) <= maxCost) count += 1;
  return { ...plan, pairs: plan.pairs.slice(0, count), parallelism: Math.min(plan.parallelism, Math.max(1, count)) };
}

/** A plan as the run's next launch. */
export function toLaunch({ pairs, sharesMachine, ...terms }: LaunchPlan, record: RunRecord): Launch {
  const { run, handles, generation } = record;
  const tasks = pairs.map((pair, index) => ({ index, pair }));
  return {
    run,
    number: handles.length,
    tasks,
    ...terms,
    ...(sharesMachine ? { sharesMachine } : {}),
    ...(generation === undefined ? {} : { generation }),
  };
}

/** Starts a launch, or finds it again. The run's record names it before and after. */
export async function submit(state: RunState, launch: Launch, backend: Backend): Promise<Handle> {
  const isKnown = state.record.handles.some((handle) => handle.launch.number === launch.number);
  if (!isKnown) await state.save({ ...state.record, pending: launch });
  const handle = await backend.submit(launch, state.record.generation);
  if (!isKnown) await state.addHandle(handle);
  return handle;
}

/** Launches whose end is not known, and one that may or may not have been submitted before a kill. */
export function listOpen(state: RunState): readonly Launch[] {
  const { pending, handles } = state.record;
  const unsure = pending !== undefined && handles.every(({ launch }) => launch.number !== pending.number);
  return [...state.openHandles().map(({ launch }) => launch), ...(unsure ? [pending] : [])];
}
