"""Agents: what a list call takes over standard input, and whether others are served while hostile SQL runs.

The round trip is from the last byte of the question to the last byte of the answer; what the client does with either is not
in it. The hostile texts are those of testdata/hostile, asked four at a time through /mcp of a server with 2 s for a query,
while /health is asked again and again on a connection of its own.
"""
import concurrent.futures
import http.client
import json
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse

import stack

TEXTS = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "hostile" / "sql.ndjson"
CALLS = 10_000
AGENTS = 4
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
QUESTIONS = {
    "`tools/list`": ("tools/list", {}),
    "`list_datasets`": ("tools/call", {"name": "list_datasets", "arguments": {}}),
    "`query_sql`, one row": ("tools/call", {"name": "query_sql", "arguments": {"sql": "SELECT count(*) FROM workers"}}),
}


class Talk:
    """One server on standard input and output."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ask("initialize", HELLO)
        self.process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def ask(self, method, params):
        """The seconds until the whole answer is there."""
        question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n"
        began = time.perf_counter()
        self.process.stdin.write(question)
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        took = time.perf_counter() - began
        if b'"isError":true' in answer or b'"result"' not in answer:
            raise SystemExit(f"{method}: {answer[:500]!r}")
        return took

    def held(self):
        """Resident memory in MiB, and open files."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            memory = next(line for line in file if line.startswith("VmRSS:"))
        return int(memory.split()[1]) / 1024, len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def lists(command):
    """A line for each kind of question."""
    talk, lines = Talk(command), []
    for name, (method, params) in QUESTIONS.items():
        for _ in range(CALLS // 10):
            talk.ask(method, params)
        (before, files), took = talk.held(), sorted(talk.ask(method, params) for _ in range(CALLS))
        after, files_after = talk.held()
        median, most = statistics.median(took) * 1000, took[CALLS * 99 // 100] * 1000
        lines.append(f"| {name} | {median:.2f} | {most:.2f} | {after - before:+.1f} | {files_after - files:+d} |")
    talk.end()
    return lines


def hostile(url):
    """How long health took while every hostile text was asked, in ms, sorted; and how many texts there were."""
    texts = ["".join(piece * times for piece, times in json.loads(line)["sql"]) for line in TEXTS.read_text().splitlines()]
    address, took, over = urllib.parse.urlsplit(url).netloc, [], threading.Event()

    def health():
        line = http.client.HTTPConnection(address)
        while not over.is_set():
            began = time.perf_counter()
            line.request("GET", "/health")
            line.getresponse().read()
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(0.002)

    def ask(sql):
        call = {"name": "query_sql", "arguments": {"sql": sql}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
        line = http.client.HTTPConnection(address)
        line.request("POST", "/mcp", body, {"content-type": "application/json", "accept": "application/json, text/event-stream"})
        answer = line.getresponse()
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {answer.read()[:500]!r}")
        answer.read()

    watch = threading.Thread(target=health)
    watch.start()
    with concurrent.futures.ThreadPoolExecutor(AGENTS) as agents:
        list(agents.map(ask, texts))
    over.set()
    watch.join()
    return sorted(took), len(texts)


def run(binaries):
    with tempfile.TemporaryDirectory() as directory:
        server = stack.Lakehouse(binaries, directory, ["queryd.timeout=2s", "queryd.memory_limit=256MiB", "models.download=false"])
        rows = "id,name,city\n" + "".join(f"{row},name {row},Toledo\n" for row in range(3000))
        server.call("POST", "/v1/ingest?name=workers", rows.encode(), "text/csv")
        binary, lines = str(binaries / "lakehouse"), []
        for where, way in [("a lake", ["--lake", f"{directory}/lake"]), ("a gateway", ["--gateway", server.url])]:
            lines += [line.replace("| ", f"| {where}: ", 1) for line in lists([binary, "mcp", *way])]
        took, texts = hostile(server.url)
        server.stop()
    return table(lines, took, texts)


def table(lines, took, texts):
    head = ["| of | median ms | 99 % ms | memory MiB | files |", "|---|---:|---:|---:|---:|"]
    health = (f"While {texts} hostile texts were asked, {AGENTS} at a time, health was answered {len(took):,} times: median "
              f"{statistics.median(took):.1f} ms, 99 % within {took[len(took) * 99 // 100]:.1f} ms, all within {took[-1]:.1f} ms.")
    return "\n".join([f"{CALLS:,} calls of each kind, one after the other, after {CALLS // 10:,} to warm up; what memory and open "
                      "files were more after them than before.\n", *head, *lines, "", health])
