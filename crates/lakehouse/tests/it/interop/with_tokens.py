"""PyIceberg with tokens of several scopes: `with_tokens.py GATEWAY`."""

import sys

import pyarrow as pa
from abilities import expect_refused
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import ForbiddenError, UnauthorizedError

GATEWAY = sys.argv[1]
ROWS = pa.table({"id": [1, 2, 3]})


def known_as(**token):
    return RestCatalog("lake", uri=f"{GATEWAY}/iceberg", **token)


reader, writer, chief = [known_as(token=f"token-of-{name}") for name in ("reader", "writer", "chief")]
expect_refused(UnauthorizedError, "NotAuthorizedException", known_as)
expect_refused(UnauthorizedError, "not known here", lambda: known_as(token="token-of-nobody"))
expect_refused(ForbiddenError, "lacks the scope `write`", lambda: reader.create_namespace("space"))

writer.create_namespace("space")
table = writer.create_table("space.t", ROWS.schema)
table.append(ROWS)
first = table.current_snapshot().snapshot_id
table.append(ROWS)
assert reader.load_table("space.t").scan().to_arrow().num_rows == 6
expect_refused(ForbiddenError, "lacks the scope `write`", lambda: reader.load_table("space.t").append(ROWS))

# What takes something away from everybody is for administrators.
for taken in (
    lambda: writer.drop_table("space.t"),
    lambda: writer.rename_table("space.t", "space.u"),
    lambda: writer.drop_namespace("space"),
):
    expect_refused(ForbiddenError, "lacks the scope `admin`", taken)


def back(catalog):
    catalog.load_table("space.t").manage_snapshots().set_current_snapshot(first).commit()


expect_refused(ForbiddenError, "needs a token with the scope `admin`", lambda: back(writer))
table.refresh().overwrite(ROWS.slice(1))
back(chief)
assert reader.load_table("space.t").scan().to_arrow().num_rows == 3
chief.rename_table("space.t", "space.u")
chief.drop_table("space.u")
chief.drop_namespace("space")
