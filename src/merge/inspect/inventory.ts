import { completeMarker, listTables, parseExpected, tableSuffix } from "../../model/checkpoint.ts";
import { ExitCode } from "../../model/exit-code.ts";
import { Failure, type Problem } from "../../model/failure.ts";
import type { InputFile } from "../../model/plan.ts";
import type { Job } from "../job.ts";

/** What lies in a checkpoint folder: the targets, the feature tables by name, and what is wrong with the set. */
export interface Inventory {
  readonly targets: InputFile | undefined;
  readonly features: readonly InputFile[];
  readonly problems: readonly Problem[];
}

/**
 * Lists the checkpoint of a pair and compares it with what was expected; opens no table.
 * @throws Failure (input) when there is no such folder.
 */
export async function takeInventory(job: Job): Promise<Inventory> {
  const folder = job.store.join(job.settings.input, job.pair);
  const files = await job.store.list(folder);
  if (files === undefined) {
    throw new Failure(ExitCode.input, [
      { what: `no checkpoint of ${job.pair}`, found: `no folder ${folder}`, fix: "check --input and the pair's name" },
    ]);
  }
  const tables = listTables(files);
  const targets = tables.find((table) => table.table === job.settings.targets);
  const problems = [
    ...(job.settings.requireMarker && !files.some((file) => file.name === completeMarker)
      ? [missingMarker(folder)]
      : []),
    ...(targets === undefined ? [missingTargets(job.settings.targets, folder)] : []),
    ...(await compareWithExpected(job, tables)),
  ];
  return { targets, features: tables.filter((table) => table !== targets), problems };
}

function missingMarker(folder: string): Problem {
  return {
    what: "the checkpoint is not marked complete",
    found: `no ${completeMarker} in ${folder}`,
    fix: "wait until the extraction is over, or pass --no-require-marker",
  };
}

function missingTargets(name: string, folder: string): Problem {
  return {
    what: "no targets table",
    found: `no ${name}${tableSuffix} in ${folder}`,
    fix: "extract the targets, or name their table with --targets",
    table: name,
  };
}

async function compareWithExpected(job: Job, tables: readonly InputFile[]): Promise<Problem[]> {
  const expected = job.settings.expectTables;
  if (expected === undefined) return [];
  if (typeof expected === "number") return compareCount(expected, tables.length);
  const names = await readExpected(job, expected);
  const found = new Set(tables.map((table) => table.table));
  const missing = names.filter((name) => !found.has(name));
  const wanted = new Set(names);
  const surplus = [...found].filter((name) => !wanted.has(name));
  return [
    ...missing.map((table) => ({ what: "table missing", found: "no such file", fix: "extract this table", table })),
    ...surplus.map((table) => ({
      what: "table not expected",
      found: `${table}${tableSuffix}`,
      fix: `remove it, or add it to ${expected}`,
      table,
    })),
  ];
}

function compareCount(expected: number, found: number): Problem[] {
  if (found === expected) return [];
  const fix =
    found < expected
      ? "extract what is missing; a list of names in a file tells which (--expect-tables FILE)"
      : "remove what does not belong there, or correct --expect-tables";
  return [{ what: `${expected} tables expected, targets included`, found: `${found} tables`, fix }];
}

/** The expected names from their file. @throws Failure (usage) when there is none. */
async function readExpected(job: Job, path: string): Promise<readonly string[]> {
  const text = await job.store.readText(path);
  if (text === undefined) {
    throw new Failure(ExitCode.usage, [
      {
        what: "no list of expected tables",
        found: `no file ${path}`,
        fix: "give a number or an existing file to --expect-tables",
      },
    ]);
  }
  return parseExpected(text, job.pair);
}
