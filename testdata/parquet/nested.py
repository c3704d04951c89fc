"""Makes nested.parquet with pyarrow: columns that hold others, and what is easily lost in them."""

import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HOME = pa.struct([("city", pa.string()), ("zip", pa.int32())])
WHO = pa.struct([("name", pa.string()), ("born", pa.date32()), ("home", HOME)])
JOB = pa.struct([("title", pa.string()), ("wage", pa.decimal128(7, 2)), ("since", pa.date32())])
MOMENT = datetime.datetime(2024, 2, 29, 23, 59, 59, 120000, tzinfo=datetime.timezone.utc)

table = pa.table({
    "id": pa.array([1, 2, 3], pa.int64()),
    "who": pa.array([
        {"name": "Zoë", "born": datetime.date(1990, 1, 2), "home": {"city": "Toledo", "zip": 43604}},
        {"name": None, "born": None, "home": None},
        None,
    ], WHO),
    "tags": pa.array([["a", 'say "hi"', None], [], None], pa.list_(pa.string())),
    "jobs": pa.array([
        [{"title": "nurse", "wage": decimal.Decimal("20.50"), "since": datetime.date(2020, 5, 1)}, None],
        [{"title": "cook", "wage": None, "since": None}],
        [],
    ], pa.list_(JOB)),
    "marks": pa.array([[("x", 1.5), ("y", None)], [], None], pa.map_(pa.string(), pa.float64())),
    "ranks": pa.array([[(1, ["a"])], None, []], pa.map_(pa.int32(), pa.list_(pa.string()))),
    "point": pa.array([[0.1, float("nan")], None, [-1.0, float("inf")]], pa.list_(pa.float32(), 2)),
    "seen": pa.array([[MOMENT, None], None, []], pa.list_(pa.timestamp("us", "UTC"))),
    "raw": pa.array([[b"\x00\xff"], None, []], pa.large_list(pa.binary())),
    "grid": pa.array([[[1, 2], [], None], None, [[3]]], pa.list_(pa.list_(pa.int8()))),
})
pq.write_table(table, pathlib.Path(__file__).with_suffix(".parquet"), compression="zstd")
