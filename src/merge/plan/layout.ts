import type { OutputSettings } from "../../model/settings.ts";
import type { InspectedTable, ProvenTable } from "../table.ts";

/** Rows of each row group, none of them empty. */
export type Layout = readonly number[];

/** The row groups of a table that have rows. */
export function layoutOf(table: InspectedTable): Layout {
  return table.footer.rowGroups.map((group) => group.rows).filter((rows) => rows > 0);
}

/** Row groups of `size` rows, the last one shorter. */
export function uniformLayout(rows: number, size: number): Layout {
  const full = Math.floor(rows / size);
  const rest = rows % size;
  return [...Array.from({ length: full }, () => size), ...(rest > 0 ? [rest] : [])];
}

export function sameLayout(left: Layout, right: Layout): boolean {
  return left.length === right.length && left.every((rows, index) => rows === right[index]);
}

/** "1 × 100,000" or "3 × 40,000 + 20,000". */
export function describeLayout(layout: Layout): string {
  const first = layout[0];
  if (first === undefined) return "none";
  const run = layout.findIndex((rows) => rows !== first);
  const same = run === -1 ? layout.length : run;
  const rest = layout.slice(same);
  return [`${same} × ${first.toLocaleString("en-US")}`, ...(rest.length > 0 ? [`${rest.length} more`] : [])].join(
    " + ",
  );
}

/**
 * The row groups of the output. "auto" takes the layout that holds the most input bytes, among tables with the targets'
 * keys, so that most bytes are spliced.
 */
export function chooseLayout(
  rows: number,
  tables: readonly ProvenTable[],
  wanted: OutputSettings["rowGroupRows"],
): Layout {
  if (wanted !== "auto") return uniformLayout(rows, wanted);
  const votes = new Map<string, { readonly layout: Layout; bytes: number }>();
  for (const table of tables.filter(({ proof }) => proof.comparison.equal)) {
    const layout = layoutOf(table);
    const vote = votes.get(layout.join()) ?? { layout, bytes: 0 };
    vote.bytes += table.dataEnd;
    votes.set(layout.join(), vote);
  }
  const [best] = [...votes.values()].sort((left, right) => right.bytes - left.bytes);
  return best?.layout ?? [];
}
