"""Columns of every type, with what is easily lost in them."""

import datetime
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq

PAIR = pa.struct([("a", pa.int64()), ("b", pa.string())])
MEDIA = "application/vnd.apache.parquet"


def flat():
    """Those that loads make too."""
    instant = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456)
    utc = instant.replace(tzinfo=datetime.timezone.utc)
    return {
        "id": pa.array([1, 2, 3], pa.int32()),
        "flag": pa.array([True, False, None]),
        "big": pa.array([2**62, -(2**62), None]),
        "small": pa.array([1.5, -0.25, None], pa.float32()),
        "wide": pa.array([1e300, -0.0, None]),
        "price": pa.array([decimal.Decimal("12345678.90"), decimal.Decimal("-0.01"), None], pa.decimal128(10, 2)),
        "huge": pa.array([decimal.Decimal("1" * 28 + ".0123456789"), decimal.Decimal(0), None], pa.decimal128(38, 10)),
        "day": pa.array([datetime.date(2024, 2, 29), datetime.date(1969, 7, 20), None]),
        "moment": pa.array([instant, datetime.datetime(1950, 1, 1), None], pa.timestamp("us")),
        "instant": pa.array([utc, None, None], pa.timestamp("us", "UTC")),
        "name": pa.array(["Zoë 🙂", "", None]),
        "raw": pa.array([b"\x00\xff", b"", None]),
    }


def nested():
    """Those that hold others."""
    return {
        "list": pa.array([[1, None, 3], [], None], pa.list_(pa.int64())),
        "pair": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": None}, None], PAIR),
        "map": pa.array([[("k", 1.5)], [], None], pa.map_(pa.string(), pa.float64())),
        "deep": pa.array([[{"a": [1, 2]}], [None], []], pa.list_(pa.struct([("a", pa.list_(pa.int32()))]))),
    }


def as_file():
    """A Parquet file of the flat ones."""
    file = io.BytesIO()
    pq.write_table(pa.table(flat()), file)
    return file.getvalue()
