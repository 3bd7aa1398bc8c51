import { buildJob } from "../backend/kubernetes/job.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn, type Problem } from "../model/failure.ts";
import type { Launch } from "../model/run.ts";
import { noCeiling } from "./create-backend.ts";
import { toWorkerEnvironment } from "./worker-environment.ts";

/**
 * The Indexed Job that a run on Kubernetes submits for a launch, counted from 0.
 * @throws Failure (usage) with every setting that is missing
 */
export function buildJobOf(settings: Settings, launch: number): ReturnType<typeof buildJob> {
  return buildJob(toLaunch(settings, launch), settings, toWorkerEnvironment(settings));
}

function toLaunch(settings: Settings, number: number): Launch {
  const { run = "", pairs, memoryCeiling, parallelism, spot } = settings;
  const problems: Problem[] = [];
  if (run === "") problems.push({ what: "the run has no name", fix: "name it with --run, such as 2026-11-21-a" });
  if (pairs.length === 0) problems.push({ what: "no pair to merge", fix: "name pairs with --pairs, or in a profile" });
  if (memoryCeiling === "auto") problems.push(noCeiling("pod"));
  if (!Number.isSafeInteger(number) || number < 0)
    problems.push({ what: "--launch is not allowed", found: String(number), fix: "use a whole number from 0" });
  failOn(ExitCode.usage, problems);
  return {
    run,
    number,
    tasks: pairs.map((pair, index) => ({ index, pair })),
    ceilingBytes: Number(memoryCeiling),
    parallelism: parallelism === "auto" ? pairs.length : parallelism,
    spot,
  };
}
