"""Python Polars: read every table, left-join it onto the growing frame, then write once."""

import os
import sys

import polars as pl

folder, pair, output, compression = sys.argv[1:]
key = "interval_time"
wide = pl.read_parquet(os.path.join(folder, "targets.parquet"), hive_partitioning=False)
for file in sorted(os.listdir(folder)):
    if not file.endswith(".parquet") or file == "targets.parquet":
        continue
    prefix = file.removesuffix(".parquet").removesuffix(f"_{pair}")
    table = pl.read_parquet(os.path.join(folder, file), hive_partitioning=False)
    table = table.rename({name: f"{prefix}_{name}" for name in table.columns if name != key})
    wide = wide.join(table, on=key, how="left", maintain_order="left")
wide.write_parquet(output, compression=compression)
