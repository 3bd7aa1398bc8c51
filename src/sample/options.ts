import { ExitCode } from "../model/exit-code.ts";
import { failOn, type Problem } from "../model/failure.ts";
import { formatCount } from "../model/units.ts";
import { defaultPairs, fxPairs } from "./pairs.ts";
import { realDays } from "./rates.ts";
import { fullTables } from "./widths.ts";

/** The options of a sample. The same options give the same bytes. */
export interface SampleOptions {
  /** Folder for the checkpoints, one folder per pair. */
  readonly out: string;
  readonly pairs: readonly string[];
  /** Feature tables of each pair, or "full": 667 tables with 16,988 columns. */
  readonly tables: number | "full";
  readonly rows: number;
  /** Share of the feature tables that have missing rows, extra rows, or rows in another order. */
  readonly misaligned: number;
  /** Share of the feature tables that have duplicate keys. */
  readonly duplicates: number;
  readonly seed: number;
  /** Replace pairs that were made with other options. */
  readonly force: boolean;
  /** Stops between two tables; the unfinished pair is removed. */
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

/** Default number of feature tables per pair: every family is there, and 27 pairs take seconds. */
export const defaultTables = 40;

/** The range of a flag's whole number, and its default. */
interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly usual: number;
}

/** Two rows are the fewest that can be out of order; two million weekdays end just before the year 9999. */
const rowBounds: Bounds = { least: 2, most: 2_000_000, usual: realDays };
const tableBounds: Bounds = { least: 1, most: fullTables, usual: defaultTables };
const seedBounds: Bounds = { least: 0, most: 2 ** 32 - 1, usual: 1 };

/** Checks the flags. @throws one usage Failure with everything that is wrong. */
export function parseSampleFlags(flags: SampleFlags): SampleOptions {
  const problems: Problem[] = [];
  const options: SampleOptions = {
    out: parseFolder(flags.out ?? "checkpoints", problems),
    pairs: parsePairs(flags.pairs, problems),
    tables: parseTables(flags, problems),
    rows: parseCount("--rows", flags.rows, rowBounds, problems),
    misaligned: parseShare("--misaligned", flags.misaligned, problems),
    duplicates: parseShare("--duplicates", flags.duplicates, problems),
    seed: parseCount("--seed", flags.seed, seedBounds, problems),
    force: flags.force ?? false,
  };
  failOn(ExitCode.usage, problems);
  return options;
}

function parseFolder(out: string, problems: Problem[]): string {
  if (out === "") problems.push({ what: "--out is empty", fix: "name a folder, such as checkpoints" });
  return out;
}

function parsePairs(list: string | undefined, problems: Problem[]): readonly string[] {
  if (list === undefined) return defaultPairs;
  const pairs = [...new Set(list.split(",").map((pair) => pair.trim()))];
  for (const pair of pairs.filter((candidate) => !fxPairs.includes(candidate))) {
    const fix = `choose from ${fxPairs.join(", ")}`;
    problems.push({ what: "--pairs contains a pair without rates", found: `"${pair}"`, fix });
  }
  return pairs;
}

function parseTables({ full, tables }: SampleFlags, problems: Problem[]): number | "full" {
  if (full !== true) return parseCount("--tables", tables, tableBounds, problems);
  if (tables !== undefined) {
    const fix = `remove --tables: --full always has ${fullTables} tables`;
    problems.push({ what: "--full and --tables cannot be combined", found: `--tables ${tables}`, fix });
  }
  return "full";
}

function parseCount(flag: string, text: string | undefined, bounds: Bounds, problems: Problem[]): number {
  if (text === undefined) return bounds.usual;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.least && value <= bounds.most) return value;
  const fix = `use a whole number from ${formatCount(bounds.least)} to ${formatCount(bounds.most)}`;
  problems.push({ what: `${flag} is out of range`, found: `"${text}"`, fix });
  return bounds.usual;
}

function parseShare(flag: string, text: string | undefined, problems: Problem[]): number {
  if (text === undefined) return 0;
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 1) return value;
  problems.push({ what: `${flag} is not a share`, found: `"${text}"`, fix: "use a number from 0 to 1, such as 0.2" });
  return 0;
}
