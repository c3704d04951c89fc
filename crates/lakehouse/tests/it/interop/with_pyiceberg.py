"""PyIceberg as a witness: `with_pyiceberg.py GATEWAY`, or `with_pyiceberg.py GATEWAY race TABLE` for a second writer."""

import datetime
import subprocess
import sys

import columns
import pyarrow as pa
import pyiceberg
from abilities import Witness, expect_refused
from duck import attach
from lake import Lake, expect_same
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, NamespaceNotEmptyError, NoSuchTableError, ValidationError
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
from pyiceberg.types import LongType, StringType

GATEWAY = sys.argv[1]
lake = Lake(GATEWAY)
catalog = RestCatalog("lake", uri=f"{GATEWAY}/iceberg")
witness = Witness(f"PyIceberg {pyiceberg.__version__}")

DELETE_FILES = {"lakehouse.allow-delete-files": "true"}
PEOPLE = pa.table({"id": [1, 2, 3], "name": ["Ada", "Grace", None]})


def read(name, **scan):
    return catalog.load_table(name).scan(**scan).to_arrow()


def expect_agreed(name):
    """Both sides read the same rows of a table."""
    expect_same(lake.sql(f"SELECT * FROM {name}"), read(name))


def made(name, rows=PEOPLE, **how):
    """A new table with rows."""
    table = catalog.create_table(f"py.{name}", rows.schema, **how)
    table.append(rows)
    return table


@witness.can("List namespaces and tables")
def _():
    assert ("default",) in catalog.list_namespaces()
    assert ("default", "py_types") in catalog.list_tables("default")
    assert catalog.table_exists("default.py_types") and not catalog.table_exists("default.nothing")


@witness.can("Read columns of every type")
def _():
    expect_agreed("default.py_types")


@witness.can("Write columns of every type, nested ones too")
def _():
    rows = pa.table(columns.flat() | columns.nested())
    made("types", rows)
    expect_agreed("py.types")
    expect_same(rows, lake.sql("SELECT * FROM py.types"))


@witness.can("Read what was appended, compacted and rolled back here")
def _():
    lake.load("py_grown", b"id\n1\n")
    then = lake.load("py_grown", b"id\n2\n", mode="append")
    expect_agreed("default.py_grown")
    lake.post("/v1/catalog/maintenance/compact", {"name": "py_grown", "dry_run": False})
    expect_agreed("default.py_grown")
    lake.load("py_grown", b"id\n9\n")
    lake.post("/v1/catalog/rollback/py_grown", {"to": then})
    expect_agreed("default.py_grown")
    assert read("default.py_grown").num_rows == 2


@witness.can("Read columns that a load added")
def _():
    lake.load("py_wider", b"id\n1\n")
    lake.load("py_wider", b"id,name\n2,Ada\n", mode="append", evolve="add")
    expect_agreed("default.py_wider")
    assert read("default.py_wider").column_names == ["id", "name"]


@witness.can("Read earlier snapshots")
def _():
    first = lake.load("py_earlier", b"id\n1\n")
    lake.load("py_earlier", b"id\n2\n", mode="append")
    table = catalog.load_table("default.py_earlier")
    early, late = table.history()
    expect_same(
        lake.sql(f"SELECT * FROM py_earlier FOR VERSION AS OF {first}"),
        read("default.py_earlier", snapshot_id=early.snapshot_id),
    )
    assert table.snapshot_as_of_timestamp(late.timestamp_ms - 1).snapshot_id == early.snapshot_id


@witness.can("Create, change and drop namespaces")
def _():
    catalog.create_namespace("py_space", {"owner": "Ada"})
    catalog.update_namespace_properties("py_space", updates={"place": "London"}, removals={"owner"})
    assert catalog.load_namespace_properties("py_space") == {"place": "London"}
    catalog.create_table("py_space.t", PEOPLE.schema)
    expect_refused(NamespaceNotEmptyError, "py_space", lambda: catalog.drop_namespace("py_space"))
    catalog.drop_table("py_space.t")
    catalog.drop_namespace("py_space")
    assert ("py_space",) not in catalog.list_namespaces()


@witness.can("Create tables, also from rows")
def _():
    catalog.create_table("py.created", PEOPLE.schema)
    expect_agreed("py.created")
    with catalog.create_table_transaction("py.created_with_rows", PEOPLE.schema) as transaction:
        transaction.append(PEOPLE)
    expect_agreed("py.created_with_rows")
    assert read("py.created_with_rows").num_rows == 3


@witness.can("Append rows")
def _():
    made("appended").append(PEOPLE)
    expect_agreed("py.appended")
    assert read("py.appended").num_rows == 6
    lake.load("py.appended", b"id,name\n7,Joan\n", mode="append")
    expect_agreed("py.appended")
    catalog.load_table("py.appended").append(PEOPLE)
    expect_agreed("py.appended")


@witness.can("Replace all rows")
def _():
    made("replaced").overwrite(PEOPLE.slice(1))
    expect_agreed("py.replaced")
    assert read("py.replaced").num_rows == 2


@witness.can("Delete rows")
def _():
    made("thinned").delete("id = 2")
    expect_agreed("py.thinned")
    assert read("py.thinned")["id"].to_pylist() == [1, 3]


@witness.can("Change rows")
def _():
    done = made("changed").upsert(pa.table({"id": [3, 4], "name": ["Joan", "Radia"]}), join_cols=["id"])
    assert (done.rows_updated, done.rows_inserted) == (1, 1)
    expect_agreed("py.changed")


@witness.can("Add, rename, widen and drop columns")
def _():
    rows = pa.table({"id": pa.array([1, 2], pa.int32()), "name": ["a", "b"], "gone": [1.5, None]})
    table = made("evolved", rows)
    with table.update_schema() as update:
        update.add_column("city", StringType(), doc="where")
        update.rename_column("name", "title")
        update.update_column("id", LongType())
        update.delete_column("gone")
    expect_agreed("py.evolved")
    table.append(pa.table({"id": [2**40], "title": ["c"], "city": ["Ulm"]}))
    expect_agreed("py.evolved")
    lake.load("py.evolved", b"id,title,city\n4,d,Bern\n", mode="append")
    expect_agreed("py.evolved")

    def narrow():
        with table.refresh().update_schema(allow_incompatible_changes=True) as update:
            update.update_column("title", LongType())

    expect_refused(Exception, "title", narrow)


@witness.can("Write partitioned tables")
def _():
    day = datetime.datetime(2024, 2, 28, 12)
    rows = pa.table({
        "id": list(range(6)),
        "city": ["Ulm", "Bern", None] * 2,
        "at": [day + datetime.timedelta(hours=12 * hours) for hours in range(6)],
    })
    table = catalog.create_table("py.parted", rows.schema)
    with table.update_spec() as update:
        update.add_field("city", IdentityTransform())
        update.add_field("at", DayTransform(), "day")
        update.add_field("id", BucketTransform(2), "bucket")
    table.append(rows)
    expect_agreed("py.parted")
    expect_same(
        lake.sql("SELECT * FROM py.parted WHERE city = 'Ulm' AND at >= TIMESTAMP '2024-02-29 00:00:00'"),
        read("py.parted", row_filter="city = 'Ulm' and at >= '2024-02-29T00:00:00'"),
    )


@witness.can("Change how a table is partitioned")
def _():
    table = made("reparted")
    with table.update_spec() as update:
        update.add_field("name", IdentityTransform())
    table.append(PEOPLE)
    expect_agreed("py.reparted")
    assert read("py.reparted").num_rows == 6
    table.dynamic_partition_overwrite(pa.table({"id": [9], "name": ["Ada"]}))
    expect_agreed("py.reparted")
    assert sorted(read("py.reparted")["id"].to_pylist()) == [2, 2, 3, 3, 9]


@witness.can("Set table properties")
def _():
    table = made("noted")
    with table.transaction() as transaction:
        transaction.set_properties(purpose="test", other="x")
        transaction.remove_properties("other")
    properties = catalog.load_table("py.noted").properties
    assert properties["purpose"] == "test" and "other" not in properties


@witness.can("Tags and branches")
def _():
    table = made("tagged")
    table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "first").commit()
    table.append(PEOPLE)
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "trial").commit()
    table.append(PEOPLE.slice(0, 1), branch="trial")
    expect_agreed("py.tagged")
    refs = table.refresh().refs()
    counts = [read("py.tagged", snapshot_id=refs[name].snapshot_id).num_rows for name in ("first", "main", "trial")]
    assert counts == [3, 6, 7], counts
    table.manage_snapshots().remove_tag("first").remove_branch("trial").commit()
    assert list(table.refresh().refs()) == ["main"]
    return True, "`main` is what SQL reads here; the lake's own tags name versions of the whole lake"


@witness.can("Many changes of a table as one")
def _():
    table = made("at_once")
    commits = len(table.metadata.metadata_log)
    with table.transaction() as transaction:
        with transaction.update_schema() as update:
            update.add_column("city", StringType())
        transaction.delete("id = 1")
        transaction.append(pa.table({"id": [4], "name": ["Joan"], "city": ["Ulm"]}))
    assert len(table.metadata.metadata_log) == commits + 1
    expect_agreed("py.at_once")
    assert sorted(read("py.at_once")["id"].to_pylist()) == [2, 3, 4]


witness.cannot("Many tables as one", "it has no call for it")


def append_again_and_again(name, identity):
    """Appends ten rows, one a commit."""
    table = catalog.load_table(name)
    for number in range(10):
        while True:
            try:
                table.append(pa.table({"id": [identity + number], "name": ["racer"]}))
                break
            except CommitFailedException:
                table.refresh()


@witness.can("Lose a race and try again")
def _():
    table = made("raced", properties={"commit.retry.num-retries": "0"})
    stale = catalog.load_table("py.raced")
    table.append(PEOPLE)
    expect_refused(CommitFailedException, "py.raced", lambda: stale.append(PEOPLE))
    other = subprocess.Popen([sys.executable, __file__, GATEWAY, "race", "py.raced"])
    append_again_and_again("py.raced", 100)
    assert other.wait() == 0
    expect_agreed("py.raced")
    ids = sorted(lake.sql("SELECT id FROM py.raced WHERE name = 'racer'")["id"].to_pylist())
    assert ids == [*range(100, 110), *range(200, 210)], ids


@witness.can("Rename tables")
def _():
    made("old_name")
    catalog.rename_table("py.old_name", "py.new_name")
    expect_agreed("py.new_name")
    expect_refused(NoSuchTableError, "py.old_name", lambda: catalog.load_table("py.old_name"))


@witness.can("Drop tables")
def _():
    made("dropped")
    version = lake.sql("SELECT max(version) AS v FROM versions()")["v"][0].as_py()
    catalog.drop_table("py.dropped")
    assert not catalog.table_exists("py.dropped")
    assert lake.sql(f"SELECT * FROM py.dropped FOR VERSION AS OF {version}").num_rows == 3
    return True, "earlier versions of the lake still read them"


@witness.can("Register a table by its metadata")
def _():
    table = made("lost")
    catalog.drop_table("py.lost")
    catalog.register_table("py.found", table.metadata_location)
    expect_agreed("py.found")
    assert read("py.found").num_rows == 3


@witness.can("Write delete files")
def _():
    table = made("merged", properties=DELETE_FILES | {"write.delete.mode": "merge-on-read"})
    table.delete("id = 2")
    assert table.current_snapshot().summary["total-delete-files"] == "0"
    expect_agreed("py.merged")
    return "it writes the files anew instead"


@witness.can("Read a table with delete files")
def _():
    made("holed", properties=DELETE_FILES)
    attach(GATEWAY).execute("DELETE FROM lake.py.holed WHERE id = 2")
    assert catalog.load_table("py.holed").current_snapshot().summary["total-delete-files"] == "1"
    expect_agreed("py.holed")
    assert read("py.holed")["id"].to_pylist() == [1, 3]


if sys.argv[2:3] == ["race"]:
    append_again_and_again(sys.argv[3], 200)
else:
    lake.load("py_types", columns.as_file(), media=columns.MEDIA)
    catalog.create_namespace("py")
    witness.testify()
