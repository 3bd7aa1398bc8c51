import * as v from "valibot";
import { cloudRunEntries } from "../config/cloudrun.ts";
import { kubernetesEntries } from "../config/kubernetes.ts";
import { variableOf } from "../config/resolve.ts";
import { type SettingName, Settings, settingNames } from "../config/settings.ts";
import { ExitCode } from "../model/exit-code.ts";
import { failOn } from "../model/failure.ts";

/** What only the controller decides on, or what a launch states for its workers itself. */
const ofTheRun: readonly SettingName[] = [
  "pairs",
  "memoryCeiling",
  "backend",
  "parallelism",
  "run",
  "attempt",
  "memoryCeilings",
  "retries",
  "retriesUnexpected",
  "maxCost",
  "prices",
];

/**
 * The settings of a merge as the variables of a worker in a container: input and output, and what differs from the
 * defaults. @throws Failure (usage) for a setting that means nothing on another machine.
 */
export function toWorkerEnvironment(settings: Settings): Readonly<Record<string, string>> {
  if (typeof settings.expectTables === "string")
    failOn(ExitCode.usage, [
      {
        what: "expectTables names a file, which is not in the workers' container",
        found: settings.expectTables,
        fix: "state the number of tables",
      },
    ]);
  const defaults = v.parse(Settings, {});
  // The project is part of the name of the trace that all lines of a run's log stand in.
  const { project: _, ...ofBackends } = { ...kubernetesEntries, ...cloudRunEntries };
  const names = settingNames.filter((name) => !ofTheRun.includes(name) && !Object.hasOwn(ofBackends, name));
  const stated = names.filter((name) => name === "input" || name === "output" || settings[name] !== defaults[name]);
  return Object.fromEntries(stated.map((name) => [variableOf(name), String(settings[name])]));
}
