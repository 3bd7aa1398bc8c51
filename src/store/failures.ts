/** The refusals that every store gives in the same words. */
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";

/** An output cannot be published, because another one was published meanwhile. */
export function anotherOutput(path: string): Failure {
  const problem = {
    what: "another output appeared while this one was being made",
    found: `${path} with other content`,
    fix: "check who else merges this pair; then run again to compare, or with --replace",
  };
  return new Failure(ExitCode.input, [problem]);
}

/** What arrived of an object is not what the bucket has; both as CRC32C, 8 hexadecimal digits. */
export function alteredOnTheWay(path: string, found: string, due: string): Failure {
  const what = `the bytes that arrived of ${path} are not those in the bucket`;
  const fix = "run again; if that does not help, check the proxies on the way and the memory of this machine";
  return new Failure(ExitCode.transient, [{ what, found: `CRC32C ${found}, the object's is ${due}`, fix }]);
}

/** The folder of an output is gone, or the output in it. */
export function outputRemoved(path: string, options?: ErrorOptions): Failure {
  const what = `the output was removed while it was being made: ${path}`;
  const fix = "check which program removes files there; then run again";
  return new Failure(ExitCode.transient, [{ what, fix }], options);
}

/** A staged output is no longer what was written; `found`: what is there now. */
export function outputChanged(path: string, found: string): Failure {
  const fix = "check which program writes into the output folder, then merge the pair again";
  return new Failure(ExitCode.verification, [{ what: `${path} changed before it was published`, found, fix }]);
}

/** An input is no longer the version that was listed; `found`: what is there now. */
export function inputChanged(path: string, found: string, options?: ErrorOptions): Failure {
  return new Failure(ExitCode.input, [describeChange(path, found)], options);
}

/** The problem of an input that is no longer the version that was listed; `found`: what is there now. */
export function describeChange(path: string, found: string): Problem {
  const fix = "wait until the extraction has finished, then merge again";
  return { what: `${path} changed during the merge`, found, fix };
}
