"""The lake's own side: what a witness did is asked of the gateway, as Arrow, and compared row by row."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pyarrow as pa

STREAM = "application/vnd.apache.arrow.stream"


class Lake:
    """The gateway of a lake."""

    def __init__(self, gateway):
        self.gateway = gateway

    def sql(self, text):
        """The rows of a statement."""
        body = json.dumps({"sql": text}).encode()
        answer = self._send("POST", "/v1/sql", body, {"content-type": "application/json", "accept": STREAM})
        return pa.ipc.open_stream(answer).read_all()

    def load(self, name, body, media="text/csv", **parameters):
        """Loads a file; the version that has it."""
        asked = urllib.parse.urlencode({"name": name, **parameters})
        return json.loads(self._send("POST", f"/v1/ingest?{asked}", body, {"content-type": media}))["version"]

    def post(self, path, body):
        """What a route answers to a JSON body."""
        return json.loads(self._send("POST", path, json.dumps(body).encode(), {"content-type": "application/json"}))

    def get(self, path):
        """What a route answers, as JSON."""
        return json.loads(self._send("GET", path, None, {}))

    def _send(self, method, path, body, headers):
        request = urllib.request.Request(self.gateway + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path}: {refusal.read().decode()}") from refusal


def expect_same(ours, theirs):
    """Fails unless both have the same columns of the same types and, ordered by the first column, the same rows."""
    columns, others = [_columns(table) for table in (ours, theirs)]
    assert columns == others, f"{columns} here, {others} there"
    rows, seen = [_rows(table) for table in (ours, theirs)]
    assert rows == seen, f"{rows} here, {seen} there"


def _rows(table):
    return table.sort_by(table.schema.names[0]).to_pylist()


def _columns(table):
    return [(field.name, str(_plain(field.type))) for field in table.schema]


def _plain(kind):
    """A type without how its values are laid out in memory."""
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_binary_view(kind) or pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    return kind
