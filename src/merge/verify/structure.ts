import { type Problem, summarize } from "../../model/failure.ts";
import { agree, formatCount, formatNumber } from "../../model/units.ts";
import { checkFooter, checkReadable } from "../../parquet/footer-check.ts";
import { type LocatedFooter, ParquetError, readFooter } from "../../parquet/footer-reader.ts";
import type { OpenFile } from "../../store/store.ts";
import { outputFooterGuess } from "../budget.ts";
import { checkFilePages } from "../inspect/page-headers.ts";

/** The expected shape of the output: rows, row groups, and its columns in order. */
export interface ExpectedOutput {
  readonly rows: number;
  readonly rowGroups: readonly number[];
  readonly columns: readonly string[];
}

export interface StructureCheck {
  readonly located: LocatedFooter | undefined;
  readonly pages: number;
  readonly problems: readonly Problem[];
}

/** Reads the footer of a wide file. @throws ParquetError when there is none. */
export function readOutputFooter(opened: OpenFile): Promise<LocatedFooter> {
  return opened.isRemote ? readFooter(opened) : readFooter(opened, outputFooterGuess);
}

/**
 * Checks a finished file without decoding it: footer, offsets and counts, and every page header of a file on a disk. In a
 * bucket page headers could only be read by reading everything.
 */
export async function checkStructure(opened: OpenFile, expected: ExpectedOutput | undefined): Promise<StructureCheck> {
  try {
    const located = await readOutputFooter(opened);
    const { footer, start } = located;
    const problems = [
      ...checkReadable(footer).map(({ found }) => toProblem(found)),
      ...summarize(checkFooter(footer, start), toProblem),
      ...(expected === undefined ? [] : compare(located, expected).map(toProblem)),
    ];
    if (problems.length > 0) return { located, pages: 0, problems };
    const { pages, broken } = opened.isRemote ? { pages: 0, broken: [] } : checkFilePages(footer, opened);
    return { located, pages, problems: summarize(broken, toProblem) };
  } catch (error) {
    if (!(error instanceof ParquetError)) throw error;
    return { located: undefined, pages: 0, problems: [toProblem(error.message)] };
  }
}

function compare({ footer }: LocatedFooter, expected: ExpectedOutput): string[] {
  const names = footer.columns.map((column) => column.name);
  const groups = footer.rowGroups.map((group) => group.rows);
  const wrong = names.findIndex((name, index) => name !== expected.columns[index]);
  return [
    ...(footer.rows === expected.rows ? [] : [describeCount(footer.rows, expected.rows, "row")]),
    ...(groups.join() === expected.rowGroups.join()
      ? []
      : [`row groups of ${groups.join(", ")} rows where ${expected.rowGroups.join(", ")} are expected`]),
    ...(names.length === expected.columns.length
      ? []
      : [describeCount(names.length, expected.columns.length, "column")]),
    ...(wrong === -1
      ? []
      : [`column ${wrong} is ${names[wrong]} where ${expected.columns[wrong] ?? "none"} is expected`]),
  ];
}

function describeCount(found: number, expected: number, thing: string): string {
  return `${formatNumber(found, thing)} where ${formatCount(expected)} ${agree(expected, "is", "are")} expected`;
}

function toProblem(found: string): Problem {
  return {
    what: "the file fails the structure check",
    found,
    fix: "merge the pair again with --replace; if that does not help, report it",
  };
}
