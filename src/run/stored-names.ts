/**
 * Names that come from the documents of a run are checked like names that are given: they become paths, labels and parts
 * of requests, and whoever can write into the folder of the runs must not reach beyond it.
 */
import * as v from "valibot";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { Attempt, Pair, RunId } from "../model/names.ts";
import type { Launch } from "../model/run.ts";
import {
  checkDocument,
  documentFix,
  RunEntry as EntryDocument,
  LaunchEnd,
  RecordDocument,
  WorkerRecordDocument,
} from "../model/run-documents.ts";
import type { StoredFile } from "../store/store.ts";

/** A run in the list of runs. */
export interface RunEntry {
  readonly format: 1;
  readonly run: string;
  /** RFC 3339. */
  readonly created: string;
}

/** What is wrong with an entry of the list of runs. A file names the run that it is called after, and no other one. */
export function checkEntry(entry: unknown, { name, path }: Pick<StoredFile, "name" | "path">): readonly Problem[] {
  return checkDocument(EntryDocument, entry, path, ({ run }) =>
    run === name.slice(0, -".json".length) ? [] : [otherRun(run, path)],
  );
}

/** What is wrong with the names in the record of a run. */
export function checkRecord(
  record: unknown,
  { run, path }: { readonly run: string; readonly path: string },
): readonly Problem[] {
  return checkDocument(RecordDocument, record, path, ({ handles, pending, run: own }) => {
    const launches = [...handles.map(({ launch }) => launch), ...(pending === undefined ? [] : [pending])];
    const runs = new Set([own, ...launches.map((launch) => launch.run)]);
    return [...runs].filter((name) => name !== run).map((name) => otherRun(name, path));
  });
}

/** What is wrong with the document that says how a launch ended. */
export function checkLaunchEnd(
  document: unknown,
  { launch, path }: { readonly launch: Launch; readonly path: string },
): readonly Problem[] {
  return checkDocument(LaunchEnd, document, path, ({ statuses }) => {
    const pairs = new Set(launch.tasks.map(({ pair }) => pair));
    const what = `${path} tells of a pair that its launch does not have`;
    const strangers = statuses.filter(({ pair }) => !pairs.has(pair));
    return strangers.map(({ pair }) => ({ what, found: pair, fix: documentFix }));
  });
}

function otherRun(run: string, path: string): Problem {
  return { what: `${path} is the document of another run`, found: JSON.stringify(run), fix: documentFix };
}

/** What is wrong with the record that a worker left. */
export function checkWorkerRecord(
  document: unknown,
  { pair, attempt, path }: { readonly pair: string; readonly attempt: string; readonly path: string },
): readonly Problem[] {
  const what = `${path} is the document of another attempt`;
  return checkDocument(WorkerRecordDocument, document, path, (record) =>
    record.pair === pair && record.attempt === attempt
      ? []
      : [{ what, found: JSON.stringify(record.attempt), fix: documentFix }],
  );
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
  const problem = { what: `no ${kind} of a run can have this name`, found: JSON.stringify(name), fix: documentFix };
  throw new Failure(ExitCode.input, [problem]);
}
