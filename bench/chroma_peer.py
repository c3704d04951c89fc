"""Chroma's own server, which comes as the library of its Python package: `chroma run`, without the client's dependencies."""
import json
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

RUN = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(sys.argv)"
API = "/api/v2/tenants/default_tenant/databases/default_database/collections"
BATCH = 1000


class Chroma:
    """One server over one fresh directory; ended by its own id."""

    def __init__(self, peer, directory):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [peer / "python", "-c", RUN, "run", "--path", pathlib.Path(directory) / "chroma", "--host", "127.0.0.1", "--port", port]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def wait(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        self.stop()
        raise SystemExit("Chroma was not ready within 30 s")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as response:
            return json.loads(response.read())

    def fill(self, vectors):
        """Makes a collection with Chroma's default settings and puts all vectors; their ids are their places."""
        made = self.post(API, {"name": "bench", "configuration": {"hnsw": {"space": "cosine"}}})
        collection = f"{API}/{made['id']}"
        for first in range(0, len(vectors), BATCH):
            batch = vectors[first:first + BATCH]
            ids = [str(first + place) for place in range(len(batch))]
            self.post(f"{collection}/add", {"ids": ids, "embeddings": batch})
        self.path = f"{collection}/query"

    def question(self, vector, k):
        return {"query_embeddings": [vector], "n_results": k, "include": ["distances"]}

    def found(self, question):
        return [int(id_) for id_ in self.post(self.path, question)["ids"][0]]
