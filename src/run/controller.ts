import { setTimeout } from "node:timers/promises";
import type { Backend } from "../backend/backend.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, toFailure } from "../model/failure.ts";
import type { Handle, Launch, RunRecord, RunView } from "../model/run.ts";
import { newOwner } from "../store/owner.ts";
import { chooseRun, newRecord, reopen } from "./choose.ts";
import { checkCompletions } from "./completion.ts";
import { type RunStore, readDocument, runPaths, writeReports } from "./documents.ts";
import { findHandle, listOpen, planWave, shapeLaunch, submit, type Wave } from "./launch.ts";
import { askForLease, type Lease } from "./lease.ts";
import type { RunEnd, RunOptions } from "./options.ts";
import { exitCodeOf } from "./outcomes.ts";
import { isTaskOver, RunState } from "./state.ts";
import { longestOutage, type RetryOptions, retryingBackend, retryingStore, retryTransient } from "./transient-retry.ts";

/** Milliseconds between two looks at a launch in which nothing seems to happen. */
const lookEvery = 1000;

/**
 * Carries out a run, or goes on with one: plans, fans out, watches, starts again what may be started again, gathers.
 * Everything it knows is in the store before it acts on it, so that it may be killed at any moment.
 * @throws Failure when the run cannot begin, or when the store or the backend stays out of reach; what runs goes on then.
 */
export async function runPairs(options: RunOptions): Promise<RunEnd> {
  return new RunController(options).run();
}

class RunController {
  readonly #options: RunOptions;
  readonly #store: RunStore;
  readonly #backend: Backend;
  readonly #cancelled = new AbortController();
  #stop: AbortSignal;

  constructor(options: RunOptions) {
    this.#options = options;
    const { signal, detach = new AbortController().signal } = options;
    this.#stop = AbortSignal.any([signal, detach, this.#cancelled.signal]);
    const patience = this.#patience();
    // What was stopped still has to be written down: the store is not asked to stop with it.
    this.#store = retryingStore(options.store, patience);
    this.#backend = retryingBackend(options.machine, { ...patience, signal: this.#stop });
  }

  async run(): Promise<RunEnd> {
    const { notice, run } = await chooseRun(this.#store, this.#options);
    if (notice !== undefined) this.#options.onNotice?.(notice);
    const lease = await this.#takeLease(run);
    try {
      this.#stop = AbortSignal.any([this.#stop, lease.signal]);
      const session = await this.#open(run);
      return await this.#carryOut(session, lease);
    } finally {
      // Whoever finds a lease of a process that ended takes it over: nothing hangs on giving it back.
      await lease.release().catch(() => undefined);
    }
  }

  async #takeLease(run: string): Promise<Lease> {
    const paths = runPaths(this.#store, this.#options.settings.output, run);
    const { store, beatMilliseconds } = this.#options;
    // Signs of life are their own retries; what is patient would keep the next one waiting.
    const onBeat = async (): Promise<void> => {
      if ((await store.stat(paths.cancel)) !== undefined) this.#cancelled.abort(cancelled());
    };
    const options = {
      run,
      owner: newOwner(),
      onBeat,
      ...(beatMilliseconds === undefined ? {} : { beatMilliseconds }),
    };
    const taken = await retryTransient(() => askForLease(store, paths.lease, options), this.#patience());
    if (taken instanceof Failure) throw taken;
    return taken;
  }

  async #open(run: string): Promise<RunState> {
    const { settings, capacity, widemerge } = this.#options;
    // Read under the lease: until it was taken, another controller may have gone on with the run.
    const { record: path } = runPaths(this.#store, settings.output, run);
    const version = (await this.#store.stat(path))?.version;
    const known = await readDocument<RunRecord>(this.#store, path);
    const pairs = known?.pairs ?? this.#options.pairs;
    const completions = await checkCompletions(this.#store, settings, pairs);
    const doneBefore = completions.filter(({ verdict }) => verdict === "done").map(({ pair }) => pair);
    const { retries, retriesUnexpected, memoryCeilings } = settings;
    const record = {
      ...(known === undefined ? newRecord(run, widemerge, this.#options, doneBefore) : reopen(known)),
      policy: { retries, retriesUnexpected, memoryCeilings },
    };
    const session = new RunState(this.#store, settings, { record, version }, capacity.ceilingBytes);
    await session.save(record);
    await this.#store.remove(session.paths.cancel);
    await session.load(completions);
    return session;
  }

  async #carryOut(session: RunState, lease: Lease): Promise<RunEnd> {
    try {
      this.#show(session);
      for (const launch of listOpen(session)) await this.#launch(session, launch, lease);
      for (let wave = this.#plan(session); wave !== undefined; wave = this.#plan(session))
        await this.#launch(session, shapeLaunch(session, wave, this.#options), lease);
    } catch (error) {
      if (lease.signal.aborted || !this.#stop.aborted) throw error;
      return await this.#endEarly(session, toFailure(this.#stop.reason));
    }
    return this.#finish(session, exitCodeOf(session));
  }

  #plan(session: RunState): Wave | undefined {
    this.#stop.throwIfAborted();
    return planWave(session, this.#options);
  }

  /** Submits a launch, or finds it again, and watches it to its end. */
  async #launch(session: RunState, launch: Launch, lease: Lease): Promise<void> {
    this.#stop.throwIfAborted();
    await retryTransient(() => lease.confirm(), this.#patience());
    const handle = await submit(session, launch, this.#backend);
    await this.#watch(session, handle);
    await session.close(handle);
  }

  async #watch(session: RunState, handle: Handle): Promise<void> {
    const wait = { milliseconds: lookEvery, signal: this.#stop };
    for (let over = false; !over; ) {
      const statuses = await this.#backend.status(handle, wait);
      await session.observe(handle.launch, statuses);
      this.#show(session);
      over = statuses.every(({ state }) => isTaskOver(state));
      if (!over) this.#stop.throwIfAborted();
      // A backend whose wait returns at once must not make this a busy loop.
      if (!over) await setTimeout(20);
    }
  }

  /** Asks the backend to stop what it started for a launch, and keeps how it ended. */
  async #stopLaunch(session: RunState, launch: Launch): Promise<void> {
    const { machine, onNotice } = this.#options;
    try {
      const handle = findHandle(session, launch) ?? (await submit(session, launch, machine));
      await machine.cancel(handle);
      await session.observe(handle.launch, await machine.status(handle));
      await session.close(handle);
    } catch (error) {
      onNotice?.(`${toFailure(error).message}\nEnd what still runs with \`widemerge cancel ${session.record.run}\`.`);
    }
  }

  async #endEarly(session: RunState, { exitCode }: Failure): Promise<RunEnd> {
    const leaves = this.#options.detach?.aborted === true && !this.#cancelled.signal.aborted;
    // Whoever evicts a controller does not wait for reports: the next one writes them.
    if (leaves) return { view: this.#show(session), exitCode, reported: false };
    for (const launch of listOpen(session)) await this.#stopLaunch(session, launch);
    if (this.#cancelled.signal.aborted) {
      await session.save({ ...session.record, cancelled: true });
      return this.#finish(session, ExitCode.terminated);
    }
    return { ...(await this.#report(session)), exitCode };
  }

  async #finish(session: RunState, exitCode: ExitCode): Promise<RunEnd> {
    await session.save({ ...session.record, finished: new Date().toISOString() });
    return { ...(await this.#report(session)), exitCode };
  }

  async #report(session: RunState): Promise<Omit<RunEnd, "exitCode">> {
    const view = this.#show(session);
    try {
      const documents = await this.#options.documents?.(view);
      if (documents !== undefined) await writeReports(this.#store, session.paths, documents);
      return { view, reported: documents !== undefined };
    } catch (error) {
      // The outputs are what counts; `widemerge report` writes reports again.
      this.#options.onNotice?.(`no reports: ${toFailure(error).message}`);
      return { view, reported: false };
    }
  }

  #show(session: RunState): RunView {
    const view = session.view();
    this.#options.onView?.(view);
    return view;
  }

  #patience(): RetryOptions {
    const { onNotice, patience } = this.#options;
    return {
      milliseconds: patience?.milliseconds ?? longestOutage,
      firstPause: patience?.firstPause ?? 500,
      onFailure: (failure) => onNotice?.(`trying again: ${failure.message}`),
    };
  }
}

function cancelled(): Failure {
  const problem = {
    what: "the run was cancelled",
    found: "`widemerge cancel`",
    fix: "start it again to go on with it",
  };
  return new Failure(ExitCode.terminated, [problem]);
}
