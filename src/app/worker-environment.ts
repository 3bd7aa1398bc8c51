import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import type { WorkerEnvironment } from "../backend/backend.ts";
import { variableOf } from "../config/resolve.ts";
import { mergeSettings, type SettingName, Settings, sizeSettings } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn } from "../model/failure.ts";
import { printSize } from "../model/units.ts";

/** What a launch sets for its workers itself. */
const setByLaunch: readonly SettingName[] = ["memoryCeiling", "run", "attempt"];

/**
 * The settings of a merge as the variables of a worker in a container: input and output, and what differs from the
 * defaults. @throws Failure (usage) for a setting that means nothing on another machine
 */
export function toWorkerEnvironment(settings: Settings): WorkerEnvironment {
  if (typeof settings.expectTables === "string")
    failOn(ExitCode.usage, [
      {
        what: "expectTables names a file that the workers' container does not have",
        found: settings.expectTables,
        fix: "set the number of tables instead",
      },
    ]);
  // Log entries name the project in their trace.
  const names = [...mergeSettings, "project" as const].filter((name) => !setByLaunch.includes(name));
  return {
    ...Object.fromEntries(names.flatMap((name) => toVariable(name, settings))),
    WIDEMERGE_INPUT: settings.input,
    WIDEMERGE_OUTPUT: settings.output,
  };
}

/** This process's environment for a worker on this machine, with the settings in force in place of its own. */
export function toLocalEnvironment(settings: Settings): Readonly<Record<string, string>> {
  const inherited = Object.entries(process.env).flatMap(([name, value]): [string, string][] =>
    name.startsWith("WIDEMERGE_") || value === undefined ? [] : [[name, value]],
  );
  return Object.fromEntries([...inherited, ...mergeSettings.flatMap((name) => toVariable(name, settings))]);
}

const defaults = v.parse(Settings, {});

/** A setting as a variable; none for one that has its default. */
function toVariable(name: SettingName, settings: Settings): [string, string][] {
  const value = settings[name];
  if (value === undefined || isDeepStrictEqual(value, defaults[name])) return [];
  return [[variableOf(name), print(name, value)]];
}

function print(name: SettingName, value: NonNullable<Settings[SettingName]>): string {
  if (typeof value === "number" && sizeSettings.includes(name)) return printSize(value);
  return typeof value === "object" && !Array.isArray(value) ? JSON.stringify(value) : String(value);
}
