import pMap from "p-map";
import { isOver } from "../model/ending.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn } from "../model/failure.ts";
import type { Handle, Launch, LaunchStatus, RunRecord, RunView, TaskStatus, WorkerRecord } from "../model/run.ts";
import type { RunSettings } from "../model/settings.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Completion, checkCompletion, checkCompletions } from "./completion.ts";
import { formatDocument, type RunPaths, type RunStore, readDocument, runPaths } from "./documents.ts";
import { superseded } from "./lease.ts";
import { composeView, isTaskOver, type RunFacts, taskKey } from "./outcomes.ts";
import { type Policy, policyOf } from "./policy.ts";
import { checkLaunchEnd, checkRecord, checkWorkerRecord } from "./stored-names.ts";

/** `launches/<n>.json`: how a launch ended. The backend may forget it from then on. */
interface LaunchDocument {
  readonly format: 1;
  readonly handle: Handle;
  readonly statuses: readonly TaskStatus[];
  /** The generation of the controller that wrote it; absent in documents of version 0.1.0. */
  readonly generation?: number;
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
  readonly clock?: Clock;
}

const readsAtOnce = 4;
const writesAtOnce = 4;
/** Every refused write means that another process wrote the same document in between. */
const writeRounds = 20;

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
  readonly clock: Clock;
  /** The attempts whose record was looked for after their end, by id. */
  readonly #read = new Set<string>();
  /** Numbers of the launches whose end is in the store. */
  readonly #closed = new Set<number>();
  #writing: Promise<void> = Promise.resolve();
  /** The record's version in the store, as this process knows it. */
  #version: string | undefined;

  constructor(store: RunStore, settings: RunSettings, { record, version }: StoredRecord, start: StartOptions) {
    this.#version = version;
    this.#store = store;
    this.#settings = settings;
    this.#start = start;
    this.clock = start.clock ?? systemClock;
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
      failOn(ExitCode.input, checkRecord(record, { run: this.record.run, path: this.paths.record }));
      this.record = record;
      this.#version = version;
    }
    await this.observe(await this.#readClosed());
  }

  /** The launches whose end is new in the store. Every task of the others waits until the backend says otherwise. */
  async #readClosed(): Promise<readonly LaunchStatus[]> {
    const closed: LaunchStatus[] = [];
    for (const { launch } of this.openHandles()) {
      const path = this.paths.launch(launch.number);
      const document = await readDocument<LaunchDocument>(this.#store, path);
      if (document !== undefined) failOn(ExitCode.input, checkLaunchEnd(document, { launch, path }));
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
      const known = this.#keepAttempts(launch, statuses);
      await this.#readEnds(launch, known);
      this.#put({ launch, statuses: known }, this.clock.now());
    }
  }

  /** The same without a look at the store: for a launch that is stopped next, whether the store is in reach or not. */
  note(found: readonly LaunchStatus[]): void {
    for (const { launch, statuses } of found)
      this.#put({ launch, statuses: this.#keepAttempts(launch, statuses) }, this.clock.now());
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
    const { generation = 0 } = this.record;
    const document: LaunchDocument = { format: 1, handle, statuses: known.statuses, generation };
    await this.write(new Map([[this.paths.launch(number), formatDocument(document)]]));
    this.#closed.add(number);
  }

  /** Adds a launch that was submitted to the record. */
  async addHandle(handle: Handle): Promise<void> {
    const { pending: _, ...record } = this.record;
    await this.save({ ...record, handles: [...record.handles, handle] });
    this.#putWaiting(handle.launch);
  }

  /**
   * Writes documents beside the record, and none over those of a later controller. Their versions are read first, then
   * whether the record is still the one that this process knows, and only then each is written in place of the version
   * that was read: a controller that was suspended anywhere in between fails at the check or at the write.
   * @throws Failure (superseded) if another process has changed the record
   */
  write(documents: ReadonlyMap<string, string>): Promise<void> {
    return this.#inTurn(() => this.#writeFenced(documents));
  }

  async #writeFenced(documents: ReadonlyMap<string, string>): Promise<void> {
    let left: readonly (readonly [string, string])[] = [...documents];
    for (let round = 0; left.length > 0; round += 1) {
      if (round === writeRounds) throw changing(left);
      const found = await pMap(left, async ([path]) => (await this.#store.stat(path))?.version, {
        concurrency: writesAtOnce,
      });
      if (!(await this.isCurrent())) throw overtaken();
      const refused = await pMap(
        left,
        async ([path, text], index) => {
          if (await this.#store.writeTextIf(path, text, found[index])) return [];
          // A write whose answer was lost looks refused, so the stored text decides.
          return (await this.#store.readText(path)) === text ? [] : [[path, text] as const];
        },
        { concurrency: writesAtOnce },
      );
      left = refused.flat();
    }
  }

  /**
   * Changes the record, in the store first. @throws Failure (superseded) if another controller has changed it: a
   * controller that was suspended for long must not overwrite what its successor wrote.
   */
  save(record: RunRecord): Promise<void> {
    return this.#inTurn(() => this.#saveRecord(record));
  }

  /** One write after the other: to a write that compares versions, a save of this process would look like a successor's. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #saveRecord(record: RunRecord): Promise<void> {
    const text = formatDocument(record);
    await this.#store.writeTextIf(this.paths.record, text, this.#version);
    // The version is read before the text: if the text is ours, so is the version, and not that of a successor. The stored
    // text also decides where the write was refused because the answer to an earlier try was lost.
    const version = (await this.#store.stat(this.paths.record))?.version;
    if ((await this.#store.readText(this.paths.record)) !== text) throw overtaken();
    this.#version = version;
    this.record = record;
  }

  /** Opens the run under a new generation: whoever had it before can write nothing from now on. */
  async takeOver(controller: string): Promise<void> {
    await this.save(raiseGeneration(this.record, controller));
  }

  /** The run at this moment, under its record or another one that it is about to get. */
  view(record = this.record): RunView {
    const { launches, taskEnds, records, completions, policy } = this;
    return composeView({ record, launches, taskEnds, records, completions, policy }, this.clock.stamp());
  }

  /** Looks again whether the pairs are done that were not: the last request of a worker may have arrived late. */
  async checkAgain(): Promise<void> {
    const open = this.record.pairs.filter((pair) => this.completions.get(pair)?.verdict !== "done");
    for (const found of await checkCompletions(this.#store, this.#settings, open))
      this.completions.set(found.pair, found);
  }

  #putWaiting(launch: Launch): void {
    if (this.launches.some((known) => known.launch.number === launch.number)) return;
    const statuses = launch.tasks.map(({ index, pair }): TaskStatus => {
      return { index, pair, state: "waiting", attempts: [] };
    });
    this.#put({ launch, statuses }, this.clock.now());
  }

  #put(status: LaunchStatus, now: number): void {
    for (const { pair, state } of status.statuses) {
      const key = taskKey(status.launch, pair);
      if (isTaskOver(state) && !this.taskEnds.has(key)) this.taskEnds.set(key, now);
    }
    const others = this.launches.filter(({ launch }) => launch.number !== status.launch.number);
    this.launches = [...others, status].sort((left, right) => left.launch.number - right.launch.number);
  }

  /**
   * The attempts that the backend has forgotten count all the same, for retries and costs: Kubernetes removes the pods of
   * a Job with it. One of which nobody saw the end was deleted with what was left of it, once its task is over: until then,
   * the backend may only be slow to tell.
   */
  #keepAttempts({ number }: Launch, statuses: readonly TaskStatus[]): readonly TaskStatus[] {
    const before = this.launches.find(({ launch }) => launch.number === number)?.statuses ?? [];
    const known = new Map(before.map(({ index, attempts }) => [index, attempts]));
    const end = this.clock.stamp();
    return statuses.map((task) => {
      const ids = new Set(task.attempts.map(({ id }) => id));
      const forgotten = (known.get(task.index) ?? []).filter(({ id }) => !ids.has(id));
      const ended = forgotten.map((attempt) =>
        isOver(attempt) || !isTaskOver(task.state) ? attempt : { ...attempt, end, reason: "Deleted" },
      );
      return forgotten.length === 0 ? task : { ...task, attempts: [...ended, ...task.attempts] };
    });
  }

  /** Reads the records of workers that ended. Returns the attempts whose end is new. */
  async #readRecords(statuses: readonly TaskStatus[]): Promise<ReadonlySet<string>> {
    const ended = statuses.flatMap(({ pair, attempts }) =>
      attempts.filter((attempt) => isOver(attempt) && !this.#read.has(attempt.id)).map(({ id }) => ({ pair, id })),
    );
    await pMap(
      ended,
      async ({ pair, id }) => {
        const path = this.paths.result(pair, id);
        const record = await readDocument<WorkerRecord>(this.#store, path);
        if (record !== undefined) {
          failOn(ExitCode.input, checkWorkerRecord(record, { pair, attempt: id, path }));
          this.records.set(id, record);
        }
        this.#read.add(id);
      },
      { concurrency: readsAtOnce },
    );
    return new Set(ended.map(({ id }) => id));
  }
}

/** The record of a run for its next controller, by the name that it has in the lease. */
export function raiseGeneration(record: RunRecord, controller: string): RunRecord {
  return { ...record, generation: (record.generation ?? 0) + 1, controller };
}

function overtaken(): Failure {
  return superseded("its record was changed by another process");
}

function changing(documents: readonly (readonly [string, string])[]): Failure {
  const found = documents.map(([path]) => path).join(", ");
  const fix = "check which controllers are running, then run again";
  return new Failure(ExitCode.transient, [
    { what: "documents of the run changed at every try to write them", found, fix },
  ]);
}
