import * as v from "valibot";
import { parse } from "yaml";
import { type PriceItem, type PriceList, type PriceSource, priceItems, priceUnits } from "../model/cost.ts";
import { ExitCode } from "../model/exit-code.ts";
import { Failure, type Problem } from "../model/failure.ts";

const dateText = "the day on which the prices were read, such as 2026-11-21";
const usdText = "US dollars for one unit, from 0 on";
const sourceText = "where the price was read, as text";

const entries = Object.fromEntries(priceItems.map((item) => [item, v.exactOptional(priceOf(item))])) as Record<
  PriceItem,
  v.ExactOptionalSchema<ReturnType<typeof priceOf>, undefined>
>;

const PriceFile = v.strictObject({
  format: v.literal(1, "1, the only format there is"),
  name: v.pipe(v.string("a name"), v.nonEmpty("a name")),
  region: v.pipe(v.string("a region"), v.nonEmpty("a region")),
  date: v.pipe(v.string(dateText), v.isoDate(dateText)),
  prices: v.strictObject(entries),
});

/** A price with its unit: a price an hour that was written for a second would be wrong 3,600 times. */
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
 * A price list from its YAML text; `origin` names it in messages.
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
  const path = v.getDotPath(issue) ?? "the file";
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  const fix = unknown
    ? `leave it out, or use one of: ${path.startsWith("prices.") ? priceItems.join(", ") : "format, name, region, date, prices"}`
    : `write ${issue.expected?.startsWith('"') && issue.type === "strict_object" ? `the entry ${path}` : issue.message}`;
  return { what: `price list ${origin}: ${path}`, found: issue.received, fix };
}

/** What a cost report says of the list that it was computed from. */
export function sourceOf(list: PriceList): PriceSource {
  const inferred = priceItems.filter((item) => list.prices[item]?.inferred === true);
  return { name: list.name, region: list.region, date: list.date, inferred };
}
