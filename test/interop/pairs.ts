import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Library, readFiles, runWidemerge, writeCheckpoints } from "./tools.ts";

/** One pair that a library wrote, and what widemerge must make of it. */
interface Case {
  readonly pair: string;
  readonly settings: readonly string[];
  /** What must happen to each table; tables that are not named may go either way. */
  readonly actions: Readonly<Record<string, "splice" | "align">>;
  /** Libraries that cannot read this writer's files at all. */
  readonly unreadable: readonly string[];
  /** A column whose name a refusal must give, where refusing is as good as splicing. */
  readonly mayRefuse?: string;
}

/** A case after the merge. */
export interface Merged {
  readonly case: Case;
  readonly exitCode: number;
  readonly said: string;
  /** Input table → file, in the order of the case. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly output: string;
}

/** The manifest's word on the tables, as far as these tests use it. */
export interface ManifestTables {
  readonly inputs: readonly {
    readonly table: string;
    readonly action: string;
    readonly reason: string;
    readonly columns: readonly { readonly input: string; readonly output: string }[];
  }[];
}

/** Lets a library write its checkpoints into a folder and merges each of them. */
export async function mergeAll(writer: Library, folder: string): Promise<Merged[]> {
  const input = join(folder, "checkpoints");
  const output = join(folder, "training");
  writeCheckpoints(writer, input);
  const cases: Case[] = JSON.parse(readFileSync(join(input, "cases.json"), "utf8"));
  const merged: Merged[] = [];
  for (const one of cases) {
    const flags = ["--input", input, "--output", output, "--verify", "full", "--json"];
    const { status, stdout, stderr } = await runWidemerge("merge", one.pair, ...flags, ...one.settings);
    const path = join(output, `training_${one.pair}.parquet`);
    const inputs = listTables(join(input, one.pair));
    merged.push({ case: one, exitCode: status ?? -1, said: problemsIn(stdout) ?? stderr, inputs, output: path });
  }
  return merged;
}

function problemsIn(stdout: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(stdout).problems, null, 2);
  } catch {
    return undefined;
  }
}

function listTables(folder: string): Map<string, string> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".parquet"));
  return new Map(files.map((file) => [basename(file, ".parquet"), join(folder, file)]));
}

/** Lets a library read every input and output; what it saw lies beside each file. */
export function readAll(reader: Library, merged: readonly Merged[]): void {
  const files = merged.flatMap((one) => [...one.inputs.values(), one.output]).filter((path) => existsSync(path));
  readFiles(
    reader,
    files.map((path) => [path, `${path}.${reader}.json`] as const),
  );
}

/** Whether a pair that may be refused was: with exit 3 and the column's name. Any other failure is none. */
export function refused(one: Merged): boolean {
  const column = one.case.mayRefuse;
  return column !== undefined && one.exitCode === 3 && one.said.includes(column) && !existsSync(one.output);
}

/** The manifest of a pair that was merged. */
export function manifestOf(one: Merged): ManifestTables {
  return JSON.parse(readFileSync(one.output.replace(/\.parquet$/, ".manifest.json"), "utf8"));
}
