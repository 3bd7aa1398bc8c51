"""The checkpoints that each library writes: one generator per library, one pair per way of writing."""

import pyarrow as pa
import pyarrow.parquet as pq

from checkpoint import KEY, UTC, actions_of, make_tables, write_pair
from values import COMMON, EXOTIC, WIDE_DECIMAL

FEW = {name: COMMON[name] for name in ("float64", "int32", "string", "bool")}


def case(pair, tables, settings=(), regrouped=(), unreadable=()):
    return {
        "pair": pair,
        "settings": list(settings),
        "actions": actions_of(tables, pair, regrouped),
        "unreadable": list(unreadable),
    }


def write_pyarrow(folder):
    yield from _pyarrow_options(folder)
    yield from _pyarrow_wide_decimal(folder)
    yield from _pyarrow_mixed(folder)
    yield from _pyarrow_row_groups(folder)
    yield from _pyarrow_keys(folder)
    yield from _pyarrow_empty(folder)
    yield from _pyarrow_nested(folder)


PAGES = {"data_page_size": 256, "write_batch_size": 32}
OPTIONS = {
    "snappy": {"compression": "snappy"},
    "zstd_v2": {"compression": "zstd", "data_page_version": "2.0", **PAGES},
    "gzip_plain": {"compression": "gzip", "use_dictionary": False, **PAGES},
    "brotli": {"compression": "brotli"},
    "lz4_v2": {"compression": "lz4", "data_page_version": "2.0"},
    "none_indexed": {"compression": "none", "write_page_index": True, "write_page_checksum": True, **PAGES},
    "snappy_indexed_v2": {"write_page_index": True, "data_page_version": "2.0", "write_page_checksum": True, **PAGES},
    "int96": {"use_deprecated_int96_timestamps": True},
    "decimal_integers": {"store_decimal_as_integer": True, "write_statistics": False},
    "old_format": {"version": "1.0", "store_schema": False},
    "delta": {
        "use_dictionary": False,
        "column_encoding": {
            "int32": "DELTA_BINARY_PACKED",
            "int64": "DELTA_BINARY_PACKED",
            "string": "DELTA_BYTE_ARRAY",
            "binary": "DELTA_LENGTH_BYTE_ARRAY",
            "float64": "BYTE_STREAM_SPLIT",
        },
    },
}


def _pyarrow_options(folder):
    for pair, options in OPTIONS.items():
        # parquet-java ships no brotli; an int96 key has no zone.
        key = pa.timestamp("ns") if pair == "int96" else UTC
        common = {name: kind for name, kind in COMMON.items() if _holds(pair, options, name)}
        exotic = {name: kind for name, kind in EXOTIC.items() if _holds(pair, options, name)}
        tables = make_tables(pair, 300, key=key, common=common, exotic=exotic)
        write_pair(folder, pair, tables, lambda name, table, path: _write_delta_aware(table, path, options))
        yield case(pair, tables, unreadable=["java"] if pair == "brotli" else [])


def _pyarrow_wide_decimal(folder):
    tables = make_tables("wide_decimal", 300, common=FEW, exotic=WIDE_DECIMAL)
    write_pair(folder, "wide_decimal", tables, lambda name, table, path: pq.write_table(table, path))
    yield case("wide_decimal", tables, unreadable=["polars"])


def _holds(pair, options, name):
    """Whether a way of writing takes a kind: the old format has no nanoseconds, an encoding only some types."""
    if pair == "old_format":
        return "_ns" not in name
    # DuckDB reads int96 in microseconds: nanoseconds that an aligned table must keep would look altered.
    if pair == "int96" and name == "stamp_ns":
        return False
    return "column_encoding" not in options or name in options["column_encoding"]


def _write_delta_aware(table, path, options):
    wanted = options.get("column_encoding", {})
    encoding = {name: kind for name, kind in wanted.items() if name in table.column_names}
    chosen = {**options, "column_encoding": encoding} if encoding else {
        name: value for name, value in options.items() if name != "column_encoding"
    }
    pq.write_table(table, path, **chosen)


def _pyarrow_mixed(folder):
    """Every table of the pair in another codec and page version: the key columns are equal in value, not in bytes."""
    tables = make_tables("mixed", 300)
    ways = [OPTIONS[name] for name in ("snappy", "zstd_v2", "gzip_plain", "none_indexed", "lz4_v2", "snappy_indexed_v2")]
    chosen = dict(zip(tables, ways))
    write_pair(folder, "mixed", tables, lambda name, table, path: pq.write_table(table, path, **chosen[name]))
    yield case("mixed", tables)


def _pyarrow_row_groups(folder):
    options = {"row_group_size": 128, "write_page_index": True, **PAGES}
    tables = make_tables("groups", 500)
    write_pair(folder, "groups", tables, lambda name, table, path: pq.write_table(table, path, **options))
    yield case("groups", tables)

    tables = make_tables("regrouped", 500, exotic={})
    sizes = {"targets": 100, "alike_regrouped": 250}
    write_pair(
        folder,
        "regrouped",
        tables,
        lambda name, table, path: pq.write_table(table, path, row_group_size=sizes.get(name, 1000)),
    )
    yield case("regrouped", tables, settings=["--row-group-rows", "100"], regrouped=["alike_regrouped"])


KEYS = {
    "key_ms": pa.timestamp("ms"),
    "key_us": pa.timestamp("us"),
    "key_ns": pa.timestamp("ns"),
    "key_ms_utc": pa.timestamp("ms", tz="UTC"),
    "key_ns_utc": pa.timestamp("ns", tz="UTC"),
    "key_int32": pa.int32(),
    "key_int64": pa.int64(),
    "key_date": pa.date32(),
    "key_string": pa.string(),
}


def _pyarrow_keys(folder):
    for pair, kind in KEYS.items():
        tables = make_tables(pair, 200, key=kind, common=FEW, exotic={})
        write_pair(folder, pair, tables, lambda name, table, path: pq.write_table(table, path))
        yield case(pair, tables)

    units = {"alike": pa.timestamp("ms", tz="UTC"), "gaps": pa.timestamp("ns", tz="UTC"), "extra": pa.timestamp("ms", tz="UTC")}
    tables = make_tables("key_units", 200, common=FEW, exotic={})
    cast = {name: table.set_column(0, KEY, table[KEY].cast(units.get(name.split("_")[0], UTC))) for name, table in tables.items()}
    write_pair(folder, "key_units", cast, lambda name, table, path: pq.write_table(table, path))
    # The keys of alike_* are the targets' in another unit: either way of taking them in is right.
    found = case("key_units", cast)
    del found["actions"]["alike_key_units"]
    yield found


def _pyarrow_empty(folder):
    tables = make_tables("no_feature_rows", 200, common=FEW, exotic={})
    name = "gaps_no_feature_rows"
    tables[name] = tables[name].slice(0, 0)
    write_pair(folder, "no_feature_rows", tables, lambda name, table, path: pq.write_table(table, path))
    found = case("no_feature_rows", tables, settings=["--min-match", "0"])
    yield {**found, "actions": {**found["actions"], name: "align"}}

    tables = {name: table.slice(0, 0) for name, table in make_tables("no_target_rows", 200, exotic={}).items()}
    write_pair(folder, "no_target_rows", tables, lambda name, table, path: pq.write_table(table, path))
    yield {**case("no_target_rows", tables), "actions": {}}

    tables = make_tables("no_targets_at_all", 200, common=FEW, exotic={})
    tables["targets"] = tables["targets"].slice(0, 0)
    write_pair(folder, "no_targets_at_all", tables, lambda name, table, path: pq.write_table(table, path))
    yield {**case("no_targets_at_all", tables), "actions": {}}


def _pyarrow_nested(folder):
    """Spliced whole or refused by name, never mangled."""
    tables = make_tables("nested", 200, common=FEW, exotic={})
    name = "alike_nested"
    rows = tables[name].num_rows
    lists = pa.array([None if row % 7 == 0 else list(range(row % 4)) for row in range(rows)], pa.list_(pa.int64()))
    structs = pa.array([{"low": row, "high": f"h{row}"} for row in range(rows)])
    tables[name] = tables[name].append_column("ladder", lists).append_column("band", structs)
    write_pair(folder, "nested", tables, lambda name, table, path: pq.write_table(table, path))
    yield {**case("nested", tables, unreadable=["java", "pandas"]), "mayRefuse": "ladder"}


def write_pandas(folder):
    import pandas as pd

    def to_frame(table):
        # As a feature job does it: key as index, times and decimals as pandas' own or as objects.
        return table.to_pandas().set_index(KEY)

    common = {name: kind for name, kind in COMMON.items() if name != "time_us"}
    for pair, options in {
        "pd_snappy": {},
        "pd_zstd": {"compression": "zstd"},
        "pd_gzip": {"compression": "gzip", "row_group_size": 120},
    }.items():
        tables = make_tables(pair, 300, common=common, exotic={}, seed=2)
        write_pair(folder, pair, tables, lambda name, table, path: to_frame(table).to_parquet(path, engine="pyarrow", **options))
        yield case(pair, tables)

    # Key as an ordinary column with a RangeIndex in the metadata, nullable and categorical dtypes.
    tables = make_tables("pd_column", 300, common=common, exotic={}, seed=3)
    nullable = {name: table.to_pandas(types_mapper=_nullable(pd)) for name, table in tables.items()}
    write_pair(folder, "pd_column", tables, lambda name, table, path: nullable[name].to_parquet(path, engine="pyarrow"))
    yield case("pd_column", tables)


def _nullable(pd):
    kinds = {
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(),
    }
    return kinds.get


def write_polars(folder):
    import polars as pl

    for pair, options in {
        "pl_default": {},
        "pl_snappy": {"compression": "snappy", "statistics": "full"},
        "pl_groups": {"compression": "zstd", "row_group_size": 100, "data_page_size": 256},
        "pl_plain": {"compression": "uncompressed", "statistics": False},
    }.items():
        exotic = {name: EXOTIC[name] for name in ("time_ns", "stamp_ns_utc", "duration_us", "large_binary", "nothing")}
        tables = make_tables(pair, 300, exotic=exotic, seed=4)
        write_pair(folder, pair, tables, lambda name, table, path: pl.from_arrow(table).write_parquet(path, **options))
        yield case(pair, tables)


def write_duckdb(folder):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")

    def copy(table, path, options):
        connection.register("checkpoint", table)
        connection.execute(f"COPY (SELECT * FROM checkpoint) TO '{path}' (FORMAT parquet{options})")
        connection.unregister("checkpoint")

    exotic = {name: EXOTIC[name] for name in ("time_ns", "fixed_16", "large_binary")}
    for pair, rows, options in [
        ("dk_default", 300, ""),
        ("dk_zstd_v2", 300, ", COMPRESSION zstd, PARQUET_VERSION v2"),
        ("dk_groups", 5000, ", COMPRESSION gzip, ROW_GROUP_SIZE 2048"),
        ("dk_plain", 300, ", COMPRESSION uncompressed"),
    ]:
        common = FEW if rows > 1000 else COMMON
        # pyarrow does not read the delta pages that DuckDB's v2 writes for 32-bit integers.
        left_out = {"int32", "uint32"} if "v2" in options else set()
        common = {name: kind for name, kind in common.items() if name not in left_out}
        tables = make_tables(pair, rows, common=common, exotic=exotic, seed=5)
        write_pair(folder, pair, tables, lambda name, table, path: copy(table, path, options))
        yield case(pair, tables)


WRITERS = {"pyarrow": write_pyarrow, "pandas": write_pandas, "polars": write_polars, "duckdb": write_duckdb}
