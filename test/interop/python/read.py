"""Reads Parquet files with one library and writes what it saw as canonical JSON.

read.py pyarrow|pandas|polars|duckdb   with lines "<parquet file> TAB <json file>" on standard input
"""

import json
import os
import sys

from canon import canon_column, canon_float32, canon_float64, canon_object
from filters import probe_filters


def read_pyarrow(path):
    import pyarrow.parquet as pq

    # Through ParquetFile: nothing is guessed from folder names, and page checksums are checked where there are any.
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return from_arrow(file.read())


def read_polars(path):
    import polars as pl

    return from_arrow(pl.read_parquet(path, hive_partitioning=False).to_arrow())


def read_duckdb(path):
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.sql("SELECT * FROM read_parquet(?, hive_partitioning = false)", params=[path])
        return from_arrow(relation.to_arrow_table())


def read_pandas(path):
    import pandas as pd

    pd.set_option("future.distinguish_nan_and_na", True)
    frame = pd.read_parquet(path, dtype_backend="numpy_nullable", partitioning=None)
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    return [(str(name), canon_series(frame[name])) for name in frame.columns], len(frame)


def canon_series(series):
    import pandas as pd

    kind = str(series.dtype)
    if kind.startswith("datetime64"):
        tag = "tsz" if getattr(series.dtype, "tz", None) else "ts"
        nanos = {"s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}[series.dt.unit]
        counts = series.astype("int64") if not series.isna().any() else series.dropna().astype("int64")
        return [None if index not in counts.index else f"{tag}:{int(counts[index]) * nanos}" for index in series.index]
    if kind == "Float32":
        return [None if value is pd.NA else canon_float32(float(value)) for value in series]
    if kind == "Float64":
        return [None if value is pd.NA else canon_float64(float(value)) for value in series]
    present = series.notna()
    return [canon_object(value) if here else None for value, here in zip(series, present)]


def from_arrow(table):
    return [(name, canon_column(table.column(index))) for index, name in enumerate(table.column_names)], table.num_rows


READERS = {"pyarrow": read_pyarrow, "pandas": read_pandas, "polars": read_polars, "duckdb": read_duckdb}


def main():
    read = READERS[sys.argv[1]]
    for line in sys.stdin:
        source, target = line.rstrip("\n").split("\t")
        with open(target, "w", encoding="utf-8") as file:
            json.dump(describe(read, source), file)


def describe(read, source):
    """What a library saw in a file, or why it could not read it: the test compares its word on inputs and output."""
    try:
        columns, rows = read(source)
        is_output = os.path.basename(source).startswith("training_")
        problems = probe_filters(read.__name__.removeprefix("read_"), source) if is_output else []
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    names = [name for name, _ in columns]
    return {"rows": rows, "names": names, "columns": dict(columns), "indexes": {"problems": problems}}


if __name__ == "__main__":
    main()
