"""Two instruments as a newcomer's pandas leaves them: indexes, key names, types and rows that differ from table to table.

first_hour.py write FOLDER                 writes the checkpoints ES=F and BTC-USD
first_hour.py check FOLDER OUTPUT...       compares the outputs with what pandas makes of the same files
"""

import os
import sys

import numpy as np
import pandas as pd

ROWS = 400
KEY = "ts"


def write(folder):
    for name, seed in (("ES=F", 1), ("BTC-USD", 2)):
        place = os.path.join(folder, name)
        os.makedirs(place)
        for table, frame in make_tables(seed).items():
            frame.to_parquet(os.path.join(place, f"{table}.parquet"), index=frame.index.name == KEY or table == "indexed")
        with open(os.path.join(place, "notes.csv"), "w", encoding="utf-8") as notes:
            notes.write("not a table\n")


def make_tables(seed):
    drawn = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05 09:30", periods=ROWS, freq="min", tz="UTC").as_unit("us")
    number = lambda rows=ROWS: drawn.normal(size=rows)  # noqa: E731
    plain = lambda key=times: pd.DataFrame({KEY: key, "a": number(len(key)), "b": drawn.integers(0, 9, len(key))})  # noqa: E731
    text = plain()
    text[KEY] = times.strftime("%Y-%m-%d %H:%M:%S+00:00")
    naive = plain()
    naive[KEY] = times.tz_localize(None)
    duplicated = pd.concat([plain(), plain().iloc[10:13]])
    categories = plain().assign(side=pd.Categorical(np.where(number() > 0, "buy", "sell")))
    durations = plain().assign(hold=pd.to_timedelta(drawn.integers(1, 900, ROWS), unit="s").as_unit("us"))
    return {
        "y": pd.DataFrame({KEY: times, "target": number()}),
        "plain": plain(),
        "named_index": plain().set_index(KEY),
        "indexed": plain().iloc[::-1],
        "other_name": plain().rename(columns={KEY: "Ts"}),
        "text": text,
        "naive": naive,
        "categories": categories,
        "durations": durations,
        "duplicated": duplicated,
        "gaps": plain().iloc[::3],
        "shifted": plain(times + pd.Timedelta(seconds=1)),
    }


def check(folder, outputs):
    for name, output in zip(("ES=F", "BTC-USD"), outputs):
        expected = join(os.path.join(folder, name))
        found = pd.read_parquet(output)
        assert list(found.columns) == list(expected.columns), (list(found.columns), list(expected.columns))
        for column in expected.columns:
            compare(column, expected[column], found[column])
        print(f"{name}: {len(found)} rows, {len(found.columns)} columns are equal")


def join(place):
    """The left join by pandas alone, of the tables that the newcomer ends with."""
    wide = pd.read_parquet(os.path.join(place, "y.parquet"))
    for file in sorted(os.listdir(place)):
        table = file.removesuffix(".parquet")
        if not file.endswith(".parquet") or table in ("y", "shifted"):
            continue
        frame = pd.read_parquet(os.path.join(place, file)).reset_index(drop=table != "named_index").rename(columns={"Ts": KEY})
        frame[KEY] = pd.to_datetime(frame[KEY], utc=True).astype(wide[KEY].dtype)
        frame = frame.drop_duplicates(KEY, keep="first")
        values = frame.rename(columns={column: f"{table}__{column}" for column in frame.columns if column != KEY})
        wide = wide.merge(values, on=KEY, how="left", validate="one_to_one")
    return wide


def compare(column, expected, found):
    if isinstance(expected.dtype, pd.CategoricalDtype):
        expected = expected.astype("object")
    if expected.dtype.kind == "m":
        expected = expected.astype("int64")
    assert (expected.isna() == found.isna()).all(), column
    present = expected.notna()
    assert (expected[present].to_numpy() == found[present].to_numpy()).all(), column


if __name__ == "__main__":
    command, target, *rest = sys.argv[1:]
    write(target) if command == "write" else check(target, rest)
