import type { Problem } from "../../model/failure.ts";
import type { ColumnLineage } from "../../model/plan.ts";
import type { ColumnNaming } from "../../model/settings.ts";
import type { Inspected } from "../inspect/table.ts";

/** Input and output names of a table's columns, without its key. The targets keep their names. */
export function nameColumns(table: Inspected, pair: string, isTargets: boolean, naming: ColumnNaming): ColumnLineage[] {
  const columns = table.footer.columns.filter((column) => column !== table.key);
  const prefix = isTargets || naming === "keep" ? "" : `${stripPair(table.file.table, pair)}_`;
  return columns.map((column) => ({ input: column.name, output: `${prefix}${column.name}` }));
}

/** The table's name without the "_<pair>" at its end. */
function stripPair(table: string, pair: string): string {
  const ending = `_${pair}`;
  return table.endsWith(ending) && table.length > ending.length ? table.slice(0, -ending.length) : table;
}

/** Output names that two columns would share, each with both tables; nothing is ever dropped silently. */
export function findClashes(
  key: string,
  tables: readonly { readonly table: string; readonly columns: readonly ColumnLineage[] }[],
): Problem[] {
  const owners = new Map<string, string>([[key, "the key"]]);
  return tables.flatMap(({ table, columns }) =>
    columns.flatMap(({ input, output }) => {
      const owner = owners.get(output);
      owners.set(output, owner ?? `${table}.${input}`);
      if (owner === undefined) return [];
      return [
        {
          what: `output column ${output} twice`,
          found: `${owner} and ${table}.${input}`,
          fix: "rename one of them, or use --naming prefix",
          table,
        },
      ];
    }),
  );
}
