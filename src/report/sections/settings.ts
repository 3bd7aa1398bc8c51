import type { Report } from "../../model/report.ts";
import { formatMemory } from "../../model/units.ts";
import { openTable, type Section, section, text, value } from "./section.ts";

/** The settings in force, by the names that they have in a configuration file. */
export function showSettings({ settings }: Report): Section[] {
  const rows = Object.entries(settings)
    .map(([name, found]) => [name, describeSetting(name, found)])
    .filter(([, found]) => found !== "");
  if (rows.length === 0) return [];
  return [section("Settings", { tables: [openTable("Settings", [value("Setting"), text("Value")], rows)] })];
}

const sizes: ReadonlySet<string> = new Set(["memoryCeiling", "memoryCeilings"]);

/** Empty for an empty list. A record may have settings of another version: any value is shown. */
function describeSetting(name: string, found: unknown): string {
  if (sizes.has(name) && typeof found === "number") return formatMemory(found);
  if (Array.isArray(found)) return found.map((one: unknown) => describeSetting(name, one)).join(", ");
  if (typeof found === "object" && found !== null)
    return Object.entries(found)
      .map(([from, to]) => `${from}: ${describeSetting(name, to)}`)
      .join(", ");
  return typeof found === "string" ? found : JSON.stringify(found ?? null);
}
