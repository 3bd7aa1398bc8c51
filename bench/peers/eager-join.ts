import pl from "nodejs-polars";
import { listFeatures, readArguments, targetsOf } from "./tables.ts";

/** What users had: every table read and left-joined onto the growing frame, then one write. */
const { folder, pair, output } = readArguments();
const key = "interval_time";
let wide = pl.readParquet(targetsOf(folder));
for (const { path, prefix } of listFeatures(folder, pair)) {
  const table = pl.readParquet(path);
  const renamed = table.columns.filter((name) => name !== key).map((name) => [name, `${prefix}_${name}`] as const);
  wide = wide.join(table.rename(Object.fromEntries(renamed)), { on: key, how: "left" });
}
wide.writeParquet(output, { compression: "snappy" });
