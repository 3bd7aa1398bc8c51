/** Kinds of values that several settings have: each takes what YAML gives and the text of a flag or a variable. */
import * as v from "valibot";
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

const renamesText = "old=new or table/old=new, separated by commas, or a map of old and new names";

/** Rules by the column that they rename: a map in a file; in a text pairs, or a map as JSON for names with , or =. */
export const renames = v.pipe(
  v.union([v.record(v.string(), v.string()), v.pipe(v.string(), v.rawTransform(parseRules))], renamesText),
  v.check((rules) => Object.entries(rules).every((rule) => !rule.includes("")), renamesText),
);

function parseRules({ dataset, addIssue, NEVER }: v.RawTransformContext<string>): Record<string, string> {
  const { value } = dataset;
  const refuse = (): never => {
    addIssue({ message: renamesText });
    return NEVER;
  };
  if (value.trimStart().startsWith("{")) {
    try {
      return v.parse(v.record(v.string(), v.string()), JSON.parse(value));
    } catch {
      return refuse();
    }
  }
  const rules = value.split(",").map((rule) => rule.split("="));
  if (rules.some((rule) => rule.length !== 2)) return refuse();
  return Object.fromEntries(rules);
}
