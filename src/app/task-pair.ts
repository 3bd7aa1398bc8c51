import { ExitCode } from "../model/exit-code.ts";
import { Failure } from "../model/failure.ts";
import { parsePair } from "./guarded-task.ts";

/** Variables in which Kubernetes and Cloud Run tell a worker which task of its launch it is: an index from 0. */
const indexVariables = ["JOB_COMPLETION_INDEX", "CLOUD_RUN_TASK_INDEX"];

/**
 * The pair to merge: the one that is named, else that of this task among those of the launch.
 * @throws Failure (usage) when there is none.
 */
export function choosePair(
  named: string | undefined,
  pairs: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (named !== undefined) return parsePair(named);
  const variable = indexVariables.find((name) => environment[name] !== undefined);
  const index = variable === undefined ? undefined : environment[variable];
  const pair = index !== undefined && /^\d+$/.test(index) ? pairs[Number(index)] : undefined;
  if (pair !== undefined) return pair;
  const found =
    variable === undefined
      ? `no argument, and neither ${indexVariables.join(" nor ")}`
      : `${variable}=${JSON.stringify(index)} with ${pairs.length} pairs`;
  const fix = "name a pair, or set an index from 0 and the pairs of the launch (--pairs, WIDEMERGE_PAIRS)";
  throw new Failure(ExitCode.usage, [{ what: "no pair to merge", found, fix }]);
}
