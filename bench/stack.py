"""A Lakehouse of the bench's own: its lake, its port, its process."""
import hashlib
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import measure
from measure import Cost

# The Iceberg names of DuckDB's names for the types that TPC-H uses.
TYPES = {"BIGINT": "int64", "INTEGER": "int", "VARCHAR": "string", "DATE": "date"}


class Lakehouse:
    """One server over one fresh lake; ended by its own id."""

    def __init__(self, binaries, directory, more=()):
        ready = pathlib.Path(directory) / "ready.json"
        settings = ["gateway.bind=127.0.0.1:0", "queryd.timeout=300s", "queryd.memory_limit=4GiB", *more]
        command = [binaries / "lakehouse", "serve", "--lake", pathlib.Path(directory) / "lake", "--ready-file", ready]
        command += [word for setting in settings for word in ("--set", setting)]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = self.wait(ready)

    def wait(self, ready):
        for _ in range(600):
            if ready.exists():
                return json.loads(ready.read_text(encoding="utf-8"))["gateway"]
            if self.process.poll() is not None:
                raise SystemExit(f"lakehouse serve ended with {self.process.returncode}")
            time.sleep(0.05)
        raise SystemExit("lakehouse serve was not ready within 30 s")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body, kind):
        request = urllib.request.Request(self.url + path, data=body, method=method, headers={"content-type": kind})
        try:
            with urllib.request.urlopen(request, timeout=600) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as refusal:
            raise SystemExit(f"{method} {path}: {refusal.read().decode()}") from refusal

    def post(self, path, body):
        return self.call("POST", path, json.dumps(body).encode(), "application/json")

    def register_all(self, directory, witness):
        """Puts every Parquet file of the directory and registers it as a table, described as the witness reads it."""
        for file in sorted(pathlib.Path(directory).glob("*.parquet")):
            key = f"tpch/{file.name}"
            self.call("PUT", f"/v1/storage/objects/{key}", file.read_bytes(), "application/octet-stream")
            columns = [(name, TYPES.get(type_, type_.lower())) for name, type_, *_ in witness.ask(f"DESCRIBE {file.stem}")[0]]
            rows = witness.ask(f"SELECT count(*) FROM {file.stem}")[0][0][0]
            body = {"name": file.stem, "schema_fingerprint": fingerprint(columns), "objects": [{"key": key}], "row_count": rows}
            self.call("POST", "/v1/catalog/register", json.dumps(body).encode(), "application/json")

    def ask(self, sql):
        """The rows of one statement and what it cost the server."""
        cpu, started = measure.cpu_of(self.process.pid), time.monotonic()
        body = json.dumps({"sql": sql, "max_rows": 100_000}).encode()
        rows = self.call("POST", "/v1/sql", body, "application/json")["rows"]
        wall = time.monotonic() - started
        return rows, Cost(measure.cpu_of(self.process.pid) - cpu, wall, measure.peak_of(self.process.pid))


def fingerprint(columns):
    """SHA-256 over the ordered pairs of name and type."""
    pairs = "\x1e".join(f"{name}\x1f{type_}" for name, type_ in columns)
    return hashlib.sha256(pairs.encode()).hexdigest()
