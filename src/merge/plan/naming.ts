import { isPandasIndex, renameColumn } from "../../model/column-names.ts";
import type { Problem } from "../../model/failure.ts";
import { type PairNames, stripPair } from "../../model/folders.ts";
import type { OutputSettings } from "../../model/settings.ts";
import type { Column, NamedColumn } from "../../parquet/footer.ts";
import type { InspectedTable, PlannedTable } from "../table.ts";

/** The columns that a table gives to the output, with their names there. The targets keep theirs; their key comes first. */
export function nameColumns(table: InspectedTable, pair: PairNames, settings: NamingSettings): NamedColumn[] {
  const { footer, key, file, isTargets } = table;
  const { naming, separator } = settings;
  const prefix = isTargets || naming === "keep" ? "" : `${stripPair(file.table, pair)}${separator}`;
  const rename = ({ name: column }: Column): string =>
    renameColumn(settings.rename, { pair, table: file.table, column });
  const leftOut = findIndexColumns(table, settings);
  const values = footer.columns
    .filter((column) => column !== key && !leftOut.includes(column))
    .map((column) => ({ column, name: `${prefix}${rename(column)}` }));
  return isTargets ? [{ column: key, name: rename(key) }, ...values] : values;
}

/** The settings that name columns. */
export type NamingSettings = Pick<OutputSettings, "naming" | "separator" | "rename" | "keepIndex">;

/** The columns of a table in which pandas saved an index, unless they are kept or the key: they are left out. */
export function findIndexColumns({ footer, key }: InspectedTable, { keepIndex }: NamingSettings): readonly Column[] {
  return keepIndex ? [] : footer.columns.filter((column) => column !== key && isPandasIndex(column.name));
}

/** Output names that two columns would share, each with both tables. */
export function findClashes(
  tables: readonly Pick<PlannedTable, "file" | "isTargets" | "key" | "columns">[],
): Problem[] {
  const owners = new Map<string, string>();
  return tables.flatMap(({ file: { table }, isTargets, key, columns }) =>
    columns.flatMap(({ column, name }) => {
      const own = `${table}.${column.name}`;
      const owner = owners.get(name);
      if (owner === undefined) {
        owners.set(name, isTargets && column === key ? "the key" : own);
        return [];
      }
      const fix = "rename one of them, or use --naming prefix";
      return [{ what: `two columns would be named ${name}`, found: `${owner} and ${own}`, fix, table }];
    }),
  );
}
