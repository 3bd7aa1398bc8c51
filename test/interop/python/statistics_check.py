"""Compares the footer's word on spliced columns, as pyarrow reads it, in input and output.

Reads one JSON document on standard input: {"output": path, "columns": [{"output", "input", "path"}]}; prints a list of
problems as JSON. Types, codecs, encodings and sizes must be equal; each statistic equal or absent.
"""

import json
import sys

import pyarrow.parquet as pq

EQUAL = ("physical_type", "num_values", "compression", "encodings", "total_compressed_size", "total_uncompressed_size")
STATISTICS = ("null_count", "distinct_count", "min_raw", "max_raw")


def main():
    request = json.load(sys.stdin)
    files = {path: pq.ParquetFile(path) for path in {column["path"] for column in request["columns"]}}
    output = pq.ParquetFile(request["output"])
    problems = []
    for column in request["columns"]:
        problems += compare(output, column["output"], files[column["path"]], column["input"])
    json.dump(problems, sys.stdout)


def compare(output, output_name, source, source_name):
    left, right = chunks_of(output, output_name), chunks_of(source, source_name)
    if len(left) != len(right):
        return [f"{output_name}: {len(left)} row groups instead of {len(right)}"]
    problems = compare_types(output_name, type_of(output, output_name), type_of(source, source_name))
    for made, given in zip(left, right):
        problems += [
            f"{output_name}: {what} {getattr(made, what)} instead of {getattr(given, what)}"
            for what in EQUAL
            if getattr(made, what) != getattr(given, what)
        ]
        problems += compare_statistics(output_name, made.statistics, given.statistics)
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


def chunks_of(file, name):
    column = column_index(file, name)
    return [file.metadata.row_group(group).column(column) for group in range(file.metadata.num_row_groups)]


def type_of(file, name):
    column = file.schema.column(column_index(file, name))
    return (
        column.physical_type,
        str(column.logical_type),
        column.converted_type,
        column.length,
        column.max_definition_level,
    )


def column_index(file, name):
    return next(index for index in range(len(file.schema)) if file.schema.column(index).path == name)


if __name__ == "__main__":
    main()
