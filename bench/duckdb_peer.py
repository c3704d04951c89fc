"""DuckDB's side of the bench; runs under the peers' interpreter.

    duckdb_peer.py csv IN OUT      one COPY from CSV to Parquet (zstd, level 3), synced like ours
    duckdb_peer.py sql DIRECTORY   answers statements, one JSON object a line in each direction
"""
import datetime
import decimal
import json
import os
import pathlib
import resource
import sys
import time

import duckdb


def plain(value):
    """A value as JSON can hold it; decimals as text, so that nothing is lost."""
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def copy(source, target):
    options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3"
    duckdb.connect().execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' ({options})")
    with open(target, "rb") as file:
        os.fsync(file.fileno())


def serve(directory):
    connection = duckdb.connect()
    for file in sorted(pathlib.Path(directory).glob("*.parquet")):
        connection.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_parquet('{file}')")
    for line in sys.stdin:
        cpu_before, wall_before = cpu(), time.monotonic()
        rows = connection.execute(json.loads(line)["sql"]).fetchall()
        cost = {"cpu": cpu() - cpu_before, "wall": time.monotonic() - wall_before}
        print(json.dumps({"rows": [[plain(value) for value in row] for row in rows], **cost}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "csv":
        copy(sys.argv[2], sys.argv[3])
    else:
        serve(sys.argv[2])
