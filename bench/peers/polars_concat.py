"""Python Polars: lazy horizontal concat into a streaming Parquet sink. It checks no keys."""

import os
import sys

import polars as pl

folder, pair, output, compression = sys.argv[1:]
frames = [pl.scan_parquet(os.path.join(folder, "targets.parquet"), hive_partitioning=False)]
for file in sorted(os.listdir(folder)):
    if not file.endswith(".parquet") or file == "targets.parquet":
        continue
    prefix = file.removesuffix(".parquet").removesuffix(f"_{pair}")
    frame = pl.scan_parquet(os.path.join(folder, file), hive_partitioning=False).drop("interval_time")
    frames.append(frame.rename(lambda name, prefix=prefix: f"{prefix}_{name}"))
pl.concat(frames, how="horizontal").sink_parquet(output, compression=compression)
