import type { Backend } from "../backend/backend.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, toFailure } from "../model/failure.ts";
import { isStartedByController } from "../model/generation.ts";
import type { Launch, RunView } from "../model/run.ts";
import { agree, formatMemory, formatNumber } from "../model/units.ts";
import { newOwner } from "../store/owner.ts";
import { stopLaunches } from "./cancel.ts";
import { chooseRun, newRecord, type RunRequest, readRecord, reopen } from "./choose.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Completion, checkCompletions } from "./completion.ts";
import { locateReports, type RunStore, runPaths } from "./documents.ts";
import {
  type Capacity,
  type CostGuard,
  type LaunchPlan,
  limitCost,
  listOpen,
  listUnfinished,
  parallelismOf,
  planNext,
  submit,
  toLaunch,
} from "./launch.ts";
import { askForLease, type Lease } from "./lease.ts";
import { exitCodeOf, isTaskOver } from "./outcomes.ts";
import { RunState, raiseGeneration } from "./state.ts";
import { longestOutage, type RetryOptions, retryingBackend, retryingStore, retryTransient } from "./transient-retry.ts";
import { waitForChange } from "./watch.ts";

export interface RunOptions extends RunRequest {
  readonly store: RunStore;
  readonly backend: Backend["name"];
  readonly machine: Backend;
  readonly capacity: Capacity;
  readonly widemerge: string;
  /** Aborted with a Failure as its reason (interrupted or terminated): the workers are stopped. */
  readonly signal: AbortSignal;
  /** Aborted with a Failure as its reason: this controller ends at once, and the workers go on. */
  readonly detach?: AbortSignal;
  readonly cost?: CostGuard;
  /** Reports of a view, by their names in the run's folder. */
  readonly documents?: (view: RunView) => Promise<ReadonlyMap<string, string>>;
  readonly onView?: (view: RunView) => void;
  readonly onNotice?: (text: string) => void;
  /** How requests to the store and the backend are tried again. */
  readonly requests?: Partial<Pick<RetryOptions, "milliseconds" | "firstPause">>;
  /** Milliseconds before the first retry of a pair. */
  readonly firstPause?: number;
  /** Milliseconds between two heartbeats of the lease. */
  readonly beatMilliseconds?: number;
  readonly clock?: Clock;
  /** The name of this controller in the lease; unique, by `newOwner` unless given. */
  readonly owner?: string;
}

export interface RunEnd {
  readonly view: RunView;
  /** 0 only if every pair has a verified output and its manifest. */
  readonly exitCode: ExitCode;
  /** Whether reports of this view are in the run's folder. */
  readonly reported: boolean;
}

/**
 * Carries out a run, or continues one: starts launches, watches them all, starts failed pairs again, gathers the results.
 * Everything that it knows is in the store before it acts on it, so it may be killed at any moment.
 * @throws Failure if the run cannot begin, or if the store or the backend stays out of reach; the workers go on then.
 */
export async function runPairs(options: RunOptions): Promise<RunEnd> {
  return new RunController(options).run();
}

class RunController {
  readonly #options: RunOptions;
  readonly #store: RunStore;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #cancelled = new AbortController();
  #stop: AbortSignal;
  /** Why no launch is started any more while others are still open. */
  #refusal: Failure | undefined;
  /** How far the pairs of a new run were when it was checked. */
  #checked: readonly Completion[] | undefined;
  /** Pairs that the cost limit held back when a notice last said so. */
  #heldBack = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const { signal, detach = new AbortController().signal, clock = systemClock } = options;
    this.#clock = clock;
    this.#stop = AbortSignal.any([signal, detach, this.#cancelled.signal]);
    const requests = this.#requests();
    // The end of a run that was stopped still has to be written down, so the store does not stop with it.
    this.#store = retryingStore(options.store, requests);
    this.#backend = retryingBackend(options.machine, { ...requests, signal: this.#stop });
  }

  async run(): Promise<RunEnd> {
    const { notice, run } = await chooseRun(this.#store, this.#options, () => this.#checkNew(), this.#clock);
    if (notice !== undefined) this.#options.onNotice?.(notice);
    const lease = await this.#takeLease(run);
    try {
      this.#stop = AbortSignal.any([this.#stop, lease.signal]);
      const state = await this.#open(run, lease);
      return await this.#carryOut(state, lease);
    } finally {
      // The next controller takes over the lease of a process that has ended, so a failure here does no harm.
      await lease.release().catch(() => undefined);
    }
  }

  /** Refuses what can never run before there is a run of it. Pairs that are done need no worker. */
  async #checkNew(): Promise<void> {
    const { settings, capacity, pairs, wanted, machine } = this.#options;
    if (this.#stop.aborted) return;
    this.#checked = await checkCompletions(this.#store, settings, pairs);
    const open = this.#checked.filter(({ verdict }) => verdict !== "done");
    if (open.length === 0) return;
    const { ceilingBytes, spot } = capacity;
    const launch: Launch = {
      run: wanted ?? "new",
      number: 0,
      tasks: open.map(({ pair }, index) => ({ index, pair })),
      ceilingBytes,
      parallelism: parallelismOf(capacity, open.length, ceilingBytes),
      spot,
    };
    await retryTransient(() => machine.check(launch), this.#requests());
  }

  async #takeLease(run: string): Promise<Lease> {
    const paths = runPaths(this.#store, this.#options.settings.output, run);
    const { store, beatMilliseconds, owner = newOwner(), onNotice } = this.#options;
    // A heartbeat is not tried again: the next one comes soon, and must not wait for this one.
    const onBeat = async (): Promise<void> => {
      if ((await store.stat(paths.cancel)) !== undefined) this.#cancelled.abort(cancelled());
    };
    const options = {
      run,
      owner,
      onBeat,
      clock: this.#clock,
      signal: this.#stop,
      ...(onNotice === undefined ? {} : { onWatch: onNotice }),
      ...(beatMilliseconds === undefined ? {} : { beatMilliseconds }),
    };
    const taken = await retryTransient(() => askForLease(store, paths.lease, options), this.#requests());
    if (taken instanceof Failure) throw taken;
    return taken;
  }

  async #open(run: string, lease: Lease): Promise<RunState> {
    const { settings, capacity, widemerge, firstPause } = this.#options;
    // The record is read under the lease: before, another controller may have continued the run.
    const { record: path, cancel } = runPaths(this.#store, settings.output, run);
    // A request to cancel that comes later is meant for this controller.
    const earlierRequest = await this.#store.stat(cancel);
    const version = (await this.#store.stat(path))?.version;
    const known = await readRecord(this.#store, settings.output, run);
    const pairs = known?.pairs ?? this.#options.pairs;
    // A new run was looked at a moment ago, when it was checked.
    const checked = known === undefined ? this.#checked : undefined;
    const completions = checked ?? (await checkCompletions(this.#store, settings, pairs));
    const doneBefore = completions.filter(({ verdict }) => verdict === "done").map(({ pair }) => pair);
    const { retries, retriesUnexpected, memoryCeilings } = settings;
    const begun =
      known === undefined ? newRecord(run, widemerge, this.#options, doneBefore, this.#clock.stamp()) : reopen(known);
    const policy = { ceilingBytes: capacity.ceilingBytes, retries, retriesUnexpected, memoryCeilings };
    const record = { ...raiseGeneration(begun, lease.owner), policy };
    const start = { ceilingBytes: capacity.ceilingBytes, clock: this.#clock };
    const state = new RunState(
      this.#store,
      settings,
      { record, version },
      { ...start, ...(firstPause === undefined ? {} : { firstPause }) },
    );
    await state.save(record);
    lease.announce(record.generation ?? 0);
    if (earlierRequest !== undefined) await this.#store.remove(cancel, earlierRequest.version);
    await state.load(completions);
    return state;
  }

  async #carryOut(state: RunState, lease: Lease): Promise<RunEnd> {
    try {
      this.#show(state);
      this.#explainCeilings(state);
      for (const launch of this.#listToSubmit(state)) await this.#start(state, launch, lease, true);
      // What an earlier controller started counts against the cost limit from the beginning.
      await this.#observe(state);
      await this.#work(state, lease);
    } catch (error) {
      if (lease.signal.aborted || !this.#stop.aborted) throw error;
      return await this.#endEarly(state, lease, toFailure(this.#stop.reason));
    }
    return this.#finish(state, () => exitCodeOf(state));
  }

  /**
   * The launches of an earlier controller to submit again: one whose fate is unknown, and all of them where this process
   * has to take their workers over. On a platform, a launch that is gone was stopped: its pairs are planned again.
   */
  #listToSubmit(state: RunState): readonly Launch[] {
    const open = listOpen(state);
    if (isStartedByController(state.record.backend)) return open;
    const known = new Set(state.openHandles().map(({ launch }) => launch.number));
    return open.filter(({ number }) => !known.has(number));
  }

  /** Starts what fits and watches all open launches, until nothing is open and nothing is left to start. */
  async #work(state: RunState, lease: Lease): Promise<void> {
    for (;;) {
      const pauseEnds = await this.#startFitting(state, lease);
      const open = state.openHandles();
      if (open.length === 0 && pauseEnds === undefined) break;
      const milliseconds = pauseEnds === undefined ? undefined : Math.max(0, pauseEnds - this.#clock.now());
      await waitForChange(this.#backend, open, { milliseconds, signal: this.#stop, clock: this.#clock });
      this.#stop.throwIfAborted();
      await this.#observe(state);
    }
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /** Says which pairs keep the ceiling that an earlier controller gave them. */
  #explainCeilings(state: RunState): void {
    const { ceilingBytes } = this.#options.capacity;
    const others = listUnfinished(state).filter((start) => start.ceilingBytes !== ceilingBytes);
    const [first] = others;
    if (first === undefined) return;
    const [kept, now] = [formatMemory(first.ceilingBytes), formatMemory(ceilingBytes)];
    this.#options.onNotice?.(
      `${formatNumber(others.length, "pair")} started before under a ceiling of ${kept}, which stays; the ceiling of ${now} counts for pairs that start from now on`,
    );
  }

  async #observe(state: RunState): Promise<void> {
    const open = state.openHandles();
    if (open.length === 0) return;
    const found = await this.#backend.status(open);
    await state.observe(found);
    this.#show(state);
    for (const { launch, statuses } of found) {
      const handle = open.find((one) => one.launch.number === launch.number);
      if (handle !== undefined && statuses.every((status) => isTaskOver(status.state))) await state.close(handle);
    }
  }

  /** Starts every launch that fits now. Returns when the next pause ends, in milliseconds on the monotonic clock. */
  async #startFitting(state: RunState, lease: Lease): Promise<number | undefined> {
    const { capacity } = this.#options;
    while (this.#refusal === undefined) {
      this.#stop.throwIfAborted();
      const { plan, pauseEnds } = planNext(state, capacity, this.#clock.now());
      const affordable = plan && this.#limitCost(state, plan);
      if (affordable === undefined) return pauseEnds;
      await this.#start(state, toLaunch(affordable, state.record), lease);
    }
    return undefined;
  }

  /** The part of a plan that the cost limit allows. */
  #limitCost(state: RunState, plan: LaunchPlan): LaunchPlan | undefined {
    const { cost, settings, onNotice } = this.#options;
    const { maxCost } = settings;
    if (cost === undefined || maxCost === undefined) return plan;
    const limited = limitCost(plan, state, { cost, maxCost });
    const heldBack = plan.pairs.length - limited.pairs.length;
    if (heldBack > 0 && heldBack !== this.#heldBack)
      onNotice?.(
        `$${cost.spent(state.view()).toFixed(2)} spent: ${formatNumber(heldBack, "pair")} ${agree(heldBack, "is", "are")} not started, as the run could exceed --max-cost ${maxCost}`,
      );
    this.#heldBack = heldBack;
    return limited.pairs.length === 0 ? undefined : limited;
  }

  /** Submits a new launch. If it is refused while others are open, those are watched to their end first. */
  async #start(state: RunState, launch: Launch, lease: Lease, isEarlier = false): Promise<void> {
    try {
      await this.#submit(state, launch, lease);
    } catch (error) {
      const failure = toFailure(error);
      if (failure.exitCode !== ExitCode.usage && failure.exitCode !== ExitCode.input) throw error;
      // A refused launch left nothing in the backend: its number is free again.
      const { pending, ...record } = state.record;
      await state.save(record);
      // What an earlier controller wanted to start counts no more: its pairs are planned again with the present settings.
      if (isEarlier && pending !== undefined) return;
      if (state.openHandles().length === 0) throw error;
      this.#refusal = failure;
      this.#options.onNotice?.(`no further pairs are started: ${failure.message}`);
    }
  }

  /** Starts a launch, or finds it again. */
  async #submit(state: RunState, launch: Launch, lease: Lease): Promise<void> {
    this.#stop.throwIfAborted();
    await retryTransient(() => lease.confirm(), this.#requests());
    await submit(state, launch, this.#backend);
  }

  async #endEarly(state: RunState, lease: Lease, { exitCode }: Failure): Promise<RunEnd> {
    const leaves = this.#options.detach?.aborted === true && !this.#cancelled.signal.aborted;
    // A node that is drained does not wait for reports: the next controller writes them.
    if (leaves) return { view: this.#show(state), exitCode, reported: false };
    await this.#confirmOrLeave(lease);
    for (const failure of await stopLaunches(state, this.#options.machine))
      this.#options.onNotice?.(
        `${failure.message}\nStop what still runs with \`widemerge cancel ${state.record.run}\`.`,
      );
    if (this.#cancelled.signal.aborted) {
      await state.save({ ...state.record, cancelled: true });
      return this.#finish(state, () => ExitCode.terminated);
    }
    return { ...(await this.#report(state)), exitCode };
  }

  /** The workers of a successor are not stopped; without a store, those that this controller knows are. */
  async #confirmOrLeave(lease: Lease): Promise<void> {
    try {
      await lease.confirm();
    } catch (error) {
      if (toFailure(error).exitCode === ExitCode.superseded) throw error;
    }
  }

  async #finish(state: RunState, decide: () => ExitCode): Promise<RunEnd> {
    await state.checkAgain();
    const exitCode = decide();
    const record = { ...state.record, finished: this.#clock.stamp() };
    // The reports come first: a run that is finished has them, wherever its controller is killed.
    const end = await this.#report(state, record);
    await state.save(record);
    return { ...end, exitCode };
  }

  async #report(state: RunState, record = state.record): Promise<Omit<RunEnd, "exitCode">> {
    const view = this.#show(state, record);
    try {
      const documents = await this.#options.documents?.(view);
      if (documents !== undefined) await state.write(locateReports(state.paths, documents));
      return { view, reported: documents !== undefined };
    } catch (error) {
      if (toFailure(error).exitCode === ExitCode.superseded) throw error;
      // The outputs are there all the same, and `widemerge report` writes the reports again.
      this.#options.onNotice?.(`no reports: ${toFailure(error).message}`);
      return { view, reported: false };
    }
  }

  #show(state: RunState, record = state.record): RunView {
    const view = state.view(record);
    this.#options.onView?.(view);
    return view;
  }

  #requests(): RetryOptions {
    const { onNotice, requests } = this.#options;
    return {
      milliseconds: requests?.milliseconds ?? longestOutage,
      firstPause: requests?.firstPause ?? 500,
      onFailure: (failure) => onNotice?.(`trying again: ${failure.message}`),
      clock: this.#clock,
    };
  }
}

function cancelled(): Failure {
  const problem = {
    what: "the run was cancelled",
    found: "`widemerge cancel`",
    fix: "start it again to continue it",
  };
  return new Failure(ExitCode.terminated, [problem]);
}
