import { Option } from "commander";
import { stringify } from "yaml";
import { buildJobOf } from "../app/build-job.ts";
import { kubernetesEntries } from "../config/kubernetes.ts";
import { mergeSettings, type SettingName } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { CodedCommand } from "./command.ts";
import { addSettings, type Flags, readSettings } from "./flags.ts";
import { printOwnText } from "./print.ts";

const guide = `
Prints the Indexed Job that \`widemerge run-all --backend kubernetes\` submits for the same settings, without a request to
any cluster. A run-all with the same run id finds a Job that was applied by hand and continues it. The Job starts each pair
once; run-all retries failed pairs in further Jobs, as often as --retries allows.

Example:
  widemerge manifest --config profiles/27-pairs.yaml --run 2026-11-21-a --image widemerge:1.0.0 \\
    --input gs://bucket/checkpoints --output gs://bucket/training | kubectl apply --dry-run=server -f -
`;

/** Settings that say where and how pods run. */
const kubernetesSettings = Object.keys(kubernetesEntries) as readonly (keyof typeof kubernetesEntries)[];

/** The command `widemerge manifest`. */
export function manifestCommand(): CodedCommand {
  const command = new CodedCommand("manifest")
    .description("print the Kubernetes Job of a run as YAML")
    .addOption(
      new Option("--launch <n>", "number of the launch within the run, counted from 0").default(0).argParser(Number),
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
  return addSettings(command, [...names]).runs(printManifest);
}

async function printManifest(flags: Flags, command: CodedCommand): Promise<ExitCode> {
  const job = buildJobOf(readSettings(flags, command), Number(flags.launch));
  // Kubernetes reads YAML 1.1, in which a bare `on` or `1_0` is not text.
  printOwnText(stringify(job, { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false }));
  return ExitCode.done;
}
