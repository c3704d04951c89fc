"""Searches over HTTP under filters: what is found and how long it takes, beside the same searches without one."""
import array
import http.client
import json
import pathlib
import statistics
import sys
import tempfile
import time
import urllib.parse

import curves
import peers
import stack

QUERIES = 300
K = 10
BATCH = 1000
INDEX = "/v1/vectors/index/bench"
WIDE = 2**32
# Until the codes are there every search compares everything.
SETTLING, PATIENCE = 5, 600


def place(row):
    """Where a row stands among all, as the other curves' filters have it."""
    return row * 2654435761 % WIDE


class Numbers:
    """Rows of 32-bit numbers in a file."""

    def __init__(self, path, width, code="f"):
        self.all, self.width = array.array(code), width
        with open(path, "rb") as file:
            self.all.frombytes(file.read())

    def __len__(self):
        return len(self.all) // self.width

    def __getitem__(self, row):
        return self.all[row * self.width:(row + 1) * self.width].tolist()


def fill(server, base):
    server.post("/v1/vectors/index", {"name": "bench", "dimension": base.width})
    for first in range(0, len(base), BATCH):
        rows = range(first, min(first + BATCH, len(base)))
        items = [{"id": str(row), "vector": base[row], "metadata": {"place": place(row)}} for row in rows]
        server.post(f"{INDEX}/add", {"items": items})


class Asker:
    """One kept connection."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def ask(self, body):
        """The rows that were found, and the seconds until the whole answer was there."""
        began = time.perf_counter()
        self.connection.request("POST", f"{INDEX}/search", body, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - began
        if answer.status != 200:
            raise SystemExit(f"a search failed: {text.decode()}")
        return [int(hit["id"]) for hit in json.loads(text)["results"]], seconds


def settle(asker, body):
    """Waits until searches have become as fast as they will."""
    best, since, began = float("inf"), time.monotonic(), time.monotonic()
    while time.monotonic() - since < SETTLING:
        seconds = statistics.median(asker.ask(body)[1] for _ in range(20))
        if seconds < best * 0.8:
            best, since = seconds, time.monotonic()
        if time.monotonic() - began > PATIENCE:
            raise SystemExit("the index does not come to rest")


def measured(asker, queries, directory):
    """Recall, and the median and 99th of 100 times in milliseconds, for each share; one query of each share after the other."""
    shares = {share: Numbers(directory / f"truth.{share}", K, "I") for share in curves.SHARES}
    hits, times = dict.fromkeys(shares, 0), {share: [] for share in shares}
    for turn in range(2):
        for number in range(QUERIES):
            for share, truth in shares.items():
                narrow = {} if share == 1.0 else {"filter": {"place": {"lt": int(share * WIDE)}}}
                found, seconds = asker.ask(json.dumps({"vector": queries[number], "k": K, **narrow}))
                if turn:
                    hits[share] += len(set(found) & set(truth[number]))
                    times[share].append(seconds * 1e3)
    return {share: (hits[share] / (K * QUERIES), statistics.median(all_times), statistics.quantiles(all_times, n=100)[98])
            for share, all_times in times.items()}


def run(binaries, names):
    """Measures the sets and returns the table."""
    python = peers.install(curves.HERE / "curves-requirements.txt", curves.HERE / "curves-sources.txt") / "python"
    lines = [f"One connection, one query after another, k = {K}, a range of a number as the filter; the median of {QUERIES} answers, whole. Recall against comparing everything.", "",
             "| vectors | a filter leaves | recall@10 | median ms | to no filter | 99 of 100 within ms |", "|---|---:|---:|---:|---:|---:|"]
    for name in names:
        directory, (title, _, dimension, _, _) = curves.prepared(name, binaries, python, 1), curves.SETS[name]
        base, queries = (Numbers(directory / file, dimension) for file in ("base", "queries"))
        with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as home:
            server = stack.Lakehouse(binaries, home)
            try:
                fill(server, base)
                asker = Asker(server.url)
                settle(asker, json.dumps({"vector": queries[0], "k": K}))
                found = measured(asker, queries, pathlib.Path(directory))
            finally:
                server.stop()
        print(f"  {name}: {found}", file=sys.stderr)
        whole = found[1.0][1]
        lines += [f"| {title}, {len(base):,} | {share:.1%} | {recall:.3f} | {median:.2f} | {median / whole:.2f} | {late:.2f} |"
                  for share, (recall, median, late) in found.items()]
    return "\n".join(lines)
