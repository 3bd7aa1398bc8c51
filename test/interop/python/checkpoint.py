"""Checkpoints of one pair as Arrow tables: targets, tables to splice, tables to align."""

import os
import random

import pyarrow as pa

from values import COMMON, EXOTIC, make_column, make_keys

KEY = "interval_time"
UTC = pa.timestamp("us", tz="UTC")


def make_tables(pair, rows, key=UTC, common=COMMON, exotic=EXOTIC, seed=1):
    """Table name -> Arrow table. alike_* and odd_* have the targets' keys; gaps_*, extra_* and shuffled_* have not."""
    keys = make_keys(key, rows + rows // 10)
    drawn = random.Random(seed)
    targets = sorted(drawn.sample(range(len(keys)), rows))
    gaps = sorted(drawn.sample(targets, rows - rows // 5))
    extra = sorted(set(targets) | set(drawn.sample(range(len(keys)), len(keys) - 3 if len(keys) > 3 else 0)))
    shuffled = drawn.sample(targets, rows)
    features = {
        "targets": (targets, {"ret_5": pa.float64(), "ret_60": pa.float64(), "label": pa.int8()}),
        f"alike_{pair}": (targets, common),
        f"odd_{pair}": (targets, exotic),
        f"gaps_{pair}": (gaps, common),
        f"extra_{pair}": (extra, common),
        f"shuffled_{pair}": (shuffled, common),
    }
    return {
        name: _table(keys, index, kinds, seed * 1000 + position)
        for position, (name, (index, kinds)) in enumerate(features.items())
        if len(kinds) > 0
    }


def actions_of(tables, pair, regrouped=()):
    """Table name -> what widemerge must do with it."""
    moved = {f"{word}_{pair}" for word in ("gaps", "extra", "shuffled")} | set(regrouped)
    return {name: "align" if name in moved and tables[name].num_rows > 0 else "splice" for name in tables}


def write_pair(folder, pair, tables, write):
    """Writes <folder>/<pair>/<table>.parquet with write(name, table, path), and the marker last."""
    os.makedirs(os.path.join(folder, pair))
    for name, table in tables.items():
        write(name, table, os.path.join(folder, pair, f"{name}.parquet"))
    with open(os.path.join(folder, pair, "_COMPLETE"), "w", encoding="utf-8"):
        pass


def _table(keys, index, kinds, seed):
    taken = keys.take(pa.array(index, pa.int64()))
    columns = {name: make_column(kind, len(index), seed + place) for place, (name, kind) in enumerate(kinds.items())}
    return pa.table({KEY: taken, **columns})
