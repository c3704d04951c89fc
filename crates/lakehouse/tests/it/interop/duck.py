"""DuckDB with its Iceberg extension, attached to the lake."""

import importlib.util
import pathlib

import duckdb


def attach(gateway):
    """A connection that has the lake's catalog as `lake`. The extensions come as packages; nothing is fetched."""
    connection = duckdb.connect()
    for name in ("httpfs", "avro", "iceberg"):
        package = importlib.util.find_spec(f"duckdb_extension_{name}")
        home = pathlib.Path(package.submodule_search_locations[0])
        connection.execute(f"LOAD '{home}/extensions/v{duckdb.__version__}/{name}.duckdb_extension'")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{gateway}/iceberg', AUTHORIZATION_TYPE 'none')")
    return connection
