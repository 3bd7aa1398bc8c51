/**
 * Names that come from the documents of a run are checked like names that are given: they become paths, labels and parts
 * of requests, and whoever can write into the folder of the runs must not reach beyond it.
 */
import * as v from "valibot";
import { backendNames } from "../model/backend-name.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { Attempt, HandleName, Pair, RunId } from "../model/names.ts";
import type { Launch } from "../model/run.ts";
import type { StoredFile } from "../store/store.ts";

/** A run in the list of runs. */
export interface RunEntry {
  readonly format: 1;
  readonly run: string;
  /** RFC 3339. */
  readonly created: string;
}

const count = v.pipe(v.number("a number"), v.integer("a whole number"), v.minValue(0, "a number from 0 on"));
const text = v.string("a text");

/** Some fields of a document, among others. */
function fields<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.looseObject(entries, "a document");
}

function list<const Item extends v.GenericSchema>(item: Item) {
  return v.array(item, "a list");
}

const Entry = fields({ run: RunId, created: text });

const LaunchNames = fields({
  run: RunId,
  number: count,
  tasks: list(fields({ index: count, pair: Pair })),
  ceilingBytes: count,
  generation: v.exactOptional(count),
});

const backend = v.picklist(backendNames, `one of ${backendNames.join(", ")}`);

const RecordNames = fields({
  run: RunId,
  backend,
  input: text,
  output: text,
  pairs: list(Pair),
  doneBefore: list(Pair),
  handles: list(fields({ backend, name: HandleName, launch: LaunchNames })),
  pending: v.exactOptional(LaunchNames),
  generation: v.exactOptional(count),
});

const LaunchEnd = fields({
  handle: fields({ launch: LaunchNames }),
  statuses: list(fields({ index: count, pair: Pair, attempts: list(fields({ id: Attempt })) })),
});

/** What is wrong with an entry of the list of runs. A file names the run that it is called after, and no other one. */
export function checkEntry(entry: unknown, { name, path }: Pick<StoredFile, "name" | "path">): readonly Problem[] {
  const parsed = v.safeParse(Entry, entry);
  if (!parsed.success) return parsed.issues.map((issue) => describe(issue, path));
  return parsed.output.run === name.slice(0, -".json".length) ? [] : [otherRun(parsed.output.run, path)];
}

/** What is wrong with the names in the record of a run. */
export function checkRecord(
  record: unknown,
  { run, path }: { readonly run: string; readonly path: string },
): Problem[] {
  const parsed = v.safeParse(RecordNames, record);
  if (!parsed.success) return parsed.issues.map((issue) => describe(issue, path));
  const { handles, pending } = parsed.output;
  const launches = [...handles.map(({ launch }) => launch), ...(pending === undefined ? [] : [pending])];
  const runs = new Set([parsed.output.run, ...launches.map((launch) => launch.run)]);
  return [...runs].filter((name) => name !== run).map((name) => otherRun(name, path));
}

/** What is wrong with the document that says how a launch ended. */
export function checkLaunchEnd(
  document: unknown,
  { launch, path }: { readonly launch: Launch; readonly path: string },
): readonly Problem[] {
  const parsed = v.safeParse(LaunchEnd, document);
  if (!parsed.success) return parsed.issues.map((issue) => describe(issue, path));
  const pairs = new Set(launch.tasks.map(({ pair }) => pair));
  const strangers = parsed.output.statuses.filter(({ pair }) => !pairs.has(pair)).map(({ pair }) => pair);
  return strangers.map((pair) => ({ what: `${path} tells of a pair that its launch does not have`, found: pair, fix }));
}

const fix = "somebody else changed this document: move it away, or restore it";

function describe(issue: v.BaseIssue<unknown>, path: string): Problem {
  const place = v.getDotPath(issue) ?? "the document";
  return { what: `${path}: ${place} is not ${issue.message}`, found: show(issue.input), fix };
}

function otherRun(run: string, path: string): Problem {
  return { what: `${path} is the document of another run`, found: JSON.stringify(run), fix };
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 200);
}

/** @throws Failure (input) */
export function checkRun(name: string): string {
  return check(RunId, name, "run");
}

/** @throws Failure (input) */
export function checkPair(name: string): string {
  return check(Pair, name, "pair");
}

/** @throws Failure (input) */
export function checkAttempt(name: string): string {
  return check(Attempt, name, "attempt");
}

const ReportName = v.pipe(v.string(), v.regex(/^([A-Za-z0-9][A-Za-z0-9_-]*\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/));

/** The name of a report in a run's folder, such as costs/audusd.json. @throws Failure (input) */
export function checkReport(name: string): string {
  return check(ReportName, name, "report");
}

function check(schema: v.GenericSchema<string>, name: string, kind: string): string {
  if (v.is(schema, name)) return name;
  const problem = { what: `no ${kind} of a run can have this name`, found: JSON.stringify(name), fix };
  throw new Failure(ExitCode.input, [problem]);
}
