"""pyarrow: read every table, append its columns to one table, write it. It checks no keys."""

import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq

folder, pair, output, compression = sys.argv[1:]
targets = pq.read_table(os.path.join(folder, "targets.parquet"))
names, columns = list(targets.column_names), list(targets.columns)
for file in sorted(os.listdir(folder)):
    if not file.endswith(".parquet") or file == "targets.parquet":
        continue
    prefix = file.removesuffix(".parquet").removesuffix(f"_{pair}")
    table = pq.read_table(os.path.join(folder, file)).drop_columns(["interval_time"])
    names += [f"{prefix}_{name}" for name in table.column_names]
    columns += table.columns
pq.write_table(pa.Table.from_arrays(columns, names), output, compression=compression)
