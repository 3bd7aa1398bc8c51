/** The sections of the page, as the templates take them: texts, which they escape, and pictures, whose texts are escaped. */
import { formatCount } from "../../model/units.ts";
import { mostRows, type Picture } from "../charts/chart.ts";
import type { MemoryPicture } from "../charts/memory.ts";

export interface Section {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly failures: readonly FailureText[];
  readonly picture: Picture | undefined;
  readonly multiples: readonly MemoryPicture[];
  readonly tables: readonly TableText[];
}

/** A pair that failed, and why. */
export interface FailureText {
  readonly title: string;
  readonly text: string;
  readonly problems: readonly string[];
}

export interface TableText {
  readonly title: string;
  /** Whether only the title is seen until a reader opens it. */
  readonly folded: boolean;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A text, or one that leads to a file. */
export type Cell = string | Link;

export interface Link {
  readonly text: string;
  /** Relative to the report. */
  readonly href: string;
}

/** "text" wraps; "value" stays on one line; "number" does too, and is set to the right. */
export interface Column {
  readonly name: string;
  readonly kind: "text" | "value" | "number";
}

/** A section with the parts that it has. Tables without rows are left out. */
export function section(title: string, parts: Partial<Section>): Section {
  const tables = (parts.tables ?? []).filter(({ rows }) => rows.length > 0);
  return { title, paragraphs: [], failures: [], picture: undefined, multiples: [], ...parts, tables };
}

/** Says that pictures leave out pairs, if there are too many. */
export function noteCut(pairs: number, which: string, most = mostRows): string[] {
  if (pairs <= most) return [];
  return [
    `The pictures show the ${which} ${formatCount(most)} of ${formatCount(pairs)} pairs; the tables list all of them.`,
  ];
}

/** A table below its title. */
export function openTable(title: string, columns: readonly Column[], rows: TableText["rows"]): TableText {
  return { title, folded: false, ...dropEmpty(columns, rows) };
}

/** A table that opens when the reader clicks on its title. */
export function foldedTable(title: string, columns: readonly Column[], rows: TableText["rows"]): TableText {
  return { title, folded: true, ...dropEmpty(columns, rows) };
}

/** Leaves out columns that have nothing in any row. */
function dropEmpty(columns: readonly Column[], rows: TableText["rows"]): Pick<TableText, "columns" | "rows"> {
  const used = columns.map((_, index) => rows.some((row) => row[index] !== "" && row[index] !== "–"));
  const keep = <Item>(items: readonly Item[]): Item[] => items.filter((_, index) => used[index]);
  return { columns: keep(columns), rows: rows.map(keep) };
}

export function text(name: string): Column {
  return { name, kind: "text" };
}

export function value(name: string): Column {
  return { name, kind: "value" };
}

export function number(name: string): Column {
  return { name, kind: "number" };
}
