import { Command, Option } from "commander";
import { stringify } from "yaml";
import { toWorkerEnvironment } from "../app/worker-environment.ts";
import { buildJob } from "../backend/kubernetes/job.ts";
import { kubernetesEntries } from "../config/kubernetes.ts";
import type { SettingName, Settings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn, type Problem } from "../model/failure.ts";
import type { Launch } from "../model/run.ts";
import { addSettings, readSettings } from "./flags.ts";
import { mergeSettings } from "./merge.ts";

const guide = `
Prints the Indexed Job that \`widemerge run-all --backend kubernetes\` submits for the same settings, and asks no cluster.
A run-all with the same run id finds a Job that was applied by hand and goes on with it.

Example:
  widemerge manifest --config profiles/27-pairs.yaml --run 2026-11-21-a --image widemerge:1.0.0 \\
    --input gs://bucket/checkpoints --output gs://bucket/training | kubectl apply --dry-run=server -f -
`;

/** The settings that say where and how pods run. */
const kubernetesSettings = Object.keys(kubernetesEntries) as readonly (keyof typeof kubernetesEntries)[];

/** The command `widemerge manifest`. */
export function manifestCommand(): Command {
  const command = new Command("manifest")
    .description("print the Kubernetes Job of a run as YAML")
    .addOption(
      new Option("--launch <n>", "number of the launch within the run").default(0).argParser((text) => Number(text)),
    )
    .addHelpText("after", guide);
  const names = new Set<SettingName>([
    "run",
    "pairs",
    "parallelism",
    "retries",
    ...mergeSettings,
    ...kubernetesSettings,
  ]);
  return addSettings(command, [...names]).action(printManifest);
}

function printManifest(flags: Readonly<Record<string, unknown>>, command: Command): void {
  const settings = readSettings(flags, command);
  const job = buildJob(toLaunch(settings, flags.launch), settings, toWorkerEnvironment(settings));
  // Kubernetes reads YAML 1.1, where a bare `on` or `1_0` is no text.
  process.stdout.write(stringify(job, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false }));
}

/** @throws Failure (usage) with everything that a launch needs and the settings leave open. */
function toLaunch(settings: Settings, number: unknown): Launch {
  const { run = "", pairs, memoryCeiling, parallelism, retries, spot } = settings;
  const problems: Problem[] = [];
  if (run === "")
    problems.push({ what: "the run has no name", found: "no run", fix: "name it with --run, such as 2026-11-21-a" });
  if (pairs.length === 0)
    problems.push({ what: "no pair to merge", found: "no pairs", fix: "name them with --pairs, or in a profile" });
  if (memoryCeiling === "auto")
    problems.push({
      what: "a pod needs its memory in numbers",
      found: "memoryCeiling auto",
      fix: "state it with --memory-ceiling, such as 50GiB",
    });
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 0)
    problems.push({ what: "--launch is not allowed", found: String(number), fix: "state a whole number from 0 on" });
  failOn(ExitCode.usage, problems);
  return {
    run,
    number: Number(number),
    tasks: pairs.map((pair, index) => ({ index, pair })),
    ceilingBytes: Number(memoryCeiling),
    parallelism: parallelism === "auto" ? pairs.length : parallelism,
    spot,
    retries,
  };
}
