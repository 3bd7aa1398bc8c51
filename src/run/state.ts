import pMap from "p-map";
import { isOver } from "../model/ending.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import type { Handle, Launch, LaunchStatus, RunRecord, RunView, TaskStatus, WorkerRecord } from "../model/run.ts";
import type { RunSettings } from "../model/settings.ts";
import { type Completion, checkCompletion, checkCompletions } from "./completion.ts";
import { formatDocument, type RunPaths, type RunStore, readDocument, runPaths } from "./documents.ts";
import { composeView, isTaskOver, type RunFacts, taskKey } from "./outcomes.ts";
import { type Policy, policyOf } from "./policy.ts";

/** `launches/<n>.json`: how a launch ended. The backend may forget it from then on. */
interface LaunchDocument {
  readonly format: 1;
  readonly handle: Handle;
  readonly statuses: readonly TaskStatus[];
}

/** A run's record, and its version in the store; none for a new run. */
export interface StoredRecord {
  readonly record: RunRecord;
  readonly version: string | undefined;
}

/** How a run's pairs are started. */
export interface StartOptions {
  /** Bytes: the ceiling of a pair until it runs out of memory. */
  readonly ceilingBytes: number;
  /** Milliseconds before the first retry of a pair. */
  readonly firstPause?: number;
}

const readsAtOnce = 4;

/** The state of a run in memory: read from the store, and kept up to date with what the backend says. */
export class RunState implements RunFacts {
  readonly paths: RunPaths;
  readonly records = new Map<string, WorkerRecord>();
  readonly completions = new Map<string, Completion>();
  readonly taskEnds = new Map<string, number>();
  launches: readonly LaunchStatus[] = [];
  record: RunRecord;
  readonly #store: RunStore;
  readonly #settings: RunSettings;
  readonly #start: StartOptions;
  /** The attempts whose record was looked for after their end, by id. */
  readonly #read = new Set<string>();
  /** Numbers of the launches whose end is in the store. */
  readonly #closed = new Set<number>();
  /** The record's version in the store, as this process knows it. */
  #version: string | undefined;

  constructor(store: RunStore, settings: RunSettings, { record, version }: StoredRecord, start: StartOptions) {
    this.#version = version;
    this.#store = store;
    this.#settings = settings;
    this.#start = start;
    this.record = record;
    this.paths = runPaths(store, settings.output, record.run);
  }

  get policy(): Policy {
    const { ceilingBytes, firstPause } = this.#start;
    const { policy } = this.record;
    return policyOf(policy ?? this.#settings, policy?.ceilingBytes ?? ceilingBytes, firstPause);
  }

  /** Reads how far every pair is, and how the launches ended that are over. */
  async load(completions?: readonly Completion[]): Promise<void> {
    const found = completions ?? (await checkCompletions(this.#store, this.#settings, this.record.pairs));
    for (const completion of found) this.completions.set(completion.pair, completion);
    for (const { launch, statuses } of await this.#readClosed()) {
      await this.#readRecords(statuses);
      this.#put({ launch, statuses }, 0);
    }
  }

  /** Whether the stored record is the one that this process knows. */
  async isCurrent(): Promise<boolean> {
    return (await this.#store.stat(this.paths.record))?.version === this.#version;
  }

  /** Reads the record again if another process has changed it, and the launches that are over. */
  async reload(): Promise<void> {
    const version = (await this.#store.stat(this.paths.record))?.version;
    const record = await readDocument<RunRecord>(this.#store, this.paths.record);
    if (record !== undefined) {
      this.record = record;
      this.#version = version;
    }
    await this.observe(await this.#readClosed());
  }

  /** The launches whose end is new in the store. Every task of the others waits until the backend says otherwise. */
  async #readClosed(): Promise<readonly LaunchStatus[]> {
    const closed: LaunchStatus[] = [];
    for (const { launch } of this.openHandles()) {
      const document = await readDocument<LaunchDocument>(this.#store, this.paths.launch(launch.number));
      if (document === undefined) this.#putWaiting(launch);
      else closed.push({ launch, statuses: document.statuses });
    }
    for (const { launch } of closed) this.#closed.add(launch.number);
    return closed;
  }

  /** The launches whose end is not in the store, oldest first. */
  openHandles(): readonly Handle[] {
    return this.record.handles.filter(({ launch }) => !this.#closed.has(launch.number));
  }

  /** Takes in what the backend says, and reads what workers that ended left in the store. */
  async observe(found: readonly LaunchStatus[]): Promise<void> {
    for (const { launch, statuses } of found) {
      await this.#readEnds(launch, statuses);
      this.#put({ launch, statuses }, performance.now());
    }
  }

  /** Reads what the workers left whose end is new, and whether their pairs are done now. */
  async #readEnds(launch: Launch, statuses: readonly TaskStatus[]): Promise<void> {
    const fresh = await this.#readRecords(statuses);
    const ended = statuses.filter(
      ({ pair, state, attempts }) =>
        isTaskOver(state) &&
        this.completions.get(pair)?.verdict !== "done" &&
        (attempts.some(({ id }) => fresh.has(id)) || !this.taskEnds.has(taskKey(launch, pair))),
    );
    const checked = await pMap(ended, ({ pair }) => checkCompletion(this.#store, this.#settings, pair), {
      concurrency: readsAtOnce,
    });
    for (const completion of checked) this.completions.set(completion.pair, completion);
  }

  /** Writes down how a launch ended. */
  async close(handle: Handle): Promise<void> {
    const { number } = handle.launch;
    const known = this.launches.find(({ launch }) => launch.number === number);
    if (known === undefined) throw new Error(`launch ${number} was closed before anything was known of it`);
    const document: LaunchDocument = { format: 1, handle, statuses: known.statuses };
    await this.#store.writeText(this.paths.launch(number), formatDocument(document));
    this.#closed.add(number);
  }

  /** Adds a launch that was submitted to the record. */
  async addHandle(handle: Handle): Promise<void> {
    const { pending: _, ...record } = this.record;
    await this.save({ ...record, handles: [...record.handles, handle] });
    this.#putWaiting(handle.launch);
  }

  /**
   * Changes the record, in the store first. @throws Failure (terminated) if another controller has changed it: a
   * controller that was suspended for long must not overwrite what its successor wrote.
   */
  async save(record: RunRecord): Promise<void> {
    const text = formatDocument(record);
    const written = await this.#store.writeTextIf(this.paths.record, text, this.#version);
    // A write whose answer was lost looks refused, so the stored text decides.
    if (!written && (await this.#store.readText(this.paths.record)) !== text) throw overtaken(record.run);
    this.#version = (await this.#store.stat(this.paths.record))?.version;
    this.record = record;
  }

  view(): RunView {
    return composeView(this, new Date().toISOString());
  }

  #putWaiting(launch: Launch): void {
    if (this.launches.some((known) => known.launch.number === launch.number)) return;
    const statuses = launch.tasks.map(({ index, pair }): TaskStatus => {
      return { index, pair, state: "waiting", attempts: [] };
    });
    this.#put({ launch, statuses }, performance.now());
  }

  #put(status: LaunchStatus, now: number): void {
    for (const { pair, state } of status.statuses) {
      const key = taskKey(status.launch, pair);
      if (isTaskOver(state) && !this.taskEnds.has(key)) this.taskEnds.set(key, now);
    }
    const others = this.launches.filter(({ launch }) => launch.number !== status.launch.number);
    this.launches = [...others, status].sort((left, right) => left.launch.number - right.launch.number);
  }

  /** Reads the records of workers that ended. Returns the attempts whose end is new. */
  async #readRecords(statuses: readonly TaskStatus[]): Promise<ReadonlySet<string>> {
    const ended = statuses.flatMap(({ pair, attempts }) =>
      attempts.filter((attempt) => isOver(attempt) && !this.#read.has(attempt.id)).map(({ id }) => ({ pair, id })),
    );
    await pMap(
      ended,
      async ({ pair, id }) => {
        const record = await readDocument<WorkerRecord>(this.#store, this.paths.result(pair, id));
        if (record !== undefined) this.records.set(id, record);
        this.#read.add(id);
      },
      { concurrency: readsAtOnce },
    );
    return new Set(ended.map(({ id }) => id));
  }
}

function overtaken(run: string): Failure {
  const fix = "nothing is lost: that controller continues the run";
  const found = "its record was changed by another process";
  return new Failure(ExitCode.terminated, [{ what: `another controller took run ${run} over`, found, fix }]);
}
