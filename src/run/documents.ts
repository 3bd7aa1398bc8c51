import pMap from "p-map";
import type { Store } from "../store/store.ts";

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

export function runPaths(store: Pick<RunStore, "join">, output: string, run: string): RunPaths {
  const runs = runsFolder(store, output);
  const folder = store.join(runs, run);
  return {
    entry: store.join(runs, `${run}.json`),
    record: store.join(folder, "run.json"),
    lease: store.join(folder, "lease.json"),
    cancel: store.join(folder, "cancel.json"),
    launch: (number) => store.join(folder, "launches", `${number}.json`),
    result: (pair, attempt) => store.join(folder, "results", pair, `${attempt}.json`),
    document: (name) => store.join(folder, ...name.split("/")),
  };
}

/**
 * A document that widemerge wrote; undefined if there is none, or none that this version can read. Its content is trusted as
 * far as the folder is.
 */
export async function readDocument<Kind extends { readonly format: 1 }>(
  store: Pick<RunStore, "readText">,
  path: string,
): Promise<Kind | undefined> {
  const text = await store.readText(path);
  if (text === undefined) return undefined;
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

/** Writes reports into a run's folder, by their names. */
export async function writeReports(
  store: RunStore,
  paths: RunPaths,
  reports: ReadonlyMap<string, string>,
): Promise<void> {
  await pMap(reports, ([name, text]) => store.writeText(paths.document(name), text), { concurrency: 4 });
}
