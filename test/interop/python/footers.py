"""Compares what the footers of inputs and output say, as pyarrow reads them.

Reads one JSON document on standard input: {"output": path, "columns": [{"output", "input", "path", "action"}]}; prints a
list of problems as JSON. Spliced: types, codecs, encodings and sizes must be equal, each statistic equal or absent.
Aligned: the column has the type it had, but a time of day comes out in nanoseconds, the one unit Polars has for it.
"""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq

EQUAL = ("physical_type", "num_values", "compression", "encodings", "total_compressed_size", "total_uncompressed_size")
STATISTICS = ("null_count", "distinct_count", "min_raw", "max_raw")


def main():
    request = json.load(sys.stdin)
    files = {path: pq.ParquetFile(path) for path in {column["path"] for column in request["columns"]}}
    output = pq.ParquetFile(request["output"])
    problems = []
    for column in request["columns"]:
        compare = compare_spliced if column["action"] == "splice" else compare_aligned
        problems += compare(output, column["output"], files[column["path"]], column["input"])
    json.dump(problems, sys.stdout)


def compare_aligned(output, output_name, source, source_name):
    made = plain_type(output.schema_arrow.field(output_name).type)
    given = plain_type(source.schema_arrow.field(source_name).type)
    return compare_types(output_name, made, given)


def plain_type(kind):
    """The type without what only an Arrow schema in the metadata tells (dictionaries, wide offsets, the zone's name), and
    without the unit of a time of day."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        return pa.timestamp(kind.unit, tz=None if kind.tz is None else "UTC")
    if pa.types.is_time(kind):
        return pa.time64("ns")
    return {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}.get(kind, kind)


def compare_spliced(output, output_name, source, source_name):
    made, given = leaves_of(output, output_name), leaves_of(source, source_name)
    if len(made) != len(given):
        return [f"{output_name}: {len(made)} leaf columns instead of {len(given)}"]
    leaves = zip(made, given)
    return [problem for left, right in leaves for problem in compare_leaf(output_name, output, left, source, right)]


def compare_leaf(output_name, output, left, source, right):
    made, given = chunks_of(output, left), chunks_of(source, right)
    if len(made) != len(given):
        return [f"{output_name}: {len(made)} row groups instead of {len(given)}"]
    problems = compare_types(output_name, type_of(output, left), type_of(source, right))
    for made_chunk, given_chunk in zip(made, given):
        problems += [
            f"{output_name}: {what} {getattr(made_chunk, what)} instead of {getattr(given_chunk, what)}"
            for what in EQUAL
            if getattr(made_chunk, what) != getattr(given_chunk, what)
        ]
        problems += compare_statistics(output_name, made_chunk.statistics, given_chunk.statistics)
    return problems


def compare_types(name, made, given):
    return [] if made == given else [f"{name}: type {made} instead of {given}"]


def compare_statistics(name, made, given):
    found, expected = statistics_of(made), statistics_of(given)
    return [
        f"{name}: {what} {value!r} instead of {expected.get(what)!r}"
        for what, value in found.items()
        if expected.get(what) != value
    ]


def statistics_of(statistics):
    """The statistics that are there; those that are not are left out."""
    if statistics is None:
        return {}
    there = {"null_count": statistics.has_null_count, "distinct_count": statistics.has_distinct_count}
    return {what: getattr(statistics, what) for what in STATISTICS if there.get(what, statistics.has_min_max)}


def chunks_of(file, leaf):
    """Chunks of the row groups that have rows: pyarrow writes an empty table as an empty group, which Java refuses."""
    groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
    return [group.column(leaf) for group in groups if group.num_rows > 0]


def type_of(file, leaf):
    column = file.schema.column(leaf)
    return (
        column.physical_type,
        str(column.logical_type),
        column.converted_type,
        column.length,
        column.max_definition_level,
        column.max_repetition_level,
    )


def leaves_of(file, name):
    """Leaf columns of a column: itself when it is flat."""
    paths = [file.schema.column(leaf).path for leaf in range(len(file.schema))]
    return [leaf for leaf, path in enumerate(paths) if path == name or path.startswith(f"{name}.")]


if __name__ == "__main__":
    main()
