"""Canonical text of values, the same whichever library read them: typed, exact, comparable as strings.

i: integer   f4:/f8: bits of a float ("nan" for every NaN)   ts:/tsz: nanoseconds since 1970, without or with zone
d: days since 1970   t: nanoseconds of the day   n: decimal with its scale   s: text   b: bytes in hex   l:/r: list, struct
A float16 is widened to f4, which loses nothing.
"""

import datetime
import decimal
import json
import math
import struct
import uuid

import numpy as np
import pyarrow as pa

NANOS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def canon_column(column: pa.ChunkedArray) -> list:
    """One Arrow column as canonical texts; None where it is null."""
    values = []
    for chunk in column.chunks:
        values.extend(_canon_chunk(chunk))
    return values


def canon_object(value):
    """One Python or NumPy value, as pandas hands it over, as canonical text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    for kind, render in _OBJECTS:
        if isinstance(value, kind):
            return render(value)
    raise TypeError(f"no canonical form for {type(value)}")


def canon_float64(value: float) -> str:
    return "f8:nan" if math.isnan(value) else "f8:" + struct.pack(">d", value).hex()


def canon_float32(value: float) -> str:
    return "f4:nan" if math.isnan(value) else "f4:" + struct.pack(">f", value).hex()


def _canon_chunk(chunk: pa.Array) -> list:
    if isinstance(chunk.type, pa.BaseExtensionType):
        return _canon_chunk(chunk.storage)
    if pa.types.is_dictionary(chunk.type):
        return _canon_chunk(chunk.dictionary_decode())
    if pa.types.is_null(chunk.type):
        return [None] * len(chunk)
    render = _renderer(chunk.type)
    return [None if value is None else render(value) for value in _plain(chunk)]


def _plain(chunk: pa.Array) -> list:
    """Python values; times of every kind as integers of their unit, so that no nanosecond is lost."""
    kind = chunk.type
    if pa.types.is_date64(kind):
        chunk = chunk.cast(pa.date32())
    if pa.types.is_date(kind) or pa.types.is_time32(kind):
        return chunk.view(pa.int32()).to_pylist()
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind) or pa.types.is_duration(kind):
        return chunk.view(pa.int64()).to_pylist()
    if pa.types.is_float16(kind):
        return chunk.cast(pa.float32()).to_pylist()
    return chunk.to_pylist()


def _renderer(kind: pa.DataType):
    if pa.types.is_timestamp(kind):
        tag, factor = ("ts" if kind.tz is None else "tsz"), NANOS[kind.unit]
        return lambda value: f"{tag}:{value * factor}"
    if pa.types.is_time(kind):
        factor = NANOS[kind.unit]
        return lambda value: f"t:{value * factor}"
    if pa.types.is_date(kind):
        return lambda value: f"d:{value}"
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return canon_float32
    if pa.types.is_duration(kind):
        return lambda value: f"i:{value}"
    if pa.types.is_nested(kind):
        return _canon_nested
    return canon_object


def _canon_nested(value):
    return "l:" + json.dumps(value, default=str)


def _canon_datetime(value: datetime.datetime) -> str:
    tag = "ts" if value.tzinfo is None else "tsz"
    epoch = datetime.datetime(1970, 1, 1, tzinfo=None if value.tzinfo is None else datetime.timezone.utc)
    nanos = (value - epoch) // datetime.timedelta(microseconds=1) * 1000
    return f"{tag}:{nanos}"


def _canon_time(value: datetime.time) -> str:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return f"t:{(seconds * 1_000_000 + value.microsecond) * 1000}"


def _canon_duration(value: datetime.timedelta) -> str:
    return f"i:{value // datetime.timedelta(microseconds=1)}"


# In this order: bool is an int, datetime is a date. Durations in the tests are of microseconds.
_OBJECTS = [
    ((bool, np.bool_), lambda value: "true" if value else "false"),
    ((int, np.integer), lambda value: f"i:{int(value)}"),
    (np.float32, canon_float32),
    (np.float16, lambda value: canon_float32(float(value))),
    ((float, np.float64), lambda value: canon_float64(float(value))),
    (str, lambda value: f"s:{value}"),
    (bytes, lambda value: f"b:{value.hex()}"),
    (uuid.UUID, lambda value: f"b:{value.bytes.hex()}"),
    (decimal.Decimal, lambda value: f"n:{value:f}"),
    (datetime.datetime, _canon_datetime),
    (datetime.date, lambda value: f"d:{(value - datetime.date(1970, 1, 1)).days}"),
    (datetime.time, _canon_time),
    (datetime.timedelta, _canon_duration),
    ((list, dict, np.ndarray), _canon_nested),
]
