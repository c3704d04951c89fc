"""Checks of fills over HTTP against a roster of half a million workers, by many connections at once, answers compared."""
import json
import pathlib
import shutil
import tempfile
import time
import urllib.error
import urllib.request

import measure
import over_http
import peers
import stack

WORKERS = 500_000
ARTIFACTS = 1_000
# Artifacts whose answers are compared with what the roster says, before the load and after it.
COMPARED = 200
ROLES = ["Welder", "Baker", "Packer", "Forklift Operator"]
CITIES = ["Toledo", "Lima", "Akron", "Dayton", "Mansfield"]


def worker(number):
    """What the roster says of one worker: name, role, city, whether active, and the client that bars them."""
    return (f"Worker Number {number}", ROLES[number % 4], CITIES[number % 5], number % 50 != 7, f"C-{number % 40}")


def roster():
    lines = ["worker_id,name,role,city,state,status,blacklist"]
    for number in range(WORKERS):
        name, role, city, active, client = worker(number)
        lines.append(f"{number},{name},{role},{city},OH,{'active' if active else 'on leave'},{client}")
    return "\n".join(lines).encode()


def fill(first, city, client):
    """A fill of two workers for a contract in a city."""
    numbers = [first, first + 20]
    fills = [{"candidate_id": f"w-{number}", "name": worker(number)[0]} for number in numbers]
    context = {"target_count": 2, "city": city, "state": "OH", "client_id": client}
    return {"kind": "fill", "artifact": {"fills": fills}, "context": context}


def expected(first, city, client):
    """The status and the kind of refusal that the rules demand."""
    for number in (first, first + 20):
        if number >= WORKERS or not worker(number)[3]:
            return 422, "Consistency"
    if any(worker(number)[2] != city for number in (first, first + 20)):
        return 422, "Consistency"
    if any(worker(number)[4] == client for number in (first, first + 20)):
        return 422, "Policy"
    return 200, None


def questions():
    """Contracts that pass, and beside them some that break each rule."""
    passing, others = [], []
    for place in range(ARTIFACTS * 2):
        first = place * 239 % (WORKERS - 40)
        right = (first, worker(first)[2], "C-none")
        (passing if expected(*right)[0] == 200 else others).append(right)
        others.append((first, "Gary", "C-none"))
        others.append((first, worker(first)[2], worker(first)[4]))
        others.append((WORKERS + place, "Toledo", "C-none"))
    return passing[:ARTIFACTS], others[:COMPARED]


def ask(server, body):
    """The status and the first key of the answer."""
    request = urllib.request.Request(server.url + "/v1/validate", data=json.dumps(body).encode(), headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def check(server, passing, others):
    """Ends the bench when an answer is not what the roster says."""
    for question in passing[:COMPARED] + others:
        status, refusal = expected(*question)
        given, answer = ask(server, fill(*question))
        if given != status or (refusal and list(answer) != [refusal]):
            raise SystemExit(f"{question} is answered {given} {answer}, and should be {status} {refusal}")


def first_check(binaries, directory, question):
    """A server that has just started, the seconds from there to its first check, and its memory before and after that in MiB."""
    started = time.monotonic()
    server = stack.Lakehouse(binaries, directory)
    before = measure.peak_of(server.process.pid)
    if ask(server, fill(*question))[0] != 200:
        server.stop()
        raise SystemExit("the first check does not pass")
    return server, (time.monotonic() - started, before, measure.peak_of(server.process.pid))


def run(binaries, runs):
    """Measures every number of connections and returns the table."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk makes the requests, and is not installed (Debian's package wrk)")
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        server = stack.Lakehouse(binaries, directory)
        try:
            server.call("POST", "/v1/ingest?name=workers", roster(), "text/csv")
        finally:
            server.stop()
        (pathlib.Path(directory) / "ready.json").unlink()
        passing, others = questions()
        server, start = first_check(binaries, directory, passing[0])
        try:
            return measured(server, pathlib.Path(directory), (passing, others), start, runs)
        finally:
            server.stop()


def measured(server, directory, asked, start, runs):
    (passing, others), (seconds, before, after) = asked, start
    check(server, passing, others)
    bodies = over_http.lines_of(directory, "fills", [fill(*question) for question in passing])
    loads = {("check of a fill", "ours"): (server, "/v1/validate", bodies)}
    rows = []
    for connections in over_http.CONNECTIONS:
        for name, figures in over_http.best_of(loads, connections, runs).items():
            rows.append(f"| {name[0]} | {connections} | {figures['rate']:,.0f} | {figures['p50']:.2f} | {figures['p99']:.2f} | {figures['cpu']:.3f} |")
    check(server, passing, others)
    return "\n".join([
        f"A roster of {WORKERS:,} workers; {len(passing):,} fills of two workers in turn, by city, state and client. The best of {runs} runs of {over_http.SECONDS} s.",
        f"From the start of the process to its first answered check, for which the roster is read from the lake, it took {seconds:.2f} s; the most memory that it",
        f"had was {before:.0f} MiB when it was ready and {after:.0f} MiB after that check. Before the load and after it {2 * COMPARED} answers, refusals among them, were",
        "what the roster says; no request failed. `wrk` shares the machine's cores with the server.", "",
        "| request | connections | requests/s | p50 ms | p99 ms | CPU ms each |",
        "|---|---:|---:|---:|---:|---:|", *rows])
