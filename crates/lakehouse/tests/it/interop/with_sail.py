"""Sail, which speaks Spark's SQL, as a witness: `with_sail.py GATEWAY`."""

import os
import sys
import threading
import warnings

import columns
import pyarrow as pa
from abilities import Witness, expect_refused
from lake import Lake, expect_same

GATEWAY = sys.argv[1]
os.environ["SAIL_CATALOG__LIST"] = f'[{{name="lake", type="iceberg-rest", uri="{GATEWAY}/iceberg"}}]'
os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = "lake"
# The client says that it is older than the library of tables beside it, which is not used here.
warnings.simplefilter("ignore")

import pysail
from pysail.spark import SparkConnectServer
from pyspark.sql import SparkSession


def sessions():
    """A server of its own, and what makes sessions on it."""
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    # It ends with the process: clients that outlived it would ask for it for minutes.
    address = f"sc://127.0.0.1:{server.listening_address[1]}"
    return server, lambda: SparkSession.builder.remote(address).create()


lake = Lake(GATEWAY)
server, session = sessions()
sail = session()
witness = Witness(f"Sail {pysail.__version__}")

NO_WORDS = "it has no statement for it"
PEOPLE = "VALUES (1, 'Ada'), (2, 'Grace'), (3, NULL)"


def do(*statements):
    for statement in statements:
        sail.sql(statement).toArrow()


def read(text):
    return sail.sql(text).toArrow()


def expect_agreed(name):
    """Both sides read the same rows of a table."""
    expect_same(lake.sql(f"SELECT * FROM {name}"), read(f"SELECT * FROM lake.{name}"))


def ids(name):
    return sorted(lake.sql(f"SELECT id FROM {name}")["id"].to_pylist())


def place(name):
    """Where a table may lie: left to itself, Sail asks for a path that leads nowhere."""
    return f"LOCATION '{ROOT}/tables/sail.{name}'"


def made(name, how="", shape="id BIGINT, name STRING", rows=PEOPLE):
    """A new table with rows; its name."""
    do(f"CREATE TABLE lake.sail.{name} ({shape}) USING iceberg {how} {place(name)}")
    if rows:
        do(f"INSERT INTO lake.sail.{name} {rows}")
    return f"sail.{name}"


def merged(name):
    """A new table of which a row was deleted by a delete file; its name."""
    kept = "TBLPROPERTIES ('lakehouse.allow-delete-files' = 'true', 'write.delete.mode' = 'merge-on-read')"
    do(f"CREATE TABLE lake.sail.{name} (id BIGINT, name STRING) USING iceberg {place(name)} {kept}",
       f"INSERT INTO lake.sail.{name} {PEOPLE}", f"DELETE FROM lake.sail.{name} WHERE id = 2")
    return f"sail.{name}"


def metadata(name):
    space, table = name.split(".")
    return lake.get(f"/iceberg/v1/namespaces/{space}/tables/{table}")["metadata"]


@witness.can("List namespaces and tables")
def _():
    assert "default" in read("SHOW DATABASES")["name"].to_pylist()
    assert "sail_types" in read("SHOW TABLES IN default")["tableName"].to_pylist()


@witness.can("Read columns of every type")
def _():
    expect_agreed("default.sail_types")


@witness.can("Read what was appended, compacted and rolled back here")
def _():
    lake.load("sail_grown", b"id\n1\n")
    then = lake.load("sail_grown", b"id\n2\n", mode="append")
    expect_agreed("default.sail_grown")
    lake.post("/v1/catalog/maintenance/compact", {"name": "sail_grown", "dry_run": False})
    expect_agreed("default.sail_grown")
    lake.load("sail_grown", b"id\n9\n")
    lake.post("/v1/catalog/rollback/sail_grown", {"to": then})
    expect_agreed("default.sail_grown")
    assert ids("sail_grown") == [1, 2]


@witness.can("Read columns that a load added")
def _():
    lake.load("sail_wider", b"id\n1\n")
    lake.load("sail_wider", b"id,name\n2,Ada\n", mode="append", evolve="add")
    expect_agreed("default.sail_wider")


@witness.can("Read earlier snapshots")
def _():
    first = lake.load("sail_earlier", b"id\n1\n")
    lake.load("sail_earlier", b"id\n2\n", mode="append")
    early = min(metadata("default.sail_earlier")["snapshots"], key=lambda snapshot: snapshot["sequence-number"])
    ours = lake.sql(f"SELECT * FROM sail_earlier FOR VERSION AS OF {first}")
    expect_same(ours, read(f"SELECT * FROM lake.default.sail_earlier VERSION AS OF {early['snapshot-id']}"))


@witness.can("Read a table with delete files")
def _():
    expect_agreed(merged("holed"))
    assert ids("sail.holed") == read("SELECT id FROM lake.sail.holed ORDER BY id")["id"].to_pylist() == [1, 3]


@witness.can("Create, change and drop namespaces")
def _():
    do("CREATE NAMESPACE lake.sail_space WITH PROPERTIES ('owner' = 'Ada')")
    assert lake.get("/iceberg/v1/namespaces/sail_space")["properties"] == {"owner": "Ada"}
    do("DROP NAMESPACE lake.sail_space")
    assert "sail_space" not in read("SHOW DATABASES")["name"].to_pylist()
    return True, "it cannot change a namespace's properties"


@witness.can("Create tables, also from rows")
def _():
    made("created", rows=None)
    do(f"CREATE TABLE lake.sail.from_rows USING iceberg {place('from_rows')} AS SELECT id FROM range(9)")
    expect_agreed("sail.created")
    expect_agreed("sail.from_rows")
    assert ids("sail.from_rows") == [*range(9)]
    astray = "CREATE TABLE lake.sail.astray (id BIGINT) USING iceberg"
    expect_refused(Exception, "400 Bad Request", lambda: do(astray))
    return True, "only with a `LOCATION` under `tables/` in the lake: without one it makes up a path that is refused"


@witness.can("Append rows")
def _():
    name = made("appended")
    lake.load(name, b"id,name\n7,Joan\n", mode="append")
    do(f"INSERT INTO lake.{name} {PEOPLE}")
    expect_agreed(name)
    assert ids(name) == [1, 1, 2, 2, 3, 3, 7]


@witness.can("Write columns of every type, nested ones too")
def _():
    # Its sessions know moments in a time zone only.
    rows = pa.table({name: values for name, values in columns.flat().items() if name != "moment"})
    sail.createDataFrame(rows).createOrReplaceTempView("every_type")
    do(f"CREATE TABLE lake.sail.types USING iceberg {place('types')} AS SELECT * FROM every_type")
    expect_agreed("sail.types")
    expect_same(rows, lake.sql("SELECT * FROM sail.types"))
    deep = sail.createDataFrame(pa.table({"id": [1], **{name: values[:1] for name, values in columns.nested().items()}}))
    deep.createOrReplaceTempView("deep")
    do(f"CREATE TABLE lake.sail.deep USING iceberg {place('deep')} AS SELECT * FROM deep")
    expect_refused(Exception, "", lambda: expect_agreed("sail.deep"))
    return True, "not nested ones: it numbers their fields by itself, not as the catalog answers, and nobody finds them"


@witness.can("Replace all rows")
def _():
    name = made("replaced")
    do(f"INSERT OVERWRITE lake.{name} VALUES (7, 'Joan')")
    expect_agreed(name)
    assert ids(name) == [7]


@witness.can("Delete rows")
def _():
    name = made("thinned")
    do(f"DELETE FROM lake.{name} WHERE id = 2")
    expect_agreed(name)
    assert ids(name) == [1, 3]


@witness.can("Change rows")
def _():
    name = made("changed")
    do(f"UPDATE lake.{name} SET name = 'Joan' WHERE id = 3")
    do(f"""MERGE INTO lake.{name} old USING (SELECT * FROM VALUES (1, 'Eve'), (9, 'Radia') AS new(id, name)) new
        ON old.id = new.id WHEN MATCHED THEN UPDATE SET name = new.name WHEN NOT MATCHED THEN INSERT *""")
    expect_agreed(name)
    assert lake.sql(f"SELECT name FROM {name} ORDER BY id")["name"].to_pylist() == ["Eve", "Grace", "Joan", "Radia"]


@witness.can("Write delete files")
def _():
    now = metadata(merged("merged"))
    summary = next(one["summary"] for one in now["snapshots"] if one["snapshot-id"] == now["current-snapshot-id"])
    assert summary["total-equality-deletes"] == "1", summary


@witness.can("Add, rename, widen and drop columns")
def _():
    name = made("evolved")
    for change in ("ADD COLUMN city STRING", "RENAME COLUMN name TO title", "DROP COLUMN name"):
        expect_refused(Exception, "ALTER TABLE", lambda: do(f"ALTER TABLE lake.{name} {change}"))
    return "it alters no tables"


@witness.can("Write partitioned tables")
def _():
    made("parted", "PARTITIONED BY (city, days(moment), bucket(2, id))", "id BIGINT, city STRING, moment TIMESTAMP_NTZ", """
        VALUES (0, 'Ulm', TIMESTAMP_NTZ '2024-02-28 12:00:00'), (1, 'Bern', TIMESTAMP_NTZ '2024-02-29 00:00:00'),
            (2, NULL, TIMESTAMP_NTZ '2024-02-29 12:00:00'), (3, 'Ulm', TIMESTAMP_NTZ '2024-03-01 00:00:00')""")
    expect_agreed("sail.parted")
    where = "FROM {}sail.parted WHERE city = 'Ulm' AND moment >= TIMESTAMP '2024-02-29 00:00:00'"
    there = read(f"SELECT * {where.format('lake.')}".replace("TIMESTAMP", "TIMESTAMP_NTZ"))
    expect_same(lake.sql(f"SELECT * {where.format('')}"), there)


@witness.can("Change how a table is partitioned")
def _():
    name = made("reparted")
    expect_refused(Exception, "", lambda: do(f"ALTER TABLE lake.{name} ADD PARTITION FIELD name"))
    return "it alters no tables"


@witness.can("Set table properties")
def _():
    name = made("noted", "TBLPROPERTIES ('purpose' = 'test')", rows=None)
    assert metadata(name)["properties"]["purpose"] == "test"
    change = f"ALTER TABLE lake.{name} SET TBLPROPERTIES ('purpose' = 'other')"
    expect_refused(Exception, "ALTER TABLE", lambda: do(change))
    return True, "only as it creates them"


witness.cannot("Tags and branches", NO_WORDS)
witness.cannot("Many changes of a table as one", NO_WORDS)
witness.cannot("Many tables as one", NO_WORDS)


@witness.can("Lose a race and try again")
def _():
    name = made("raced")
    writers = [threading.Thread(target=append_again_and_again, args=(name, first)) for first in (100, 200)]
    [writer.start() for writer in writers]
    [writer.join() for writer in writers]
    expect_agreed(name)
    assert ids(name) == [1, 2, 3, *range(100, 105), *range(200, 205)], ids(name)


def append_again_and_again(name, first):
    """Appends five rows, one a commit, in a session of its own."""
    own = session()
    for number in range(first, first + 5):
        while True:
            try:
                own.sql(f"INSERT INTO lake.{name} VALUES ({number}, 'racer')").toArrow()
                break
            except Exception as lost:
                assert "CommitFailed" in str(lost) or "onflict" in str(lost), lost


@witness.can("Rename tables")
def _():
    name = made("old_name")
    rename = f"ALTER TABLE lake.{name} RENAME TO lake.sail.new_name"
    expect_refused(Exception, "ALTER TABLE", lambda: do(rename))
    return "it alters no tables"


@witness.can("Drop tables")
def _():
    name = made("dropped")
    do(f"DROP TABLE lake.{name}")
    assert "dropped" not in read("SHOW TABLES IN sail")["tableName"].to_pylist()


witness.cannot("Register a table by its metadata", NO_WORDS)


lake.load("sail_types", columns.as_file(), media=columns.MEDIA)
ROOT = metadata("default.sail_types")["location"].rsplit("/tables/", 1)[0]
do("CREATE NAMESPACE lake.sail")
witness.testify()
