"""Compares every cell of the roster in a lake with what Python's csv module reads; runs under the peers' interpreter.

    check_cells.py ROSTER.csv LAKE
"""
import csv
import datetime
import pathlib
import sys

import duckdb


def spelled(value, text):
    """Whether a stored value is what the text of the file says, in the type that was chosen for it."""
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, int):
        return text == str(value)
    if isinstance(value, float):
        return float(text) == value
    if isinstance(value, datetime.datetime):
        return datetime.datetime.fromisoformat(text) == value
    if isinstance(value, datetime.date):
        return text == value.isoformat()
    return text == value


def stored(lake):
    """The rows in the file's order: the roster numbers its workers."""
    files = [str(file) for file in pathlib.Path(lake).glob("tables/roster-*/data/*.parquet")]
    return duckdb.connect().execute("SELECT * FROM read_parquet(?) ORDER BY worker_id", [files])


def main(source, lake):
    answer, count = stored(lake), 0
    with open(source, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader)
        if header != [column[0] for column in answer.description]:
            sys.exit(f"columns differ: {answer.description}")
        while rows := answer.fetchmany(10_000):
            for row in rows:
                texts = next(reader)
                for name, value, text in zip(header, row, texts, strict=True):
                    if not spelled(value, text):
                        sys.exit(f"row {count + 1}, {name}: {value!r} is not {text!r}")
                count += 1
        if next(reader, None) is not None:
            sys.exit(f"the lake holds {count} rows, and the file more")
    print(count * len(header))


if __name__ == "__main__":
    main(*sys.argv[1:])
