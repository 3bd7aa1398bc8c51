import { ExitCode } from "./exit-code.ts";

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
}

/** An error with an exit code and every problem that was found, not only the first. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  readonly problems: readonly Problem[];

  constructor(exitCode: ExitCode, problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(describeProblem).join("\n"), options);
    this.name = "Failure";
    this.exitCode = exitCode;
    this.problems = problems;
  }
}

/** One line: "what: found …; fix", or "what: fix" where nothing was found. */
export function describeProblem(problem: Problem): string {
  const where = problem.table === undefined ? "" : `${problem.table}: `;
  const found = problem.found === undefined ? "" : `found ${problem.found}; `;
  return `${where}${problem.what}: ${found}${problem.fix}`;
}

/** Throws one Failure that holds all problems, if there are any. */
export function failOn(exitCode: ExitCode, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new Failure(exitCode, problems);
}

const storageErrors: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free space or choose another output folder, then run again",
  EDQUOT: "the disk quota is used up: free space or choose another output folder, then run again",
  EIO: "the disk reported an I/O error: check it, then run again",
  EMFILE: "too many open files: raise `ulimit -n`, then run again",
  ENFILE: "too many open files on this machine: close some, then run again",
  EACCES: "grant this user the permission, then run again",
  EPERM: "grant this user the permission, then run again",
  EROFS: "the file system is read-only: choose another output folder",
};

/** Turns any thrown value into a Failure. File-system errors have a cause and advice of their own; the rest is unexpected. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const fix = storageErrors[code];
  if (fix !== undefined) {
    const exitCode = ["EACCES", "EPERM", "EROFS"].includes(code) ? ExitCode.input : ExitCode.transient;
    return new Failure(exitCode, [{ what: "storage failed", found: cause.message, fix }], { cause });
  }
  const problem = {
    what: "unexpected error",
    found: cause.message,
    fix: "run again; if it happens again, report it with this text",
  };
  return new Failure(ExitCode.unexpected, [problem], { cause });
}
