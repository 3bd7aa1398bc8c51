import { readFileSync } from "node:fs";
import * as v from "valibot";
import { parse } from "yaml";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { progressVariable } from "../model/progress.ts";
import { Settings, settingNames } from "./settings.ts";

/** Sources of settings, in order of precedence: flags, variables, a file, defaults. */
export interface RawSettings {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML file. */
  readonly file?: string | undefined;
}

/** memoryCeiling → WIDEMERGE_MEMORY_CEILING */
export function variableOf(name: string): string {
  return `WIDEMERGE_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`;
}

/** memoryCeiling → --memory-ceiling */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A value as it was given, and what the user calls it: a flag, a variable, a key of the file. */
interface GivenValue {
  readonly source: string;
  readonly value: unknown;
}
/** Given values by the name of the setting. */
type Given = ReadonlyMap<string, GivenValue>;

/** The settings in force, frozen. @throws Failure (usage) that lists every problem: name, what is allowed, what was given */
export function resolveSettings(raw: RawSettings): Settings {
  const file = raw.file === undefined ? {} : readFile(raw.file);
  const given = new Map<string, GivenValue>();
  for (const [name, value] of Object.entries(file)) given.set(name, { source: `${name} in ${raw.file}`, value });
  for (const name of settingNames) {
    const value = raw.environment[variableOf(name)];
    if (value !== undefined) given.set(name, { source: variableOf(name), value });
  }
  for (const [name, value] of Object.entries(raw.flags))
    if (value !== undefined) given.set(name, { source: flagOf(name), value });
  return parseSettings(given, unknownVariables(raw.environment));
}

/**
 * The settings for the options of a function call, frozen; variables and files are not read.
 * @throws Failure (usage) that lists every problem
 */
export function resolveOptions(options: Readonly<Record<string, unknown>>): Settings {
  const stated = Object.entries(options).filter(([, value]) => value !== undefined);
  return parseSettings(new Map(stated.map(([name, value]) => [name, { source: name, value }])), []);
}

function parseSettings(given: Given, unknown: readonly Problem[]): Settings {
  const parsed = v.safeParse(Settings, Object.fromEntries([...given].map(([name, { value }]) => [name, value])));
  const problems = [...unknown, ...(parsed.issues ?? []).map((issue) => toProblem(issue, given))];
  if (problems.length > 0 || !parsed.success) throw new Failure(ExitCode.usage, problems);
  return Object.freeze(parsed.output);
}

function readFile(path: string): Record<string, unknown> {
  try {
    const content: unknown = parse(readFileSync(path, "utf8"));
    if (content === null) return {};
    if (typeof content === "object" && !Array.isArray(content)) return content as Record<string, unknown>;
    throw new Error("it is not a list of `name: value` lines");
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    throw new Failure(ExitCode.usage, [
      {
        what: `the configuration file ${path} cannot be used`,
        found,
        fix: "pass a YAML file with `name: value` lines to --config",
      },
    ]);
  }
}

/** A misspelt variable would otherwise be ignored. */
function unknownVariables(environment: RawSettings["environment"]): Problem[] {
  const known = new Set([...settingNames.map(variableOf), "WIDEMERGE_CONFIG", progressVariable]);
  const unknown = Object.keys(environment).filter((name) => name.startsWith("WIDEMERGE_") && !known.has(name));
  return unknown.map((name) => ({
    what: `unknown variable ${name}`,
    found: String(environment[name]),
    fix: "see `widemerge merge --help` for the names",
  }));
}

function toProblem(issue: v.InferIssue<typeof Settings>, given: Given): Problem {
  const name = String(issue.path?.[0].key);
  const { source, value } = given.get(name) ?? { source: name, value: undefined };
  if (!Object.hasOwn(Settings.entries, name))
    return { what: `unknown setting ${source}`, found: show(value), fix: `known are ${settingNames.join(", ")}` };
  return { what: `${source} is not allowed`, found: show(value), fix: `allowed: ${issue.message}` };
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
