import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";

/** The refusal to put an output where another one appeared meanwhile. */
export function overtaken(path: string): Failure {
  const problem = {
    what: "another output appeared while this one was being made",
    found: `${path} with other content`,
    fix: "see who else merges this pair; run again to compare, or with --replace",
  };
  return new Failure(ExitCode.input, [problem]);
}
