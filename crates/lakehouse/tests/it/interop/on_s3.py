"""Both witnesses on a lake in a bucket: `on_s3.py GATEWAY`, with the bucket's keys in the environment."""

import os
import sys

import pyarrow as pa
from duck import attach
from lake import Lake, expect_same
from pyiceberg.catalog.rest import RestCatalog

GATEWAY = sys.argv[1]
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
lake = Lake(GATEWAY)
# Where the bucket is, the catalog says.
catalog = RestCatalog("lake", uri=f"{GATEWAY}/iceberg", **{"s3.access-key-id": KEY, "s3.secret-access-key": SECRET})
duck = attach(GATEWAY)
host = os.environ["S3_ENDPOINT"].removeprefix("http://")
duck.execute(f"""CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', ENDPOINT '{host}', URL_STYLE 'path',
    USE_SSL false, REGION 'us-east-1')""")


def expect_agreed():
    ours = lake.sql("SELECT * FROM people")
    expect_same(ours, catalog.load_table("default.people").scan().to_arrow())
    expect_same(ours, duck.sql("SELECT * FROM lake.default.people").to_arrow_table())


lake.load("people", "id,name\n1,Zoë\n2,\n".encode())
expect_agreed()
catalog.load_table("default.people").append(pa.table({"id": [3], "name": ["Ada"]}))
expect_agreed()
duck.execute("INSERT INTO lake.default.people VALUES (4, 'Grace')")
expect_agreed()
assert sorted(lake.sql("SELECT id FROM people")["id"].to_pylist()) == [1, 2, 3, 4]
