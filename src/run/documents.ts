import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { documentFix } from "../model/run-documents.ts";
import { formatNumber } from "../model/units.ts";
import type { Store } from "../store/store.ts";
import { checkAttempt, checkPair, checkReport, checkRun } from "./stored-names.ts";

/** The part of a store that a run needs for its small documents. */
export type RunStore = Pick<Store, "join" | "list" | "stat" | "readText" | "writeText" | "writeTextIf" | "remove">;

/** Where the documents of a run are, under `<output>/runs/`. */
export interface RunPaths {
  /** The run in the list of runs: its presence claims the name. */
  readonly entry: string;
  readonly record: string;
  readonly lease: string;
  /** Asks the controller to cancel the run. */
  readonly cancel: string;
  /** How a launch ended; absent while it is open. */
  launch(number: number): string;
  /** What a worker said of itself. */
  result(pair: string, attempt: string): string;
  /** A report for people. */
  document(name: string): string;
}

/** The folder that lists all runs of an output folder. */
export function runsFolder(store: Pick<RunStore, "join">, output: string): string {
  return store.join(output, "runs");
}

/**
 * The paths of a run. Each name that becomes a part of a path is checked here, wherever it comes from.
 * @throws Failure (input) for a name that leads elsewhere
 */
export function runPaths(store: Pick<RunStore, "join">, output: string, run: string): RunPaths {
  const runs = runsFolder(store, output);
  checkRun(run);
  const folder = store.join(runs, run);
  return {
    entry: store.join(runs, `${run}.json`),
    record: store.join(folder, "run.json"),
    lease: store.join(folder, "lease.json"),
    cancel: store.join(folder, "cancel.json"),
    launch: (number) => store.join(folder, "launches", `${number}.json`),
    result: (pair, attempt) => store.join(folder, "results", checkPair(pair), `${checkAttempt(attempt)}.json`),
    document: (name) => store.join(folder, ...checkReport(name).split("/")),
  };
}

/**
 * A document that widemerge wrote; undefined if there is none. What it says is for the reader to check.
 * @throws Failure (input) if this version cannot read it
 */
export async function readDocument<Kind extends { readonly format: 1 }>(
  store: Pick<RunStore, "readText">,
  path: string,
): Promise<Kind | undefined> {
  const text = await store.readText(path);
  if (text === undefined) return undefined;
  const document = decodeDocument<Kind>(text);
  if (document !== undefined) return document;
  const what = `${path} is no document that this version can read`;
  throw new Failure(ExitCode.input, [{ what, found: formatNumber(text.length, "character"), fix: documentFix }]);
}

/** The document of a text; undefined where this version cannot read it. */
export function decodeDocument<Kind extends { readonly format: 1 }>(text: string): Kind | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && "format" in found && found.format === 1
      ? (found as Kind)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a document. */
export function formatDocument(document: { readonly format: 1 }): string {
  return `${JSON.stringify(document)}\n`;
}

/** Reports with their paths in a run's folder in place of their names. */
export function locateReports(paths: RunPaths, reports: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...reports].map(([name, text]) => [paths.document(name), text]));
}
