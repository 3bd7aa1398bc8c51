import { readFile } from "node:fs/promises";
import { type Currency, currencies } from "./pairs.ts";

/** Reference rates of consecutive business days. */
export interface Rates {
  /** Days since 1970-01-01, ascending. */
  readonly days: Int32Array;
  /** Natural logarithm of the units of each currency for 1 EUR. */
  readonly logPerEur: Readonly<Record<Currency, Float64Array>>;
}

/** The source of the rates, which has to be named wherever they are published. */
export const ratesSource = "European Central Bank, euro foreign exchange reference rates, 1999-01-04 to 2026-04-13";

/** Rows of the shipped file. */
export const realDays = 6983;

const ratesFile = new URL("../../data/ecb-euro-reference-rates.csv", import.meta.url);
const millisecondsADay = 86_400_000;

/** Reads the shipped reference rates: one row per business day, no gaps. */
export async function loadRates(): Promise<Rates> {
  const [header = "", ...lines] = (await readFile(ratesFile, "utf8")).trimEnd().split("\n");
  const names = header.split(",");
  const cells = lines.map((line) => line.split(","));
  const days = Int32Array.from(cells, (row) => Date.parse(`${row[0]}T00:00:00Z`) / millisecondsADay);
  const logsOf = (currency: Currency): Float64Array => {
    const column = names.indexOf(currency);
    return Float64Array.from(cells, (row) => (currency === "EUR" ? 0 : Math.log(Number(row[column]))));
  };
  const logPerEur = Object.fromEntries(currencies.map((currency) => [currency, logsOf(currency)]));
  return { days, logPerEur: logPerEur as Record<Currency, Float64Array> };
}
