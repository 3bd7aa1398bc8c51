/**
 * Writes docs/configuration.md from the settings' schema and the commands themselves:
 *   node --no-warnings scripts/configuration-reference.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command, Option } from "commander";
import * as v from "valibot";
import { cancelCommand } from "../src/cli/cancel.ts";
import { manifestCommand } from "../src/cli/manifest.ts";
import { mergeCommand, mergeSettings } from "../src/cli/merge.ts";
import { planCommand } from "../src/cli/plan.ts";
import { reportCommand } from "../src/cli/report.ts";
import { runAllCommand } from "../src/cli/run-all.ts";
import { sampleCommand } from "../src/cli/sample.ts";
import { statusCommand } from "../src/cli/status.ts";
import { verifyCommand } from "../src/cli/verify.ts";
import { cloudRunEntries } from "../src/config/cloudrun.ts";
import { kubernetesEntries } from "../src/config/kubernetes.ts";
import { flagOf, variableOf } from "../src/config/resolve.ts";
import { type SettingName, Settings, settingNames } from "../src/config/settings.ts";

const target = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));

/** Has flags of its own that are called like settings. */
const sample = sampleCommand();
const commands: readonly Command[] = [
  planCommand(),
  mergeCommand(),
  verifyCommand(),
  runAllCommand(),
  statusCommand(),
  reportCommand(),
  cancelCommand(),
  manifestCommand(),
];

/** Every command of widemerge. */
export const allCommands: readonly Command[] = [sample, ...commands];

const groups: readonly { readonly title: string; readonly text: string; readonly names: readonly SettingName[] }[] = [
  {
    title: "A merge",
    text: "What one pair is merged from, into what, and under which limits. The workers of a run get these from it.",
    names: mergeSettings,
  },
  {
    title: "A run",
    text: "Which pairs, where, how many at once, and what is tried again.",
    names: settingNames.filter(
      (name) => !mergeSettings.includes(name) && !Object.hasOwn({ ...kubernetesEntries, ...cloudRunEntries }, name),
    ),
  },
  {
    title: "Kubernetes",
    text: "For `--backend kubernetes`. `image` and `cpu` count for Cloud Run as well.",
    names: settingNames.filter((name) => Object.hasOwn(kubernetesEntries, name)),
  },
  {
    title: "Cloud Run",
    text: "For `--backend cloudrun`.",
    names: settingNames.filter((name) => Object.hasOwn(cloudRunEntries, name)),
  },
];

/** The whole document. */
export function renderReference(): string {
  const settings = groups.map(({ title, text, names }) => `## ${title}\n\n${text}\n\n${table(names)}`);
  return `${[head, ...settings, commandSection()].join("\n\n")}\n`;
}

const head = `# Configuration

<!-- Made by scripts/configuration-reference.ts from the settings' schema: change that, not this. -->

Every setting has one name in three spellings: a key of a YAML file, a variable, a flag. A flag wins over a variable, a
variable over the file that \`--config\` (or \`WIDEMERGE_CONFIG\`) names, the file over the default. A name that is unknown and
a value that is not allowed are errors (exit 2), and all of them are listed at once. A variable that begins with
\`WIDEMERGE_\` and is no setting is refused, too: a misspelt one would otherwise be ignored in silence. Below each setting
stand the commands that have its flag; its variable and its key count for every command that looks at it.

\`\`\`yaml
memoryCeiling: 4GiB # WIDEMERGE_MEMORY_CEILING=4GiB, --memory-ceiling 4GiB
sync: false         # WIDEMERGE_SYNC=false, --no-sync
pairs: [audusd, eurjpy] # WIDEMERGE_PAIRS=audusd,eurjpy, --pairs audusd,eurjpy
\`\`\`

Sizes have a unit: \`50GiB\` is 53,687,091,200 bytes, \`50GB\` is 50,000,000,000.
[\`profiles/27-pairs.yaml\`](../profiles/27-pairs.yaml) is an example of a whole file. What other programs' libraries read of the environment (\`KUBECONFIG\`,
\`GOOGLE_APPLICATION_CREDENTIALS\`) is described in [security](security.md).`;

function table(names: readonly SettingName[]): string {
  const rows = names.map(
    (name) => `| ${[spell(name), valuesOf(name), defaultOf(name), meaningOf(name)].join(" | ")} |`,
  );
  return ["| key, flag, variable | values | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function spell(name: SettingName): string {
  const option = commands.map((command) => optionOf(command, name)).find((found) => found !== undefined);
  return [name, option?.long ?? flagOf(name), variableOf(name)].map((word) => `\`${word}\``).join("<br>");
}

/** What the schema itself says when a value is refused; the allowed words where there are only some. */
function valuesOf(name: SettingName): string {
  const schema = Settings.entries[name];
  const messages = [{}, "", "?", 0.5].flatMap((wrong) => v.safeParse(schema, wrong).issues ?? []);
  const own = messages.map(({ message }) => message).find((message) => !message.startsWith("Invalid"));
  if (own === undefined) throw new Error(`the schema of ${name} does not say what is allowed`);
  return toCell(own);
}

function defaultOf(name: SettingName): string {
  const value: unknown = v.getDefault(Settings.entries[name]);
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "none";
  return `\`${String(value)}\``;
}

function meaningOf(name: SettingName): string {
  const text = v.getDescription(Settings.entries[name].wrapped);
  if (text === undefined) throw new Error(`${name} has no description`);
  return `${toCell(text)}<br>*${takers(name).join(", ")}*`;
}

function takers(name: SettingName): string[] {
  return commands.filter((command) => optionOf(command, name) !== undefined).map((command) => command.name());
}

function optionOf(command: Command, name: SettingName): Option | undefined {
  const flag = flagOf(name);
  return command.options.find(({ long }) => long === flag || long === flag.replace("--", "--no-"));
}

function commandSection(): string {
  const lines = allCommands.map((command) => {
    const isOwn = (option: Option): boolean => command === sample || !isShared(option);
    const own = command.options.filter(isOwn).map(({ flags, description }) => `\`${flags}\`: ${description}`);
    return `| \`${nameOf(command)}\` | ${[command.description(), ...own].map(toCell).join("<br>")} |`;
  });
  const text = `Below each stand the flags that it has beside its settings. All but \`sample\` also take \`--config\`.`;
  return ["## Commands", "", text, "", "| command | what it does |", "|---|---|", ...lines].join("\n");
}

/** `merge [pair]` */
function nameOf(command: Command): string {
  const places = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [command.name(), ...places].join(" ").replaceAll("|", "\\|");
}

/** A setting, or the file of them. */
function isShared({ long }: Option): boolean {
  const isSetting = (name: SettingName): boolean =>
    long === flagOf(name) || long === flagOf(name).replace("--", "--no-");
  return long === "--config" || settingNames.some(isSetting);
}

/** Text in the cell of a table. */
function toCell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/`[^`]*`|</g, (part) => (part === "<" ? "&lt;" : part));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, renderReference());
