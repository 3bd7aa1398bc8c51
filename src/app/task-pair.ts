import * as v from "valibot";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { adviseOnName, Pair } from "../model/names.ts";
import { formatNumber } from "../model/units.ts";

/** Variables in which Kubernetes and Cloud Run pass a worker the index of its task, counted from 0. */
const indexVariables = ["JOB_COMPLETION_INDEX", "CLOUD_RUN_TASK_INDEX"];

/** A pair's name, safe as a folder, a file name and a label. @throws Failure (usage) */
export function parsePair(name: string): string {
  if (v.is(Pair, name)) return name;
  const problem: Problem = {
    what: "not a valid pair name",
    found: JSON.stringify(name),
    fix: `use letters, digits, _ and -, at most 63 characters, such as audusd; ${adviseOnName(name)}`,
  };
  throw new Failure(ExitCode.usage, [problem]);
}

/**
 * The pair to merge: the one given as an argument, else that of this task among the pairs of the launch.
 * @throws Failure (usage) when there is none
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
  const fix = `name a pair, or set ${indexVariables.join(" or ")} and the pairs of the launch (--pairs, WIDEMERGE_PAIRS)`;
  const found =
    variable === undefined
      ? {}
      : { found: `${variable}=${JSON.stringify(index)} with ${formatNumber(pairs.length, "pair")}` };
  throw new Failure(ExitCode.usage, [{ what: "no pair to merge", ...found, fix }]);
}
