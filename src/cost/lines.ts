import { type CostLine, type PriceItem, type PriceList, priceUnits, type Sum } from "../model/cost.ts";

/** A priced quantity; without a price in the list, a line that says so by having none. */
export function priceLine(item: PriceItem, quantity: number, what: string, list: PriceList): CostLine {
  const price = list.prices[item]?.usd;
  const line = { item, what, quantity, unit: priceUnits[item] };
  return price === undefined ? line : { ...line, price, usd: quantity * price };
}

/** The sum of lines, and what it lacks. */
export function sumLines(lines: readonly CostLine[], missing: readonly string[] = []): Sum {
  const unpriced = lines.filter((line) => line.usd === undefined && line.quantity > 0);
  return {
    usd: lines.reduce((sum, line) => sum + (line.usd ?? 0), 0),
    missing: [...new Set([...unpriced.map((line) => `no price for ${line.item}`), ...missing])],
  };
}

/** A sum of sums: incomplete where one of them is. */
export function addSums(sums: readonly Sum[]): Sum {
  return {
    usd: sums.reduce((total, sum) => total + sum.usd, 0),
    missing: [...new Set(sums.flatMap((sum) => sum.missing))],
  };
}
