import { ExitCode } from "./exit-code.ts";
import { formatCount } from "./units.ts";

/** One thing that is wrong, described so that the reader can act on it. */
export interface Problem {
  /** What is wrong, in one clause. */
  readonly what: string;
  /** What was found instead: the value, the count, the first example. Absent where nothing was found. */
  readonly found?: string;
  /** What to do about it. */
  readonly fix: string;
  /** The table it concerns, where it concerns one. */
  readonly table?: string;
  /** How many more problems like this one were found and left out. */
  readonly more?: number;
}

/** Problems of one table with the same fix that are told one by one; the last of them counts the rest. */
const mostAlike = 10;
/** Problems that are told at all. */
const mostProblems = 2000;
/** Characters of each part of a problem: a name can be as long as its file. */
const mostCharacters = 4000;

/** The problems of a file as they are found, for files that can have millions: the first of them, the rest counted. */
export function summarize(found: Iterable<string>, toProblem: (found: string) => Problem): Problem[] {
  const problems: Problem[] = [];
  let more = 0;
  for (const text of found)
    if (problems.length < mostAlike) problems.push(toProblem(text));
    else more += 1;
  return countRest(problems, more);
}

/** Problems as they can be told: of many that are alike only the first, and none of unlimited length. */
export function limitProblems(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= mostAlike && problems.every(isShort)) return problems;
  const groups = Map.groupBy(problems, ({ table, fix }) => JSON.stringify([table, fix]));
  const more = new Map<Problem, number>();
  const kept = new Set<Problem>();
  for (const alike of groups.values()) {
    const rest = alike.slice(mostAlike).reduce((sum, problem) => sum + 1 + (problem.more ?? 0), 0);
    const told = alike.slice(0, mostAlike);
    for (const problem of told) kept.add(problem);
    const last = told.at(-1);
    if (rest > 0 && last !== undefined) more.set(last, (last.more ?? 0) + rest);
  }
  const told = problems.filter((problem) => kept.has(problem));
  const rest = told.slice(mostProblems).reduce((sum, problem) => sum + 1 + (more.get(problem) ?? problem.more ?? 0), 0);
  const limited = told.slice(0, mostProblems).map((problem) => {
    const count = more.get(problem) ?? problem.more;
    return shorten(count === undefined ? problem : { ...problem, more: count });
  });
  return countRest(limited, rest);
}

function countRest(problems: Problem[], rest: number): Problem[] {
  const last = problems.at(-1);
  return rest === 0 || last === undefined
    ? problems
    : [...problems.slice(0, -1), { ...last, more: (last.more ?? 0) + rest }];
}

function shorten(problem: Problem): Problem {
  if (isShort(problem)) return problem;
  const { what, found, fix } = problem;
  return { ...problem, what: cut(what), ...(found === undefined ? {} : { found: cut(found) }), fix: cut(fix) };
}

function isShort({ what, found, fix }: Problem): boolean {
  return Math.max(what.length, found?.length ?? 0, fix.length) <= mostCharacters;
}

function cut(text: string): string {
  if (text.length <= mostCharacters) return text;
  return `${text.slice(0, mostCharacters)}… (${formatCount(text.length - mostCharacters)} more characters)`;
}

/** An error with an exit code and every problem that was found, not only the first. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];

  constructor(exitCode: ExitCode, problems: readonly Problem[], options?: ErrorOptions) {
    const told = limitProblems(problems);
    super(told.map(describeProblem).join("\n"), options);
    this.name = "Failure";
    this.exitCode = exitCode;
    this.problems = told;
  }
}

/** One line: "what: found …; fix", or "what: fix" where nothing was found; "; and 39,990 more like this" where there are. */
export function describeProblem(problem: Problem): string {
  const where = problem.table === undefined ? "" : `${problem.table}: `;
  const found = problem.found === undefined ? "" : `found ${problem.found}; `;
  const more = problem.more === undefined ? "" : `; and ${formatCount(problem.more)} more like this`;
  return `${where}${problem.what}: ${found}${problem.fix}${more}`;
}

/** Throws one Failure that holds all problems, if there are any. */
export function failOn(exitCode: ExitCode, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new Failure(exitCode, problems);
}

/** What to do about an error of the file system, and whether the same may succeed later. */
interface StorageAdvice {
  readonly exitCode: typeof ExitCode.input | typeof ExitCode.transient;
  readonly fix: string;
}

const later = (fix: string): StorageAdvice => ({ exitCode: ExitCode.transient, fix });
const never = (fix: string): StorageAdvice => ({ exitCode: ExitCode.input, fix });

const storageErrors: Readonly<Record<string, StorageAdvice>> = {
  ENOSPC: later("the disk is full: free space or choose another output folder, then run again"),
  EDQUOT: later("the disk quota is used up: free space or choose another output folder, then run again"),
  EIO: later("the disk reported an I/O error: check it, then run again"),
  EMFILE: later("too many open files: raise `ulimit -n`, then run again"),
  ENFILE: later("too many open files on this machine: close some, then run again"),
  EACCES: never("grant this user the permission, then run again"),
  EPERM: never("grant this user the permission, then run again"),
  EROFS: never("the file system is read-only: choose another output folder"),
  EFBIG: never(
    "the file system or `ulimit -f` allows no file of this size: raise the limit, or choose another output folder",
  ),
  ELOOP: never("a symbolic link leads back to itself: correct it, then run again"),
  ENAMETOOLONG: never("the file system allows no name of this length: choose a shorter one"),
  EISDIR: never("a folder has the name of a file: move it away, then run again"),
  ENOTDIR: never("a file has the name of a folder: move it away, then run again"),
};

/** Turns any thrown value into a Failure. File-system errors have a cause and advice of their own; the rest is unexpected. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const advice = Object.hasOwn(storageErrors, code) ? storageErrors[code] : undefined;
  if (advice !== undefined) {
    const { exitCode, fix } = advice;
    return new Failure(exitCode, [{ what: "storage failed", found: cause.message, fix }], { cause });
  }
  const problem = {
    what: "unexpected error",
    found: cause.message,
    fix: "run again; if it happens again, report it with this text",
  };
  return new Failure(ExitCode.unexpected, [problem], { cause });
}
