"""Filters rows with each library: a wrong statistic, page index or bloom filter would lose or invent some."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def probe_filters(library, path):
    """Problems found when every simple column is filtered by one of its own values."""
    if library not in COUNTERS:
        return []
    count = COUNTERS[library]
    with pq.ParquetFile(path) as file:
        table = file.read()
    problems = []
    for name in [field.name for field in table.schema if _is_simple(field.type)]:
        present = pc.drop_null(table[name])
        if len(present) == 0:
            continue
        value = present[len(present) // 2]
        expected = pc.sum(pc.equal(present, value)).as_py()
        found = count(path, name, value)
        if found != expected:
            problems.append(f"{name} = {value}: {found} rows instead of {expected}")
    return problems


def _is_simple(kind):
    return pa.types.is_integer(kind) or pa.types.is_string(kind) or kind == pa.timestamp("us", tz="UTC")


def count_pyarrow(path, name, value):
    return pq.read_table(path, columns=[name], filters=pc.field(name) == value, partitioning=None).num_rows


def count_polars(path, name, value):
    import polars as pl

    frame = pl.scan_parquet(path, hive_partitioning=False).filter(pl.col(name) == value.as_py())
    return frame.select(pl.len()).collect().item()


def count_duckdb(path, name, value):
    import duckdb

    duckdb.execute("SET parquet_metadata_cache = true")
    query = f'SELECT count(*) FROM read_parquet(?) WHERE "{name}" = ?'
    return duckdb.execute(query, [path, value.as_py()]).fetchone()[0]


COUNTERS = {"pyarrow": count_pyarrow, "polars": count_polars, "duckdb": count_duckdb}
