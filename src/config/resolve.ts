import { readFileSync } from "node:fs";
import * as v from "valibot";
import { LineCounter, parseDocument } from "yaml";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { generationVariable, launchVariable } from "../model/generation.ts";
import { progressVariable } from "../model/progress.ts";
import { suggest } from "../model/suggestion.ts";
import { Settings, settingNames } from "./settings.ts";

/** Sources of settings, in order of precedence: flags, variables, a file, defaults. */
export interface RawSettings {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML file. */
  readonly file?: string | undefined;
}

const variablePrefix = "WIDEMERGE_";

/** memoryCeiling → WIDEMERGE_MEMORY_CEILING */
export function variableOf(name: string): string {
  return `${variablePrefix}${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`;
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

/** The settings in force, and which of them somebody gave: the others have their defaults. */
export interface StatedSettings {
  readonly settings: Settings;
  readonly stated: ReadonlySet<string>;
}

/** The settings in force, frozen. @throws Failure (usage) that lists every problem: name, what is allowed, what was given */
export function resolveSettings(raw: RawSettings): Settings {
  return resolveStated(raw).settings;
}

/** The settings in force, frozen, and where they differ from the defaults by choice. @throws Failure (usage) with every problem */
export function resolveStated(raw: RawSettings): StatedSettings {
  const file = raw.file === undefined ? nothingRead : readFile(raw.file);
  const given = new Map<string, GivenValue>();
  for (const [name, value] of Object.entries(file.content))
    given.set(name, { source: `${name} in ${raw.file}`, value });
  for (const name of settingNames) {
    const value = raw.environment[variableOf(name)];
    if (value !== undefined) given.set(name, { source: variableOf(name), value });
  }
  for (const [name, value] of Object.entries(raw.flags))
    if (value !== undefined) given.set(name, { source: flagOf(name), value });
  const settings = parseSettings(given, [...file.problems, ...unknownVariables(raw.environment)]);
  return { settings, stated: new Set(given.keys()) };
}

/**
 * The settings for the options of a function call, frozen; variables and files are not read.
 * @throws Failure (usage) that lists every problem
 */
export function resolveOptions(options: Readonly<Record<string, unknown>>): StatedSettings {
  const stated = Object.entries(options).filter(([, value]) => value !== undefined);
  const given = new Map(stated.map(([name, value]) => [name, { source: name, value }]));
  return { settings: parseSettings(given, []), stated: new Set(given.keys()) };
}

function parseSettings(given: Given, others: readonly Problem[]): Settings {
  const known = [...given].filter(([name]) => Object.hasOwn(Settings.entries, name));
  const unknown = [...given].filter(([name]) => !Object.hasOwn(Settings.entries, name));
  const parsed = v.safeParse(Settings, Object.fromEntries(known.map(([name, { value }]) => [name, value])));
  const problems = [
    ...others,
    ...unknown.map(([name, value]) => unknownSetting(name, value)),
    ...(parsed.issues ?? []).map((issue) => toProblem(issue, given)),
  ];
  if (problems.length > 0 || !parsed.success) throw new Failure(ExitCode.usage, problems);
  return Object.freeze(parsed.output);
}

/** What a configuration file says, and what is wrong with it as a file. */
interface FileContent {
  readonly content: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
}

const nothingRead: FileContent = { content: {}, problems: [] };

function readFile(path: string): FileContent {
  try {
    return parseFile(path, readFileSync(path, "utf8"));
  } catch (error) {
    return unusable(path, error instanceof Error ? error.message : String(error));
  }
}

function parseFile(path: string, text: string): FileContent {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos }) => {
      const { line, col } = lines.linePos(pos[0]);
      const what = `the configuration file ${path} is not valid YAML in line ${line}, column ${col}`;
      return { what, found: message, fix: "correct this line: each setting is a line `name: value`" };
    });
    return { content: {}, problems };
  }
  const content: unknown = document.toJS();
  if (content === null) return nothingRead;
  if (typeof content === "object" && !Array.isArray(content))
    return { content: content as Record<string, unknown>, problems: [] };
  return unusable(path, "it is not a list of `name: value` lines");
}

function unusable(path: string, found: string): FileContent {
  const what = `the configuration file ${path} cannot be used`;
  return { content: {}, problems: [{ what, found, fix: "pass a YAML file with `name: value` lines to --config" }] };
}

/** A misspelt variable would otherwise be ignored. */
function unknownVariables(environment: RawSettings["environment"]): Problem[] {
  const internal = [progressVariable, launchVariable, generationVariable];
  const known = new Set([...settingNames.map(variableOf), "WIDEMERGE_CONFIG", ...internal]);
  const unknown = Object.keys(environment).filter((name) => name.startsWith(variablePrefix) && !known.has(name));
  return unknown.map((name) => {
    const meant = suggest(name.slice(variablePrefix.length), settingNames);
    const fix =
      meant === undefined ? "see `widemerge merge --help` for the names" : `did you mean ${variableOf(meant)}?`;
    return { what: `unknown variable ${name}`, found: String(environment[name]), fix };
  });
}

function unknownSetting(name: string, { source, value }: GivenValue): Problem {
  const meant = suggest(name, settingNames);
  const fix = meant === undefined ? `known are ${settingNames.join(", ")}` : `did you mean ${meant}?`;
  return { what: `unknown setting ${source}`, found: show(value), fix };
}

function toProblem(issue: v.InferIssue<typeof Settings>, given: Given): Problem {
  const name = String(issue.path?.[0].key);
  const { source, value } = given.get(name) ?? { source: name, value: undefined };
  return { what: `${source} is not allowed`, found: show(value), fix: `allowed: ${issue.message}` };
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
