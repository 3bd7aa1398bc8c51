import pl from "nodejs-polars";
import { listFeatures, readArguments, targetsOf } from "./tables.ts";

/** Streaming horizontal concat to a sink: it checks no keys, so it is right only if every table is aligned. */
const { folder, pair, output, compression } = readArguments();
const key = "interval_time";
const features = listFeatures(folder, pair).map(({ path, prefix }) => {
  const table = pl.scanParquet(path);
  const names = table.columns.filter((name) => name !== key);
  return table.select(...names.map((name) => pl.col(name).alias(`${prefix}_${name}`)));
});
const wide = pl.concat([pl.scanParquet(targetsOf(folder)), ...features], { how: "horizontal" });
await wide.sinkParquet(output, { compression }).collect({ streaming: true });
