import { type Family, type Feature, type FeatureKind, featureKinds } from "./features.ts";
import type { Market } from "./market.ts";
import { lag } from "./rolling.ts";
import { fullTables, mixWidths, widthsOf } from "./widths.ts";

/** Feature tables of each family in a full checkpoint. */
export const familyTables: Readonly<Record<Family, number>> = { pair: 256, tri: 194, mkt: 10, var: 63, csi: 144 };

/** A feature table before it is computed: its name without the pair, and how to compute each column. */
export interface TableDraft {
  readonly name: string;
  readonly family: Family;
  readonly columns: readonly ColumnDraft[];
}

/** A feature, and by how many rows it lags. */
export interface ColumnDraft {
  readonly name: string;
  readonly feature: Feature;
  readonly lag: number;
}

/** The names and columns of all feature tables of a pair; no two columns of a pair have the same values. */
export function draftTables(market: Market, pair: string, tables: number | "full"): TableDraft[] {
  const widths = dealWidths(widthsOf(tables));
  return featureKinds.flatMap((kind) => draftKind(kind, kind.features(market, pair), widths.get(kind) ?? []));
}

/** The columns of a table, lag by lag; a feature that several columns share is computed once. */
export function* computeColumns(columns: readonly ColumnDraft[]): Generator<{ name: string; values: Float64Array }> {
  let current: Feature | undefined;
  let values: Float64Array = new Float64Array(0);
  for (const column of columns) {
    if (column.feature !== current) values = column.feature.compute();
    current = column.feature;
    yield { name: column.name, values: lag(values, column.lag) };
  }
}

/** How many of `tables` tables each family gets: real proportions by largest remainder, and at least one from five tables on. */
export function shareTables(tables: number): Readonly<Record<Family, number>> {
  const families = Object.keys(familyTables) as Family[];
  const exact = (family: Family): number => (familyTables[family] * tables) / fullTables;
  const least = tables >= families.length ? 1 : 0;
  const shares = Object.fromEntries(families.map((family) => [family, Math.max(least, Math.floor(exact(family)))]));
  const shortOf = (family: Family): number => exact(family) - (shares[family] ?? 0);
  const given = Object.values(shares).reduce((sum, share) => sum + share, 0);
  const byRemainder = families.toSorted((one, other) => shortOf(other) - shortOf(one));
  for (const family of byRemainder.slice(0, tables - given)) shares[family] = (shares[family] ?? 0) + 1;
  return shares as Record<Family, number>;
}

/** The widths of each kind's tables: the tables of a family are spread over its kinds in turn. */
function dealWidths(widths: readonly number[]): Map<FeatureKind, number[]> {
  const mixed = mixWidths(widths);
  const dealt = new Map<FeatureKind, number[]>();
  for (const [family, count] of Object.entries(shareTables(widths.length))) {
    const kinds = featureKinds.filter((kind) => kind.family === family);
    for (const [turn, width] of mixed.splice(0, count).entries()) {
      const kind = kinds[turn % kinds.length];
      if (kind !== undefined) dealt.set(kind, [...(dealt.get(kind) ?? []), width]);
    }
  }
  return dealt;
}

/** Deals the lags of a kind's features out to its tables, in order, so that no two tables share a column. */
function draftKind(kind: FeatureKind, features: readonly Feature[], widths: readonly number[]): TableDraft[] {
  const needed = widths.reduce((sum, width) => sum + width, 0);
  const lags = Math.ceil(needed / features.length);
  let next = 0;
  const draftColumn = (): ColumnDraft => {
    // Columns are taken evenly from the whole grid, so that even a few of them span short and long windows.
    const cell = Math.floor((next * features.length * lags) / needed);
    next += 1;
    const feature = features[Math.floor(cell / lags)] as Feature;
    return { name: `${feature.name}_lag${cell % lags}`, feature, lag: cell % lags };
  };
  return widths.map((width, index) => ({
    name: `${kind.family}_${kind.name}_${String(index + 1).padStart(3, "0")}`,
    family: kind.family,
    columns: Array.from({ length: width }, draftColumn),
  }));
}
