import { ExitCode } from "../contract/exit.ts";
import { failOn, type Problem } from "../contract/failure.ts";
import { defaultPairs, fxPairs } from "./pairs.ts";
import { realDays } from "./rates.ts";
import { fullTables } from "./widths.ts";

/** What a sample is made of. The same options give the same bytes. */
export interface SampleOptions {
  /** Folder that gets one folder a pair. */
  readonly out: string;
  readonly pairs: readonly string[];
  /** Feature tables of each pair, or "full": 667 tables with 16,988 columns. */
  readonly tables: number | "full";
  readonly rows: number;
  /** Share of the feature tables that lack rows, have extra rows, or are unsorted. */
  readonly misaligned: number;
  /** Share of the feature tables that have some keys twice. */
  readonly duplicates: number;
  readonly seed: number;
  /** Replace pairs that are there from other options. */
  readonly force: boolean;
  /** Stops between two tables; what was begun is removed. */
  readonly signal?: AbortSignal;
}

/** The flags as they were typed. */
export interface SampleFlags {
  readonly out?: string;
  readonly pairs?: string;
  readonly tables?: string;
  readonly full?: boolean;
  readonly rows?: string;
  readonly misaligned?: string;
  readonly duplicates?: string;
  readonly seed?: string;
  readonly force?: boolean;
}

export const defaultTables = 40;
const mostRows = 10_000_000;

/** Checks the flags; throws one usage Failure with everything that is wrong. */
export function parseSampleFlags(flags: SampleFlags): SampleOptions {
  const problems: Problem[] = [];
  const number = (flag: "tables" | "rows" | "seed", least: number, most: number, usual: number): number => {
    const text = flags[flag] ?? String(usual);
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const range = `${least.toLocaleString("en-US")} to ${most.toLocaleString("en-US")}`;
    problems.push({ what: `--${flag} is not in its range`, found: `"${text}"`, fix: `give a whole number from ${range}` });
    return usual;
  };
  const share = (flag: "misaligned" | "duplicates"): number => {
    const text = flags[flag] ?? "0";
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (value <= 1) return value;
    problems.push({ what: `--${flag} is not a share`, found: `"${text}"`, fix: "give a number from 0 to 1, such as 0.2" });
    return 0;
  };
  if (flags.full === true && flags.tables !== undefined) problems.push(fullOrTables(flags.tables));
  if (flags.out === "") problems.push({ what: "--out is empty", found: '""', fix: "name a folder, such as checkpoints" });
  const options = {
    out: flags.out ?? "checkpoints",
    pairs: parsePairs(flags.pairs, problems),
    tables: flags.full === true ? ("full" as const) : number("tables", 1, fullTables, defaultTables),
    rows: number("rows", 1, mostRows, realDays),
    misaligned: share("misaligned"),
    duplicates: share("duplicates"),
    seed: number("seed", 0, 2 ** 32 - 1, 1),
    force: flags.force ?? false,
  };
  failOn(ExitCode.usage, problems);
  return options;
}

function parsePairs(list: string | undefined, problems: Problem[]): readonly string[] {
  if (list === undefined) return defaultPairs;
  const pairs = [...new Set(list.split(",").map((pair) => pair.trim()))];
  for (const pair of pairs.filter((candidate) => !fxPairs.includes(candidate))) {
    problems.push({ what: "--pairs names an unknown pair", found: `"${pair}"`, fix: `choose from ${fxPairs.join(", ")}` });
  }
  return pairs;
}

function fullOrTables(tables: string): Problem {
  const fix = `leave out --tables: --full is always ${fullTables} tables`;
  return { what: "--full and --tables exclude each other", found: `--tables ${tables}`, fix };
}
