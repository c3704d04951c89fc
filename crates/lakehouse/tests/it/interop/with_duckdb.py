"""DuckDB as a witness: `with_duckdb.py GATEWAY`."""

import sys

import columns
import duckdb
import pyarrow as pa
from abilities import Witness, expect_refused
from duck import attach
from lake import Lake, expect_same

GATEWAY = sys.argv[1]
lake = Lake(GATEWAY)
duck = attach(GATEWAY)
witness = Witness(f"DuckDB {duckdb.__version__}")

DELETE_FILES = "WITH ('lakehouse.allow-delete-files' = 'true')"
BY_DELETE_FILES = "it writes delete files, which a table takes only with the property `lakehouse.allow-delete-files`"
NO_WORDS = "it has no statement for it"
PEOPLE = "VALUES (1, 'Ada'), (2, 'Grace'), (3, NULL)"


def do(*statements):
    for statement in statements:
        duck.execute(statement)


def read(text):
    return duck.sql(text).to_arrow_table()


def expect_agreed(name):
    """Both sides read the same rows of a table."""
    expect_same(lake.sql(f"SELECT * FROM {name}"), read(f"SELECT * FROM lake.{name}"))


def ids(name):
    return sorted(lake.sql(f"SELECT id FROM {name}")["id"].to_pylist())


def made(name, properties=""):
    """A new table with rows; its name."""
    name = f"duck.{name}"
    do(f"CREATE TABLE lake.{name} (id BIGINT, name VARCHAR) {properties}", f"INSERT INTO lake.{name} {PEOPLE}")
    return name


@witness.can("List namespaces and tables")
def _():
    listed = duck.sql("SHOW ALL TABLES").fetchall()
    assert any(row[:3] == ("lake", "default", "duck_types") for row in listed), listed


@witness.can("Read columns of every type")
def _():
    expect_agreed("default.duck_types")


@witness.can("Read what was appended, compacted and rolled back here")
def _():
    lake.load("duck_grown", b"id\n1\n")
    then = lake.load("duck_grown", b"id\n2\n", mode="append")
    expect_agreed("default.duck_grown")
    lake.post("/v1/catalog/maintenance/compact", {"name": "duck_grown", "dry_run": False})
    expect_agreed("default.duck_grown")
    lake.load("duck_grown", b"id\n9\n")
    lake.post("/v1/catalog/rollback/duck_grown", {"to": then})
    expect_agreed("default.duck_grown")
    assert ids("duck_grown") == [1, 2]


@witness.can("Read columns that a load added")
def _():
    lake.load("duck_wider", b"id\n1\n")
    lake.load("duck_wider", b"id,name\n2,Ada\n", mode="append", evolve="add")
    expect_agreed("default.duck_wider")


@witness.can("Read earlier snapshots")
def _():
    first = lake.load("duck_earlier", b"id\n1\n")
    lake.load("duck_earlier", b"id\n2\n", mode="append")
    (early, at), _late = duck.sql(
        "SELECT snapshot_id, timestamp_ms FROM iceberg_snapshots(lake.default.duck_earlier) ORDER BY sequence_number"
    ).fetchall()
    ours = lake.sql(f"SELECT * FROM duck_earlier FOR VERSION AS OF {first}")
    expect_same(ours, read(f"SELECT * FROM lake.default.duck_earlier AT (VERSION => {early})"))
    expect_same(ours, read(f"SELECT * FROM lake.default.duck_earlier AT (TIMESTAMP => TIMESTAMP '{at}')"))


@witness.can("Read a table with delete files")
def _():
    name = made("holed", DELETE_FILES)
    do(f"DELETE FROM lake.{name} WHERE id = 2")
    expect_agreed(name)
    assert ids(name) == [1, 3]


@witness.can("Create, change and drop namespaces")
def _():
    do("CREATE SCHEMA lake.duck_space", "DROP SCHEMA lake.duck_space")
    assert not duck.sql("SELECT * FROM duckdb_schemas() WHERE schema_name = 'duck_space'").fetchall()
    return True, "DuckDB has no statement that sets a namespace's properties"


@witness.can("Create tables, also from rows")
def _():
    do("CREATE TABLE lake.duck.created (id BIGINT)", "CREATE TABLE lake.duck.rows AS SELECT range AS id FROM range(9)")
    expect_agreed("duck.created")
    expect_agreed("duck.rows")
    assert ids("duck.rows") == [*range(9)]


@witness.can("Append rows")
def _():
    name = made("appended")
    lake.load(name, b"id,name\n7,Joan\n", mode="append")
    do(f"INSERT INTO lake.{name} {PEOPLE}")
    expect_agreed(name)
    assert ids(name) == [1, 1, 2, 2, 3, 3, 7]


@witness.can("Write columns of every type, nested ones too")
def _():
    rows = pa.table(columns.flat() | columns.nested())
    duck.register("every_type", rows)
    do("CREATE TABLE lake.duck.types AS FROM every_type")
    expect_agreed("duck.types")
    expect_same(rows, lake.sql("SELECT * FROM duck.types"))


@witness.can("Replace all rows")
def _():
    name = made("replaced", DELETE_FILES)
    do("BEGIN", f"DELETE FROM lake.{name}", f"INSERT INTO lake.{name} VALUES (7, 'Joan')", "COMMIT")
    expect_agreed(name)
    assert ids(name) == [7]
    return True, BY_DELETE_FILES


@witness.can("Delete rows")
def _():
    name = made("thinned")
    delete = f"DELETE FROM lake.{name} WHERE id = 2"
    expect_refused(duckdb.TransactionException, "lakehouse.allow-delete-files=true", lambda: do(delete))
    assert ids(name) == [1, 2, 3]
    do(f"CALL set_iceberg_table_properties(lake.{name}, {{'lakehouse.allow-delete-files': 'true'}})", delete)
    expect_agreed(name)
    assert ids(name) == [1, 3]
    return True, BY_DELETE_FILES


@witness.can("Change rows")
def _():
    name = made("changed", DELETE_FILES)
    do(f"UPDATE lake.{name} SET name = 'Joan' WHERE id = 3")
    expect_agreed(name)
    do(f"""MERGE INTO lake.{name} AS old USING (VALUES (1, 'Eve'), (9, 'Radia')) AS new(id, name) ON old.id = new.id
        WHEN MATCHED THEN UPDATE SET name = new.name WHEN NOT MATCHED THEN INSERT VALUES (new.id, new.name)""")
    expect_agreed(name)
    assert lake.sql(f"SELECT name FROM {name} ORDER BY id")["name"].to_pylist() == ["Eve", "Grace", "Joan", "Radia"]
    return True, BY_DELETE_FILES


@witness.can("Write delete files")
def _():
    name = made("merged", DELETE_FILES)
    do(f"DELETE FROM lake.{name} WHERE id = 2")
    expect_agreed(name)
    assert ids(name) == [1, 3]
    manifests = duck.sql(f"SELECT manifest_content FROM iceberg_metadata(lake.{name})").fetchall()
    assert ("DELETE",) in manifests, manifests


@witness.can("Add, rename, widen and drop columns")
def _():
    do("CREATE TABLE lake.duck.evolved (id INTEGER, name VARCHAR, gone DOUBLE)",
       "INSERT INTO lake.duck.evolved VALUES (1, 'a', 1.5)",
       "ALTER TABLE lake.duck.evolved ADD COLUMN city VARCHAR",
       "ALTER TABLE lake.duck.evolved RENAME COLUMN name TO title",
       "ALTER TABLE lake.duck.evolved ALTER COLUMN id TYPE BIGINT",
       "ALTER TABLE lake.duck.evolved DROP COLUMN gone")
    expect_agreed("duck.evolved")
    do("INSERT INTO lake.duck.evolved VALUES (1099511627776, 'b', 'Ulm')")
    expect_agreed("duck.evolved")


@witness.can("Write partitioned tables")
def _():
    do("""CREATE TABLE lake.duck.parted (id BIGINT, city VARCHAR, moment TIMESTAMP)
        PARTITIONED BY (city, day(moment), bucket(2, id))""",
       """INSERT INTO lake.duck.parted SELECT range, ['Ulm', 'Bern', NULL][range % 3 + 1],
            TIMESTAMP '2024-02-28 12:00:00' + INTERVAL 12 HOUR * range FROM range(6)""")
    expect_agreed("duck.parted")
    where = "FROM {}duck.parted WHERE city = 'Ulm' AND moment >= TIMESTAMP '2024-02-29 00:00:00'"
    expect_same(lake.sql(f"SELECT * {where.format('')}"), read(f"SELECT * {where.format('lake.')}"))


@witness.can("Change how a table is partitioned")
def _():
    name = made("reparted")
    do(f"ALTER TABLE lake.{name} SET PARTITIONED BY (name)", f"INSERT INTO lake.{name} {PEOPLE}")
    expect_agreed(name)


@witness.can("Set table properties")
def _():
    name = made("noted")
    do(f"CALL set_iceberg_table_properties(lake.{name}, {{'purpose': 'test'}})")
    told = duck.sql(f"SELECT key, value FROM iceberg_table_properties(lake.{name})").fetchall()
    assert ("purpose", "test") in told, told
    do(f"CALL remove_iceberg_table_properties(lake.{name}, ['purpose'])")


witness.cannot("Tags and branches", NO_WORDS)


@witness.can("Many changes of a table as one")
def _():
    name = made("at_once")
    do("BEGIN", f"INSERT INTO lake.{name} VALUES (4, 'Joan')", f"INSERT INTO lake.{name} VALUES (5, 'Eve')")
    assert ids(name) == [1, 2, 3]
    do("COMMIT")
    expect_agreed(name)
    assert ids(name) == [1, 2, 3, 4, 5]


@witness.can("Many tables as one")
def _():
    one, other = made("one"), made("other")
    do("BEGIN", f"INSERT INTO lake.{one} VALUES (4, 'Joan')", f"INSERT INTO lake.{other} VALUES (4, 'Joan')")
    assert ids(one) == ids(other) == [1, 2, 3]
    do("COMMIT")
    versions = [lake.sql(f"SELECT max(version) AS v FROM snapshots('{name}')")["v"][0].as_py() for name in (one, other)]
    assert versions[0] == versions[1], versions
    expect_agreed(one)
    expect_agreed(other)


@witness.can("Lose a race and try again")
def _():
    name, other = made("raced"), attach(GATEWAY)
    do("BEGIN", f"INSERT INTO lake.{name} VALUES (4, 'Joan')")
    other.execute(f"INSERT INTO lake.{name} VALUES (5, 'Eve')")
    expect_refused(duckdb.TransactionException, "CommitFailedException", lambda: do("COMMIT"))
    do(f"INSERT INTO lake.{name} VALUES (4, 'Joan')")
    expect_agreed(name)
    assert ids(name) == [1, 2, 3, 4, 5]


@witness.can("Rename tables")
def _():
    name = made("old_name")
    do(f"ALTER TABLE lake.{name} RENAME TO new_name")
    expect_agreed("duck.new_name")


@witness.can("Drop tables")
def _():
    name = made("dropped")
    do(f"DROP TABLE lake.{name}")
    assert not duck.sql("SELECT * FROM duckdb_tables() WHERE table_name = 'dropped'").fetchall()


witness.cannot("Register a table by its metadata", NO_WORDS)


lake.load("duck_types", columns.as_file(), media=columns.MEDIA)
do("CREATE SCHEMA lake.duck")
witness.testify()
