import * as v from "valibot";
import { type PriceItem, type PriceList, type PriceSource, priceItems, priceUnits } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";
import { readYaml, type YamlError } from "../model/yaml.ts";

const dateText = "the day on which the prices were read, such as 2026-11-21";
const usdText = "US dollars for one unit, 0 or more";
const sourceText = "where the price was read, as text";

const entries = Object.fromEntries(priceItems.map((item) => [item, v.exactOptional(priceOf(item))])) as Record<
  PriceItem,
  v.ExactOptionalSchema<ReturnType<typeof priceOf>, undefined>
>;

const topNames = ["format", "name", "region", "date", "prices"];

const PriceFile = v.strictObject({
  format: v.literal(1, "1, the only format"),
  name: v.pipe(v.string("a name"), v.nonEmpty("a name")),
  region: v.pipe(v.string("a region"), v.nonEmpty("a region")),
  date: v.pipe(v.string(dateText), v.isoDate(dateText)),
  prices: v.strictObject(entries),
});

/** A price with its unit, because a price per hour that is taken for one per second is wrong by a factor of 3,600. */
function priceOf(item: PriceItem) {
  const unit = priceUnits[item];
  return v.strictObject({
    usd: v.pipe(v.number(usdText), v.finite(usdText), v.minValue(0, usdText)),
    per: v.literal(unit, `"${unit}"`),
    source: v.pipe(v.string(sourceText), v.nonEmpty(sourceText)),
    inferred: v.optional(v.boolean("true or false"), false),
  });
}

/**
 * Reads a price list from a YAML file. `origin` is its name in messages.
 * @throws Failure (usage) with every problem.
 */
export function parsePrices(content: string | Uint8Array, origin: string): PriceList {
  const result = v.safeParse(PriceFile, parse(content, origin));
  if (!result.success) {
    throw new Failure(
      ExitCode.usage,
      result.issues.map((issue) => toProblem(issue, origin)),
    );
  }
  const { name, region, date, prices } = result.output;
  return { name, region, date, prices };
}

function parse(file: string | Uint8Array, origin: string): unknown {
  const content = readYaml(typeof file === "string" ? Buffer.from(file) : file);
  if ("value" in content) return content.value;
  const what = `price list ${origin} is not YAML`;
  const fix = "correct the file";
  if ("unusable" in content) throw new Failure(ExitCode.usage, [{ what, found: content.unusable, fix }]);
  const place = ({ line, column, found }: YamlError): string => `${found} in line ${line}, column ${column}`;
  throw new Failure(
    ExitCode.usage,
    content.errors.map((error) => ({ what, found: place(error), fix })),
  );
}

function toProblem(issue: v.BaseIssue<unknown>, origin: string): Problem {
  const path = v.getDotPath(issue);
  const list = `price list ${origin}`;
  if (path === null)
    return {
      what: `${list} has no entries`,
      fix: `write ${topNames.join(", ")}, as in prices/google-us-central1.yaml`,
    };
  if (issue.expected === "never")
    return { what: `${list}: ${path} is unknown`, fix: `remove it, or use one of: ${namesBeside(path).join(", ")}` };
  if (issue.received === "undefined") return { what: `${list}: ${path} is missing`, fix: "add it" };
  const fix = issue.expected === "Object" ? `write ${path} as entries with names` : `write ${issue.message}`;
  return { what: `${list}: ${path} is wrong`, found: issue.received, fix };
}

/** The names that are allowed where an unknown one is. */
function namesBeside(path: string): readonly string[] {
  const depth = path.split(".").length;
  if (depth === 1) return topNames;
  return depth === 2 ? priceItems : ["usd", "per", "source", "inferred"];
}

/** The part of a price list that a report names. */
export function sourceOf(list: PriceList): PriceSource {
  const inferred = priceItems.filter((item) => list.prices[item]?.inferred === true);
  return { name: list.name, region: list.region, date: list.date, inferred };
}
