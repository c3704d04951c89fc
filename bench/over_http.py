"""Requests over HTTP: cached embeds and searches by many connections at once, beside Chroma's server, results compared."""
import contextlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import chroma_peer
import embed_texts
import measure
import peers
import stack

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = [10, 50, 200]
SECONDS = 8
VECTORS = 5_000
QUERIES = 500
CACHED = 100
BATCH = 500
K = 10
# Answers that are compared with the exact ones, before the load and after it.
COMPARED = 100
WANTED = 0.98
EXACT = ("import sys, json, numpy; rows, queries = (numpy.array(part) for part in json.load(sys.stdin)); "
         f"json.dump((-(queries @ rows.T)).argsort(1, kind='stable')[:, :{K}].tolist(), sys.stdout)")


class Ours(stack.Lakehouse):
    """Our server, with an index to search."""

    path = "/v1/vectors/index/bench/search"

    def embed(self, texts):
        parts = [texts[first:first + BATCH] for first in range(0, len(texts), BATCH)]
        return [vector for part in parts for vector in self.post("/v1/embed", {"texts": part})["vectors"]]

    def fill(self, vectors):
        self.post("/v1/vectors/index", {"name": "bench", "dimension": len(vectors[0])})
        items = [{"id": str(place), "vector": vector} for place, vector in enumerate(vectors)]
        for first in range(0, len(items), BATCH):
            self.post("/v1/vectors/index/bench/add", {"items": items[first:first + BATCH]})

    def question(self, vector, k):
        return {"vector": vector, "k": k}

    def found(self, question):
        return [int(hit["id"]) for hit in self.post(self.path, question)["results"]]


def load(server, path, bodies, connections):
    """What wrk measured while it posted the bodies in turn, and the CPU time of the server; an error ends the bench."""
    cpu = measure.cpu_of(server.process.pid)
    command = ["wrk", "--threads", "1", "--connections", connections, "--duration", f"{SECONDS}s", "--timeout", "30s", "--latency",
               "--script", HERE / "over_http.lua", server.url + path, "--", bodies]
    _, output = measure.whole(command)
    result = json.loads(output.strip().splitlines()[-1])
    if result["errors"]:
        raise SystemExit(f"{result['errors']} of {result['requests']} requests to {path} failed")
    rate = result["requests"] / result["seconds"]
    spent = (measure.cpu_of(server.process.pid) - cpu) / result["requests"] * 1e3
    return {"rate": rate, "p50": result["p50"], "p99": result["p99"], "cpu": spent}


def recall(server, questions, exact):
    """The part of the exact nearest that the server finds."""
    hits = [len(set(server.found(question)) & set(best)) for question, best in zip(questions, exact)]
    return sum(hits) / (K * len(hits))


def lines_of(directory, name, bodies):
    path = directory / name
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")
    return path


def prepare(ours, chroma, peer, directory):
    """Fills both with the same embeddings. The loads by name, as (server, path, file of bodies), and the check of the answers."""
    dice = random.Random(11)
    vectors = ours.embed([" ".join(dice.choices(embed_texts.WORDS, k=7)) for _ in range(VECTORS + QUERIES)])
    rows, queries = vectors[:VECTORS], vectors[VECTORS:]
    texts = [{"texts": [f"Moves pallets between the racks {number} and {number + 1}"]} for number in range(CACHED)]
    first = [ours.post("/v1/embed", body) for body in texts]
    given = json.dumps([rows, queries[:COMPARED]])
    exact = json.loads(subprocess.run([peer / "python", "-c", EXACT], input=given, text=True, stdout=subprocess.PIPE, check=True).stdout)
    loads, questions = {("cached embed", "ours"): (ours, "/v1/embed", lines_of(directory, "texts", texts))}, {}
    for name, server in {"ours": ours, "Chroma": chroma}.items():
        server.fill(rows)
        asked = [server.question(query, K) for query in queries]
        questions[name] = (server, asked[:COMPARED])
        loads["search", name] = (server, server.path, lines_of(directory, f"{name} queries", asked))

    def check():
        if [ours.post("/v1/embed", body) for body in texts] != first:
            raise SystemExit("a cached embedding is not what it was")
        return {name: recall(*asked, exact) for name, asked in questions.items()}

    return loads, check


def best_of(loads, connections, runs):
    """The run of each with the highest rate."""
    best = {}
    for number in range(runs):
        order = list(loads.items())
        for name, (server, path, bodies) in order if number % 2 == 0 else reversed(order):
            result = load(server, path, bodies, connections)
            print(f"  {connections} connections, {' of '.join(name)}: {result}", file=sys.stderr)
            best[name] = max(result, best.get(name, result), key=lambda figures: figures["rate"])
    return best


def run(binaries, peer, runs):
    """Measures every number of connections and returns the table."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk makes the requests, and is not installed (Debian's package wrk)")
    rows = []
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory, contextlib.ExitStack() as servers:
        ours, chroma = Ours(binaries, directory), chroma_peer.Chroma(peer, directory)
        servers.callback(ours.stop)
        servers.callback(chroma.stop)
        loads, check = prepare(ours, chroma, peer, pathlib.Path(directory))
        recalls = check()
        for connections in CONNECTIONS:
            best = best_of(loads, connections, runs)
            rows += [row(connections, name, figures, best) for name, figures in best.items()]
        after = check()
    # Codes come while the load goes on: what is found by comparing everything before is found very likely after.
    if min(recalls["ours"], after["ours"]) < WANTED:
        raise SystemExit(f"ours found too little: {recalls['ours']} of the exact nearest before the load, {after['ours']} after it")
    return "\n".join([
        f"{VECTORS:,} embeddings of 384 numbers, k = {K}, {QUERIES} queries in turn; a cached embed is one of {CACHED} texts. The best of {runs} runs of {SECONDS} s.",
        f"Of the exact nearest ours found {recalls['ours']:.3f}, {after['ours']:.3f} after the load, and Chroma {recalls['Chroma']:.3f}; no request failed. `wrk` shares the machine's cores with the server.", "",
        "| request | connections | server | requests/s | ours to it | p50 ms | p99 ms | CPU ms each |",
        "|---|---:|---|---:|---:|---:|---:|---:|", *rows])


def row(connections, name, figures, best):
    what, server = name
    ratio = f"{best[what, 'ours']['rate'] / figures['rate']:.2f}"
    return (f"| {what} | {connections} | {server} | {figures['rate']:,.0f} | {ratio} "
            f"| {figures['p50']:.2f} | {figures['p99']:.2f} | {figures['cpu']:.3f} |")
