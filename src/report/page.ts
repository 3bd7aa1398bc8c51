/** The page as the templates take it: texts only, which they escape, and pictures, which hold escaped text already. */

import type { Picture } from "./charts/chart.ts";
import type { MemoryPicture } from "./charts/memory.ts";

export interface Page {
  readonly widemerge: string;
  readonly run: string;
  readonly headline: string;
  readonly where: string;
  readonly style: string;
  readonly facts: readonly Fact[];
  readonly sections: readonly Section[];
  readonly notes: readonly string[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

export interface Section {
  readonly title: string;
  readonly text: readonly string[];
  readonly causes: readonly CauseText[];
  readonly picture: Picture | undefined;
  readonly multiples: readonly MemoryPicture[];
  readonly tables: readonly TableText[];
}

/** Why pairs failed and what to do. */
export interface CauseText {
  readonly title: string;
  readonly text: string;
  readonly problems: readonly string[];
}

export interface TableText {
  readonly title: string;
  readonly folded: boolean;
  readonly columns: readonly { readonly name: string; readonly right: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

/** A section with what it has; the rest is empty. */
export function section(title: string, parts: Partial<Section>): Section {
  return { title, text: [], causes: [], picture: undefined, multiples: [], tables: [], ...parts };
}

/** A table; a column whose name ends in ">" is set to the right. */
export function table(
  title: string,
  names: readonly string[],
  rows: readonly (readonly string[])[],
  folded = true,
): TableText {
  const columns = names.map((name) => ({ name: name.replace(/>$/, ""), right: name.endsWith(">") }));
  return { title, folded, columns, rows };
}

/** RFC 3339 for people: "2026-11-21 06:00:00 UTC"; anything else as it is. */
export function formatTime(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? text : `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
