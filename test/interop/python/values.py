"""Seeded columns of every kind the tests need: nulls, extremes, NaN, both zeros, empty and long texts."""

import datetime
import decimal
import random

import numpy as np
import pyarrow as pa

# Kinds that Polars holds as they are: an aligned table may have them.
COMMON = {
    "bool": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date": pa.date32(),
    "time_us": pa.time64("us"),
    "stamp_ms": pa.timestamp("ms"),
    "stamp_us": pa.timestamp("us"),
    "stamp_ns": pa.timestamp("ns"),
    "stamp_us_utc": pa.timestamp("us", tz="UTC"),
    "decimal_9_2": pa.decimal128(9, 2),
    "decimal_18_4": pa.decimal128(18, 4),
    "decimal_38_10": pa.decimal128(38, 10),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "binary": pa.binary(),
    "category": pa.dictionary(pa.int32(), pa.string()),
}

# Kinds for spliced tables: some of them no Polars can hold.
EXOTIC = {
    "float16": pa.float16(),
    "time_ms": pa.time32("ms"),
    "time_ns": pa.time64("ns"),
    "stamp_ns_utc": pa.timestamp("ns", tz="UTC"),
    "stamp_ms_berlin": pa.timestamp("ms", tz="Europe/Berlin"),
    "duration_us": pa.duration("us"),
    "fixed_16": pa.binary(16),
    "fixed_5": pa.binary(5),
    "large_binary": pa.large_binary(),
    "category_int": pa.dictionary(pa.int16(), pa.int64()),
    "nothing": pa.null(),
}

# Polars reads no file that holds one.
WIDE_DECIMAL = {"decimal_50_10": pa.decimal256(50, 10)}


def make_column(kind: pa.DataType, rows: int, seed: int, null_share: float = 0.124) -> pa.Array:
    """Values of one kind with about null_share nulls; the same seed gives the same values."""
    draw = random.Random(f"{seed}/{kind}")
    if pa.types.is_null(kind):
        return pa.nulls(rows)
    if pa.types.is_dictionary(kind):
        return make_column(kind.value_type, rows, seed, null_share).dictionary_encode().cast(kind)
    make = _maker(kind, draw)
    values = [None if draw.random() < null_share else make() for _ in range(rows)]
    if pa.types.is_float16(kind):
        values = [None if value is None else np.float16(value) for value in values]
    if _stored_as_integer(kind):
        return pa.array(values, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)
    return pa.array(values, kind)


def _stored_as_integer(kind: pa.DataType) -> bool:
    return pa.types.is_temporal(kind)


def _maker(kind: pa.DataType, draw: random.Random):
    if pa.types.is_boolean(kind):
        return lambda: draw.random() < 0.5
    if pa.types.is_integer(kind):
        low, high = _integer_range(kind)
        return lambda: draw.choice([low, high, 0]) if draw.random() < 0.1 else draw.randint(low, high)
    if pa.types.is_floating(kind):
        special = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0]
        return lambda: draw.choice(special) if draw.random() < 0.2 else draw.gauss(0, 100)
    if pa.types.is_decimal(kind):
        limit = 10**kind.precision - 1
        context = decimal.Context(prec=80)
        return lambda: decimal.Decimal(draw.randint(-limit, limit)).scaleb(-kind.scale, context)
    if pa.types.is_temporal(kind):
        return _temporal_maker(kind, draw)
    if pa.types.is_fixed_size_binary(kind):
        return lambda: draw.randbytes(kind.byte_width)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return lambda: draw.randbytes(draw.choice([0, 1, 7, 40]))
    words = ["", "audusd", "Zürich", "日本", "🙂", 'a "quoted"\n line\t\\', "x" * 120, "nan", "null"]
    return lambda: draw.choice(words) if draw.random() < 0.7 else f"w{draw.randint(0, 10**9)}"


def _integer_range(kind: pa.DataType) -> tuple[int, int]:
    if pa.types.is_signed_integer(kind):
        return -(2 ** (kind.bit_width - 1)), 2 ** (kind.bit_width - 1) - 1
    return 0, 2**kind.bit_width - 1


def _temporal_maker(kind: pa.DataType, draw: random.Random):
    if pa.types.is_date(kind):
        return lambda: draw.randint(-20_000, 40_000)
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    # pandas hands nanosecond times over as datetime.time: whole microseconds keep them comparable.
    step = 1000 if pa.types.is_time(kind) and kind.unit == "ns" else 1
    if pa.types.is_time(kind):
        return lambda: draw.randrange(86_400 * per_second // step) * step
    return lambda: draw.randint(-(10**9), 4 * 10**9) * per_second + draw.randrange(per_second)


def make_keys(kind: pa.DataType, rows: int) -> pa.Array:
    """Strictly increasing keys, five minutes (or one step) apart, with two gaps."""
    steps = [index + (index > rows // 3) * 7 + (index > rows // 2) * 500 for index in range(rows)]
    if pa.types.is_string(kind):
        return pa.array([f"k{step:08d}" for step in steps], kind)
    if pa.types.is_date(kind) or pa.types.is_integer(kind):
        integers = pa.array(steps, pa.int64())
        return integers.cast(kind) if pa.types.is_integer(kind) else integers.cast(pa.int32()).view(kind)
    start = int(datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    return pa.array([(start + 300 * step) * per_second for step in steps], pa.int64()).view(kind)
