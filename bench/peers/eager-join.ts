import pl from "nodejs-polars";
import { listFeatures, readArguments, targetsOf } from "./tables.ts";

/** The usual way: read every table, left-join it onto the growing frame, then write once. */
const { folder, pair, output, compression } = readArguments();
const key = "interval_time";
let wide = pl.readParquet(targetsOf(folder));
for (const { path, prefix } of listFeatures(folder, pair)) {
  const table = pl.readParquet(path);
  const renamed = table.columns.filter((name) => name !== key).map((name) => [name, `${prefix}_${name}`] as const);
  wide = wide.join(table.rename(Object.fromEntries(renamed)), { on: key, how: "left" });
}
wide.writeParquet(output, { compression });
