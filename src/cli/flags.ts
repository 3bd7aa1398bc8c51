import { type Command, Option } from "commander";
import * as v from "valibot";
import { configureLog } from "../app/log.ts";
import { flagOf, resolveStated, type StatedSettings, variableOf } from "../config/resolve.ts";
import { type SettingName, Settings } from "../config/settings.ts";

/** The options of a command as commander passes them. */
export type Flags = Readonly<Record<string, unknown>>;

/** Adds a flag for each named setting, with its description, its variable and its default; and --config. */
export function addSettings<Kind extends Command>(command: Kind, names: readonly SettingName[]): Kind {
  command.addOption(
    new Option("--config <file>", "YAML file with settings; flags and variables override it").env("WIDEMERGE_CONFIG"),
  );
  for (const name of names) command.addOption(toOption(name));
  return command;
}

/** The settings in force for a command's flags. @throws Failure (usage) with every problem */
export function readSettings(flags: Flags, command: Command): Settings {
  return readStated(flags, command).settings;
}

/** The settings in force for a command's flags, and which were given. @throws Failure (usage) with every problem */
export function readStated(flags: Flags, command: Command): StatedSettings {
  // A `--no-…` option has a default among the options: only what was typed on the command line is a flag.
  const stated = Object.entries(flags).filter(
    ([name]) => name in Settings.entries && command.getOptionValueSource(name) === "cli",
  );
  const file = flags.config;
  const resolved = resolveStated({
    flags: Object.fromEntries(stated),
    environment: process.env,
    file: typeof file === "string" ? file : undefined,
  });
  configureLog(resolved.settings);
  return resolved;
}

const defaults: Settings = v.parse(Settings, {});

function toOption(name: SettingName): Option {
  const fallback = defaults[name];
  const isFlag = typeof fallback === "boolean";
  const flag = isFlag && fallback ? flagOf(name).replace("--", "--no-") : flagOf(name);
  const shown =
    isFlag || fallback === undefined || (typeof fallback === "object" && Object.keys(fallback).length === 0)
      ? ""
      : `, default: ${fallback}`;
  const text = `${isFlag && fallback ? "do not " : ""}${v.getDescription(Settings.entries[name].wrapped) ?? ""} (${variableOf(name)}${shown})`;
  return new Option(isFlag ? flag : `${flag} <${placeholder(name)}>`, text);
}

function placeholder(name: SettingName): string {
  const words: Partial<Record<SettingName, string>> = {
    input: "dir",
    output: "dir",
    pairs: "a,b,…",
    memoryCeiling: "size",
    memoryWarn: "size",
    memoryFree: "size",
    diskFree: "size",
    duplicates: "error|first|last",
    nullKeys: "error|drop",
    minMatch: "percent",
    naming: "prefix|keep",
    folders: "folder:pair,…",
    separator: "text",
    rename: "old=new,…",
    keyCast: "none|timestamp|timestamp-utc",
    rowGroupRows: "auto|n",
    tables: "pattern,…",
    excludeTables: "pattern,…",
    expectTables: "n|file",
    verify: "structure|sample|full",
    log: "auto|text|json",
    logEvery: "n",
    assembly: "auto|stream|compose",
    stallSeconds: "n",
    gcsEndpoint: "url",
    memoryScope: "container|process",
    backend: "local|kubernetes|cloudrun",
    parallelism: "auto|n",
    memoryCeilings: "size,size,…",
    retries: "n",
    retriesUnexpected: "n",
    maxCost: "$",
    prices: "file",
    cpu: "auto|n",
    volumeClaim: "name[:/folder]",
    deadline: "seconds",
    keepFinished: "seconds",
    taskTimeout: "seconds",
    nodeSelector: "label=value,…",
    cloudRunEndpoint: "host:port",
    tolerations: "key[=value][:effect],…",
  };
  return words[name] ?? "name";
}
