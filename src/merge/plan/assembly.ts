import type { Problem } from "../../model/failure.ts";
import type { Assembly, TablePlan } from "../../model/plan.ts";
import type { AssemblyChoice } from "../../model/settings.ts";
import { agree, formatNumber } from "../../model/units.ts";

/** A composition is not worth it above this ratio of dead bytes, which are stored with the output, to bytes that it saves. */
const deadShare = 0.25;

/** The dead bytes that a composition would leave between the columns, and the bytes that it would not have to move. */
interface Balance {
  readonly dead: number;
  readonly saved: number;
}

/**
 * Chooses how the output is assembled. "compose" takes spliced tables as whole objects: their keys and footers become dead
 * bytes between the columns, and their data never passes through the worker. `link`: true if the store can compose, or the
 * reason why it cannot.
 */
export function chooseAssembly(
  asked: AssemblyChoice,
  link: true | string,
  tables: readonly TablePlan[],
): { readonly assembly: Assembly; readonly problems: readonly Problem[] } {
  const why = asked === "stream" ? "asked for" : whyNot(link, tables, asked === "compose");
  if (why === undefined) return { assembly: { how: "compose", why: describe(weigh(tables)) }, problems: [] };
  const problem = {
    what: "the output cannot be composed from its inputs",
    found: why,
    fix: "put inputs and output into one bucket, or choose --assembly stream",
  };
  return { assembly: { how: "stream", why }, problems: asked === "compose" ? [problem] : [] };
}

/** The reason why a composition is impossible or, unless it was asked for, not worth it. */
function whyNot(link: true | string, tables: readonly TablePlan[], asked: boolean): string | undefined {
  if (link !== true) return link;
  const spliced = tables.filter((table) => table.action === "splice");
  const unsummed = spliced.filter(({ file }) => file.crc32c === undefined).length;
  if (unsummed > 0) return `${formatNumber(unsummed, "object")} ${agree(unsummed, "has", "have")} no CRC32C`;
  if (asked) return undefined;
  if (spliced.length === 0) return "no table can be spliced";
  const balance = weigh(tables);
  return balance.dead > deadShare * balance.saved ? `not worth it: ${describe(balance)}` : undefined;
}

function weigh(tables: readonly TablePlan[]): Balance {
  const spliced = tables.filter((table) => table.action === "splice");
  const saved = spliced.reduce((sum, table) => sum + table.bytes, 0);
  return { saved, dead: spliced.reduce((sum, table) => sum + table.file.size, 0) - saved };
}

function describe({ dead, saved }: Balance): string {
  return `${megabytes(saved)} are not moved, at the price of ${megabytes(dead)} of dead bytes in the output`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
