import { readFileSync } from "node:fs";

/** What one library saw in one file: every value as canonical text (python/canon.py says how), null as null. */
export interface Sight {
  readonly rows: number;
  readonly names: readonly string[];
  readonly columns: Readonly<Record<string, readonly (string | null)[]>>;
  /** What went wrong when the library used statistics, page indexes and bloom filters: outputs only. */
  readonly indexes?: { readonly problems: readonly string[] };
}

export const keyName = "interval_time";

/** A sight, or the library's reason for not reading the file. */
export function loadSight(path: string): Sight | string {
  const parsed: Sight & { readonly error?: string } = JSON.parse(readFileSync(path, "utf8"));
  return parsed.error ?? parsed;
}

/** The plain left join that the output must equal: a map from key to row, and a lookup for every target row. */
export function joinSights(targets: Sight, tables: ReadonlyMap<string, Sight>): Sight {
  const keys = keysOf(targets);
  const columns: Record<string, readonly (string | null)[]> = { ...targets.columns };
  for (const [prefix, table] of tables) {
    const rowOf = new Map(keysOf(table).map((key, row) => [key, row]));
    const rows = keys.map((key) => rowOf.get(key));
    for (const name of table.names.filter((candidate) => candidate !== keyName)) {
      const values = table.columns[name] ?? [];
      columns[`${prefix}_${name}`] = rows.map((row) => (row === undefined ? null : (values[row] ?? null)));
    }
  }
  return { rows: targets.rows, names: Object.keys(columns), columns };
}

/** Differences between what is expected and what was found, by column, each with its first example. */
export function compareSights(expected: Sight, found: Sight): string[] {
  const missing = expected.names.filter((name) => !found.names.includes(name)).map((name) => `${name} is missing`);
  const surplus = found.names.filter((name) => !expected.names.includes(name)).map((name) => `${name} is surplus`);
  const rows = expected.rows === found.rows ? [] : [`${found.rows} rows instead of ${expected.rows}`];
  const values = expected.names.flatMap((name) => {
    return compareColumn(name, expected.columns[name] ?? [], found.columns[name] ?? []);
  });
  return [...missing, ...surplus, ...rows, ...values];
}

/** The same sight without the mark that tells an instant from a local time: int96 carries none. */
export function dropZones(sight: Sight): Sight {
  const strip = (value: string | null) => (value === null ? null : value.replace(/^tsz:/, "ts:"));
  const columns = Object.entries(sight.columns).map(([name, values]) => [name, values.map(strip)] as const);
  return { ...sight, columns: Object.fromEntries(columns) };
}

function compareColumn(
  name: string,
  expected: readonly (string | null)[],
  found: readonly (string | null)[],
): string[] {
  const wrong = expected.flatMap((value, row) => (value === found[row] ? [] : [row]));
  const [row] = wrong;
  if (row === undefined) return [];
  return [`${name}: ${wrong.length} values differ, first row ${row}: ${found[row]} instead of ${expected[row]}`];
}

/** Keys as instants: a table may carry them in another unit or with the zone named differently. */
function keysOf(table: Sight): (string | null)[] {
  return [...(table.columns[keyName] ?? [])];
}
