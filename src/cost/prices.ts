import * as v from "valibot";
import { parse } from "yaml";
import { type PriceItem, type PriceList, type PriceSource, priceItems, priceUnits } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";

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
 * Reads a price list from YAML text. `origin` is its name in messages.
 * @throws Failure (usage) with every problem.
 */
export function parsePrices(text: string, origin: string): PriceList {
  const result = v.safeParse(PriceFile, readYaml(text, origin));
  if (!result.success) {
    throw new Failure(
      ExitCode.usage,
      result.issues.map((issue) => toProblem(issue, origin)),
    );
  }
  const { name, region, date, prices } = result.output;
  return { name, region, date, prices };
}

function readYaml(text: string, origin: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const found = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new Failure(ExitCode.usage, [{ what: `price list ${origin} is not YAML`, found, fix: "correct the file" }]);
  }
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
