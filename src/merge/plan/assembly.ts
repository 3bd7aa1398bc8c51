import type { Problem } from "../../model/failure.ts";
import type { Assembly, TablePlan } from "../../model/plan.ts";
import type { AssemblyChoice } from "../../model/settings.ts";

/** More dead bytes than this share of the copied ones are not worth storing for as long as the output lives. */
const deadShare = 0.25;

/** What a composition would leave between the columns, and what it would save from being moved; bytes. */
interface Balance {
  readonly dead: number;
  readonly saved: number;
}

/**
 * How an output is put together. "compose" takes spliced tables whole, as objects: their keys and footers become dead
 * bytes between the columns, and nothing passes through the worker. `link`: whether the store can, or why not.
 */
export function chooseAssembly(
  asked: AssemblyChoice,
  link: true | string,
  tables: readonly TablePlan[],
): { readonly assembly: Assembly; readonly problems: readonly Problem[] } {
  const why = asked === "stream" ? "asked for" : whyNot(link, tables, asked === "compose");
  if (why === undefined) return { assembly: { how: "compose", why: describe(weigh(tables)) }, problems: [] };
  const problem = {
    what: "the output cannot be composed of its inputs",
    found: why,
    fix: "put inputs and output into one bucket, or choose --assembly stream",
  };
  return { assembly: { how: "stream", why }, problems: asked === "compose" ? [problem] : [] };
}

/** Why a composition is impossible, or not worth it unless it was asked for. */
function whyNot(link: true | string, tables: readonly TablePlan[], asked: boolean): string | undefined {
  if (link !== true) return link;
  const spliced = tables.filter((table) => table.action === "splice");
  const unsummed = spliced.filter(({ file }) => file.crc32c === undefined).length;
  if (unsummed > 0) return `${unsummed} objects have no CRC32C`;
  if (asked) return undefined;
  if (spliced.length === 0) return "no table can be taken as it is";
  const balance = weigh(tables);
  return balance.dead > deadShare * balance.saved ? `not worth it: ${describe(balance)}` : undefined;
}

function weigh(tables: readonly TablePlan[]): Balance {
  const spliced = tables.filter((table) => table.action === "splice");
  const saved = spliced.reduce((sum, table) => sum + table.bytes, 0);
  return { saved, dead: spliced.reduce((sum, table) => sum + table.file.size, 0) - saved };
}

function describe({ dead, saved }: Balance): string {
  return `${megabytes(saved)} stay where they are, at the price of ${megabytes(dead)} of dead bytes in the output`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
