import { type CostLine, type PriceItem, type PriceList, priceUnits, type Sum } from "../model/cost.ts";
import { formatBytes, formatNumber } from "../model/units.ts";

/** A quantity with its price. A line without a price says that the list has none. */
export function priceLine(item: PriceItem, quantity: number, what: string, list: PriceList): CostLine {
  const price = list.prices[item]?.usd;
  const line = { item, what, quantity, unit: priceUnits[item] };
  return price === undefined ? line : { ...line, price, usd: quantity * price };
}

/** Storage operations by class. A class without operations has no line. */
export function priceOperations(classA: number, classB: number, list: PriceList): CostLine[] {
  const lines = [
    priceLine("storageClassA", classA / 1000, formatNumber(classA, "class A operation"), list),
    priceLine("storageClassB", classB / 1000, formatNumber(classB, "class B operation"), list),
  ];
  return lines.filter((line) => line.quantity > 0);
}

/** One month of storage for so many bytes in a bucket. */
export function priceStorage(bytes: number, list: PriceList): CostLine {
  return priceLine("storageMonth", bytes / 1e9, `${formatBytes(bytes)} × 1 month`, list);
}

/** The fee of a cluster for some seconds. */
export function priceCluster(seconds: number, list: PriceList): CostLine {
  const hours = seconds / 3600;
  return priceLine("autopilotCluster", hours, `1 cluster × ${hours.toFixed(3)} h, first start to last end`, list);
}

/** The items that are used but have no price, each once. */
export function listUnpriced(lines: readonly CostLine[]): PriceItem[] {
  const unpriced = lines.filter((line) => line.usd === undefined && line.quantity > 0);
  return [...new Set(unpriced.map(({ item }) => item))];
}

/** The sum of lines, and what it lacks: prices, and what `missing` adds. */
export function sumLines(lines: readonly CostLine[], missing: readonly string[] = []): Sum {
  return {
    usd: lines.reduce((sum, line) => sum + (line.usd ?? 0), 0),
    missing: [...listUnpriced(lines).map((item) => `no price for ${item}`), ...missing],
  };
}

/** The sum of sums, and what any of them lacks. */
export function addSums(sums: readonly Sum[]): Sum {
  return {
    usd: sums.reduce((total, sum) => total + sum.usd, 0),
    missing: [...new Set(sums.flatMap((sum) => sum.missing))],
  };
}
