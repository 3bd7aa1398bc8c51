import * as v from "valibot";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { generationVariable, launchVariable } from "../model/generation.ts";
import { progressVariable } from "../model/progress.ts";
import { suggest } from "../model/suggestion.ts";
import { formatNumber } from "../model/units.ts";
import { readYaml, type YamlContent } from "../model/yaml.ts";
import { readYamlBytes } from "./read-file.ts";
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
  /** Whether it stands in a file, which may be any file: what it says is not repeated. */
  readonly inFile?: boolean;
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
    given.set(name, { source: `${showName(name)} in ${raw.file}`, value, inFile: true });
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
    ...listUnknown(unknown),
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
    return readContent(path, readYaml(readYamlBytes(path)));
  } catch (error) {
    return unusable(path, error instanceof Error ? error.message : String(error));
  }
}

function readContent(path: string, content: YamlContent): FileContent {
  if ("unusable" in content) return unusable(path, content.unusable);
  if ("errors" in content) {
    const problems = content.errors.map(({ line, column, found }) => {
      const what = `the configuration file ${path} is not valid YAML in line ${line}, column ${column}`;
      return { what, found, fix: "correct this line: each setting is a line `name: value`" };
    });
    return { content: {}, problems };
  }
  const { value } = content;
  if (value === null) return nothingRead;
  if (typeof value === "object" && !Array.isArray(value))
    return { content: value as Record<string, unknown>, problems: [] };
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

const knownSettings = `known are ${settingNames.join(", ")}`;
/** Unknown settings that are told one by one: looking for what each may mean takes time. */
const mostUnknown = 10;

function listUnknown(unknown: readonly (readonly [string, GivenValue])[]): Problem[] {
  const told = unknown.slice(0, mostUnknown).map(([name, value]) => unknownSetting(name, value));
  const first = told.findIndex(({ fix }) => fix === knownSettings);
  // The list of names fills a screen: once is enough.
  const problems = told.map((problem, index) =>
    problem.fix === knownSettings && index > first ? { ...problem, fix: "the known ones are listed above" } : problem,
  );
  const [last] = problems.splice(-1);
  const more = unknown.length - mostUnknown;
  return last === undefined ? [] : [...problems, more > 0 ? { ...last, more } : last];
}

function unknownSetting(name: string, { source, value, inFile = false }: GivenValue): Problem {
  const meant = isPlainName(name) ? suggest(name, settingNames) : undefined;
  const fix = meant === undefined ? knownSettings : `did you mean ${meant}?`;
  return { what: `unknown setting ${source}`, ...(inFile ? {} : { found: show(value) }), fix };
}

/** Whether a name can be that of a misspelt setting; the names in any other file may be secrets. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z_-]{0,39}$/.test(name);
}

function showName(name: string): string {
  return isPlainName(name) ? name : `of ${formatNumber(name.length, "character")}`;
}

function toProblem(issue: v.InferIssue<typeof Settings>, given: Given): Problem {
  const name = String(issue.path?.[0].key);
  const { source, value } = given.get(name) ?? { source: name, value: undefined };
  return { what: `${source} is not allowed`, found: show(value), fix: `allowed: ${issue.message}` };
}

/** Characters of a value that a message repeats. */
const mostShown = 100;

function show(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > mostShown ? `${text.slice(0, mostShown)}…` : text;
}
