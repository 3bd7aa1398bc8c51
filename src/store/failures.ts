/** The refusals that every store gives in the same words. */
import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";

/** An output cannot be published, because another one was published meanwhile. */
export function anotherOutput(path: string): Failure {
  const problem = {
    what: "another output appeared while this one was being made",
    found: `${path} with other content`,
    fix: "check who else merges this pair; then run again to compare, or with --replace",
  };
  return new Failure(ExitCode.input, [problem]);
}

/** An input is no longer the version that was listed; `found`: what is there now. */
export function inputChanged(path: string, found: string, options?: ErrorOptions): Failure {
  const fix = "wait until the extraction has finished, then merge again";
  return new Failure(ExitCode.input, [{ what: `${path} changed during the merge`, found, fix }], options);
}
