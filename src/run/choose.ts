import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import type { BackendName } from "../model/backend-name.ts";
import { completenessSettings, completeSettings, runSettings } from "../model/comparison.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, failOn, type Problem } from "../model/failure.ts";
import { RunId } from "../model/names.ts";
import type { RunRecord } from "../model/run.ts";
import type { CompletenessSettings, RunSettings } from "../model/settings.ts";
import { toAbsolute } from "../model/storage-path.ts";
import { type Clock, systemClock } from "./clock.ts";
import { formatDocument, type RunStore, readDocument, runPaths, runsFolder } from "./documents.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { checkEntry, checkRecord, type RunEntry } from "./stored-names.ts";

/** A request to start or continue a run. */
export interface RunRequest {
  /** A run's name, or "last"; absent: the newest run that is not finished and fits, otherwise a new one. */
  readonly wanted?: string;
  /** Empty: the pairs of the run that is continued. */
  readonly pairs: readonly string[];
  readonly backend: BackendName;
  readonly settings: RunSettings;
}

export interface ChosenRun {
  readonly run: string;
  /** Absent for a new run. */
  readonly record?: RunRecord;
  /** What the user should know about the choice. */
  readonly notice?: string;
}

/**
 * Chooses the run of a request. `checkNew` may refuse a new run before anything of it exists.
 * @throws Failure (usage) if there is no such run, or if its pairs, folders or settings differ; what `checkNew` threw
 */
export async function chooseRun(
  store: RunStore,
  request: RunRequest,
  checkNew: () => Promise<void> = async () => undefined,
  clock: Clock = systemClock,
): Promise<ChosenRun> {
  const { wanted, settings } = request;
  if (wanted === "last") return continueRun(await findRun(store, settings.output, wanted), request);
  if (wanted !== undefined) {
    const record = await readRecord(store, settings.output, wanted);
    if (record !== undefined) return continueRun(record, request);
    await checkNew();
    await claim(store, settings.output, wanted, clock);
    return { run: wanted };
  }
  const open = await findOpen(store, settings.output, clock);
  const differences = open === undefined ? [] : compareRequest(open, request);
  if (open !== undefined && differences.length === 0)
    return { run: open.run, record: open, notice: `run ${open.run} of ${open.created} is not finished: continuing it` };
  await checkNew();
  const run = await claimNew(store, settings.output, clock);
  if (open === undefined) return { run };
  const differing = differences.map(({ what, found }) => `${what} (${found})`).join(", ");
  const notice = `this is a new run, ${run}: ${differing}. Continue the other one with --run ${open.run}, or end it with \`widemerge cancel ${open.run}\``;
  return { run, notice };
}

/** The newest run, if it is not finished and has started something, or if a controller may be at work on it. */
async function findOpen(store: RunStore, output: string, clock: Clock): Promise<RunRecord | undefined> {
  const newest = await newestRecord(store, output);
  if (newest === undefined || newest.finished !== undefined) return undefined;
  // What was refused before its first launch is no work to continue.
  if (newest.handles.length > 0 || newest.pending !== undefined) return newest;
  const { state } = await new LeaseWatch(clock).look(store, runPaths(store, output, newest.run).lease);
  return state === "none" ? undefined : newest;
}

function continueRun(record: RunRecord, request: RunRequest): ChosenRun {
  failOn(ExitCode.usage, compareRequest(record, request));
  return { run: record.run, record };
}

/** The record of a run by its name; "last" is the newest. @throws Failure (usage) if there is none. */
export async function findRun(store: RunStore, output: string, wanted = "last"): Promise<RunRecord> {
  const record =
    wanted === "last" ? await newestRecord(store, output) : await readRecord(store, output, parseRun(wanted));
  if (record !== undefined) return record;
  const known = (await listRuns(store, output)).map(({ run }) => run);
  const problem = {
    what: wanted === "last" ? "no run yet" : `no run ${wanted}`,
    found: known.length === 0 ? `no runs under ${output}` : `runs ${known.slice(0, 5).join(", ")}`,
    fix: "check --output and the run's name, or start a run with `widemerge run-all`",
  };
  throw new Failure(ExitCode.usage, [problem]);
}

function parseRun(name: string): string {
  if (v.is(RunId, name)) return name;
  const fix = "use at most 40 lower-case letters, digits and -, such as 2026-11-21-a";
  throw new Failure(ExitCode.usage, [{ what: "not a valid run name", found: JSON.stringify(name), fix }]);
}

/** All runs of an output folder, newest first. @throws Failure (input) for entries whose names are none of a run */
async function listRuns(store: RunStore, output: string): Promise<readonly RunEntry[]> {
  const files = (await store.list(runsFolder(store, output))) ?? [];
  const names = files.filter(({ name }) => name.endsWith(".json"));
  const entries = await Promise.all(
    names.map(async (file) => ({ file, entry: await readDocument<RunEntry>(store, file.path) })),
  );
  const found = entries.flatMap(({ file, entry }) => (entry === undefined ? [] : [{ file, entry }]));
  failOn(
    ExitCode.input,
    found.flatMap(({ file, entry }) => checkEntry(entry, file)),
  );
  return found
    .map(({ entry }) => entry)
    .sort((left, right) => right.created.localeCompare(left.created) || right.run.localeCompare(left.run));
}

async function newestRecord(store: RunStore, output: string): Promise<RunRecord | undefined> {
  // A controller that was killed right after it claimed a name has left no record.
  for (const { run } of await listRuns(store, output)) {
    const record = await readRecord(store, output, run);
    if (record !== undefined) return record;
  }
  return undefined;
}

/**
 * The record of the run of that name; undefined when there is none.
 * @throws Failure (input) with every name in it that this run cannot have
 */
export async function readRecord(store: RunStore, output: string, run: string): Promise<RunRecord | undefined> {
  const path = runPaths(store, output, run).record;
  const record = await readDocument<RunRecord>(store, path);
  if (record !== undefined) failOn(ExitCode.input, checkRecord(record, { run, path }));
  return record;
}

/** 2026-11-21-a, or the next free letter. */
async function claimNew(store: RunStore, output: string, clock: Clock): Promise<string> {
  const day = clock.stamp().slice(0, 10);
  for (let number = 0; ; number += 1) {
    const run = `${day}-${toLetters(number)}`;
    if (await claim(store, output, run, clock)) return run;
  }
}

/** a … z, aa … az, ba … */
function toLetters(number: number): string {
  const letter = String.fromCharCode(97 + (number % 26));
  return number < 26 ? letter : toLetters(Math.floor(number / 26) - 1) + letter;
}

/** Whether the name was free. */
function claim(store: RunStore, output: string, run: string, clock: Clock): Promise<boolean> {
  const entry: RunEntry = { format: 1, run, created: clock.stamp() };
  return store.writeTextIf(runPaths(store, output, run).entry, formatDocument(entry), undefined);
}

/** The settings that a run's record has only where they were chosen. */
const nothingChosen = {
  tables: undefined,
  excludeTables: undefined,
  folders: undefined,
  nullKeys: undefined,
  minMatch: undefined,
};

/** The differences between a request and a run. */
function compareRequest(record: RunRecord, { pairs, backend, settings }: RunRequest): Problem[] {
  const asked: Readonly<Record<string, unknown>> = {
    backend,
    input: toAbsolute(settings.input),
    output: toAbsolute(settings.output),
    pairs: pairs.length === 0 ? record.pairs : pairs,
    // A setting that is absent differs from one that the run has.
    ...(record.settings === undefined ? {} : { ...nothingChosen, ...runSettings(settings) }),
    ...(record.completeness === undefined ? {} : { expectTables: undefined, ...describeCompleteness(settings) }),
  };
  const { settings: outputs, completeness, ...others } = record;
  const known: Readonly<Record<string, unknown>> = { ...others, ...completeSettings({ ...outputs }), ...completeness };
  return Object.keys(asked)
    .filter((name) => !isDeepStrictEqual(asked[name], known[name]))
    .map((name) => ({
      what: `run ${record.run} has different ${name}`,
      found: `${describeValue(known[name])} in the run, ${describeValue(asked[name])} requested`,
      fix: "use the same, or choose another --run",
    }));
}

function describeValue(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** The record of a new run. */
export function newRecord(
  run: string,
  widemerge: string,
  request: RunRequest,
  doneBefore: readonly string[],
  created = systemClock.stamp(),
): RunRecord {
  const { input, output } = request.settings;
  return {
    format: 1,
    run,
    widemerge,
    created,
    backend: request.backend,
    input: toAbsolute(input),
    output: toAbsolute(output),
    pairs: request.pairs,
    handles: [],
    doneBefore,
    cancelled: false,
    settings: runSettings(request.settings),
    completeness: describeCompleteness(request.settings),
  };
}

/** As in a run's record: a list of tables by its full path. */
function describeCompleteness(settings: RunSettings): CompletenessSettings {
  const { expectTables, ...rest } = completenessSettings(settings);
  const place = typeof expectTables === "string" ? toAbsolute(expectTables) : expectTables;
  return { ...rest, ...(place === undefined ? {} : { expectTables: place }) };
}

/** A finished or cancelled run begins again: failed pairs are retried, and their old failures do not count. */
export function reopen(record: RunRecord): RunRecord {
  if (record.finished === undefined && !record.cancelled) return record;
  const { finished: _, ...rest } = record;
  return { ...rest, cancelled: false, countFrom: record.handles.length };
}
