/** Kinds of values that several settings have: each takes what YAML gives and the text of a flag or a variable. */
import * as v from "valibot";
import { FolderName, Pair } from "../model/names.ts";
import { MiB, parseSize } from "../model/units.ts";

export const sizeText =
  "a size such as 2GiB (2 × 2^30 bytes), 2GB or 2G (2 × 10^9 bytes); without a unit, bytes, from 1048576 (1 MiB) on";
export const size = v.pipe(
  v.union([v.number(), v.string()], sizeText),
  v.check(isUnmistakable, sizeText),
  v.transform((value) => (typeof value === "number" ? value : parseSize(value))),
  v.number(sizeText),
  v.safeInteger(sizeText),
  v.minValue(0, sizeText),
);

/** Whether a number without a unit can be meant as bytes: the 4 of a ceiling of 4 is not. */
function isUnmistakable(value: number | string): boolean {
  const bytes = typeof value === "number" || /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
  return bytes === undefined || bytes === 0 || bytes >= MiB;
}

const flagText = "true or false";
export const flag = v.union(
  [
    v.boolean(),
    v.pipe(
      v.picklist(["true", "false"]),
      v.transform((text) => text === "true"),
    ),
  ],
  flagText,
);

/** A whole number from 1 to `most`, as a number or as text. */
export function count(message: string, most = 2 ** 31 - 1): v.GenericSchema<number | string, number> {
  return v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.digits())], message),
    v.transform(Number),
    v.integer(message),
    v.minValue(1, message),
    v.maxValue(most, message),
  );
}

/** A list, in a file, or texts separated by commas; every item matches. */
export function list(item: RegExp, message: string): v.GenericSchema<string | readonly string[], readonly string[]> {
  return v.pipe(
    v.union(
      [
        v.array(v.string()),
        v.pipe(
          v.string(),
          v.transform((text) => text.split(",").filter((part) => part !== "")),
        ),
      ],
      message,
    ),
    v.array(v.pipe(v.string(), v.regex(item, message))),
  );
}

const timesText = "a whole number of at least 0";
export const times = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.digits())], timesText),
  v.transform(Number),
  v.integer(timesText),
  v.minValue(0, timesText),
  v.maxValue(1000, timesText),
);

const dollarsText = "an amount in US$ such as 20 or 2.50";
export const dollars = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.decimal())], dollarsText),
  v.transform(Number),
  v.finite(dollarsText),
  v.minValue(0, dollarsText),
);

const percentText = "a percentage from 0 to 100, such as 50%";
export const percent = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?%?$/, percentText))], percentText),
  v.transform((value) => Number(String(value).replace("%", ""))),
  v.finite(percentText),
  v.minValue(0, percentText),
  v.maxValue(100, percentText),
);

const foldersText = "folder:pair, separated by commas, or a map of folders and pairs, such as ES=F:es_f";

/** Pairs by the names of their folders: a map in a file; in a text pairs, or a map as JSON. */
export const folders = v.pipe(
  v.union([v.record(v.string(), v.string()), v.pipe(v.string(), toMap(":", foldersText))], foldersText),
  v.check(
    (map) => Object.entries(map).every(([folder, pair]) => v.is(FolderName, folder) && v.is(Pair, pair)),
    foldersText,
  ),
  v.check((map) => new Set(Object.values(map)).size === Object.keys(map).length, foldersText),
);

const renamesText = "old=new or table/old=new, separated by commas, or a map of old and new names";

/** Rules by the column that they rename: a map in a file; in a text pairs, or a map as JSON for names with , or =. */
export const renames = v.pipe(
  v.union([v.record(v.string(), v.string()), v.pipe(v.string(), toMap("=", renamesText))], renamesText),
  v.check((rules) => Object.entries(rules).every((rule) => !rule.includes("")), renamesText),
);

/** Entries of two parts, separated by commas, or a map as JSON. */
function toMap(separator: string, message: string) {
  return v.rawTransform<string, Record<string, string>>(({ dataset: { value }, addIssue, NEVER }) => {
    const map = value.trimStart().startsWith("{") ? parseJson(value) : splitEntries(value, separator);
    if (map !== undefined) return map;
    addIssue({ message });
    return NEVER;
  });
}

function parseJson(text: string): Record<string, string> | undefined {
  try {
    const { success, output } = v.safeParse(v.record(v.string(), v.string()), JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

/** The last separator of an entry counts: a folder may have one in its name. */
function splitEntries(text: string, separator: string): Record<string, string> | undefined {
  const entries = text.split(",").map((entry): [string, string] | undefined => {
    const at = entry.lastIndexOf(separator);
    return at === -1 ? undefined : [entry.slice(0, at), entry.slice(at + 1)];
  });
  const whole = entries.filter((entry) => entry !== undefined);
  return whole.length === entries.length ? Object.fromEntries(whole) : undefined;
}
