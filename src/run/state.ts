import pMap from "p-map";
import { isOver } from "../model/ending.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import type { Handle, Launch, RunRecord, RunView, TaskStatus, WorkerRecord } from "../model/run.ts";
import type { RunSettings } from "../model/settings.ts";
import { type Completion, checkCompletion } from "./completion.ts";
import { formatDocument, type RunPaths, type RunStore, readDocument, runPaths } from "./documents.ts";
import { composeView, type LaunchStatus, type RunFacts } from "./outcomes.ts";
import { type Policy, policyOf } from "./policy.ts";

/** `launches/<n>.json`: how a launch ended; the backend may forget it from then on. */
interface LaunchDocument {
  readonly format: 1;
  readonly handle: Handle;
  readonly statuses: readonly TaskStatus[];
}

/** A run's record and the version that it has in the store; none for a run that begins. */
export interface StoredRecord {
  readonly record: RunRecord;
  readonly version: string | undefined;
}

const readsAtOnce = 4;

/** What is known of a run, in memory: put together from the store, kept up with what the backend says. */
export class RunState implements RunFacts {
  readonly paths: RunPaths;
  readonly policy: Policy;
  readonly launches: LaunchStatus[] = [];
  readonly records = new Map<string, WorkerRecord>();
  readonly completions = new Map<string, Completion>();
  record: RunRecord;
  readonly #store: RunStore;
  readonly #settings: RunSettings;
  /** Attempts whose end was looked at, by id. */
  readonly #seen = new Set<string>();
  /** Numbers of the launches whose end is in the store. */
  readonly #ended = new Set<number>();
  /** The record's version in the store, as this process knows it. */
  #version: string | undefined;

  constructor(store: RunStore, settings: RunSettings, { record, version }: StoredRecord, ceilingBytes: number) {
    this.#version = version;
    this.#store = store;
    this.#settings = settings;
    this.record = record;
    this.paths = runPaths(store, settings.output, record.run);
    this.policy = policyOf(record.policy ?? settings, ceilingBytes);
  }

  /** Reads how the launches so far ended, and where every pair stands. */
  async load(completions?: readonly Completion[]): Promise<void> {
    const pairs = this.record.pairs;
    const found =
      completions ?? (await pMap(pairs, (pair) => this.#checkCompletion(pair), { concurrency: readsAtOnce }));
    for (const completion of found) this.completions.set(completion.pair, completion);
    for (const { launch } of this.record.handles) {
      const document = await readDocument<LaunchDocument>(this.#store, this.paths.launch(launch.number));
      if (document === undefined) continue;
      this.#ended.add(launch.number);
      await this.#readRecords(document.statuses);
      this.#put(launch, document.statuses);
    }
  }

  /** Launches of which the end is not known, oldest first. */
  openHandles(): readonly Handle[] {
    return this.record.handles.filter(({ launch }) => !this.#ended.has(launch.number));
  }

  /** Takes in what the backend says, and looks up in the store what the workers that ended left there. */
  async observe(launch: Launch, statuses: readonly TaskStatus[]): Promise<void> {
    const fresh = await this.#readRecords(statuses);
    const check = statuses.filter(
      ({ pair, state, attempts }) =>
        isTaskOver(state) &&
        this.completions.get(pair)?.verdict !== "done" &&
        (attempts.some(({ id }) => fresh.has(id)) || !this.#knows(launch, pair, state)),
    );
    const completions = await pMap(check, ({ pair }) => this.#checkCompletion(pair), { concurrency: readsAtOnce });
    for (const completion of completions) this.completions.set(completion.pair, completion);
    this.#put(launch, statuses);
  }

  /** Keeps the end of a launch. */
  async close(handle: Handle): Promise<void> {
    const { number } = handle.launch;
    const statuses = this.launches.find(({ launch }) => launch.number === number)?.statuses ?? [];
    const document: LaunchDocument = { format: 1, handle, statuses };
    await this.#store.writeText(this.paths.launch(number), formatDocument(document));
    this.#ended.add(number);
  }

  /**
   * Changes the record, in the store first. @throws Failure (terminated) when another controller has changed it: one that
   * was suspended for long must not write over what its successor knows.
   */
  async save(record: RunRecord): Promise<void> {
    const text = formatDocument(record);
    const written = await this.#store.writeTextIf(this.paths.record, text, this.#version);
    // A write whose answer was lost shows as refused: what counts is what is there.
    if (!written && (await this.#store.readText(this.paths.record)) !== text) throw overtaken(record.run);
    this.#version = (await this.#store.stat(this.paths.record))?.version;
    this.record = record;
  }

  view(): RunView {
    return composeView(this, new Date().toISOString());
  }

  #checkCompletion(pair: string): Promise<Completion> {
    return checkCompletion(this.#store, this.#settings, pair);
  }

  #knows({ number }: Launch, pair: string, state: TaskStatus["state"]): boolean {
    const known = this.launches.find(({ launch }) => launch.number === number)?.statuses;
    return known?.some((status) => status.pair === pair && status.state === state) ?? false;
  }

  #put(launch: Launch, statuses: readonly TaskStatus[]): void {
    const place = this.launches.findIndex((known) => known.launch.number === launch.number);
    if (place === -1) this.launches.push({ launch, statuses });
    else this.launches[place] = { launch, statuses };
  }

  /** Reads what workers that ended said of themselves. Returns the attempts whose end is new. */
  async #readRecords(statuses: readonly TaskStatus[]): Promise<ReadonlySet<string>> {
    const ended = statuses.flatMap(({ pair, attempts }) =>
      attempts.filter((attempt) => isOver(attempt) && !this.#seen.has(attempt.id)).map(({ id }) => ({ pair, id })),
    );
    await pMap(
      ended,
      async ({ pair, id }) => {
        const record = await readDocument<WorkerRecord>(this.#store, this.paths.result(pair, id));
        if (record !== undefined) this.records.set(id, record);
        this.#seen.add(id);
      },
      { concurrency: readsAtOnce },
    );
    return new Set(ended.map(({ id }) => id));
  }
}

/** Whether the backend will do no more for a task. */
export function isTaskOver(state: TaskStatus["state"]): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

function overtaken(run: string): Failure {
  const fix = "nothing is lost: it goes on with the run";
  const found = "its record was changed by somebody else";
  return new Failure(ExitCode.terminated, [{ what: `another controller took run ${run} over`, found, fix }]);
}
