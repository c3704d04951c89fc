"""TPC-H over the same Parquet files: both sides answer every query in turn, and the answers are compared."""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import measure
import peers
import stack
from measure import Cost

HERE = pathlib.Path(__file__).resolve().parent
# Quotients and averages of decimals have more digits on one side than on the other; nothing else may differ.
ABSOLUTE, RELATIVE = 1e-5, 1e-9


def data(peer, scale):
    """The generated tables, from the cache or made now; deterministic."""
    directory = peers.cache_directory() / f"tpch-{scale:g}"
    if not directory.exists():
        partial = directory.with_suffix(".part")
        options = ["--compression=ZSTD(1)", "--row-group-bytes=32MB", "--overwrite", f"--output-dir={partial}"]
        subprocess.run([peer / "tpchgen-cli", "parquet", "-s", f"{scale:g}", *options], check=True)
        partial.replace(directory)
    return directory


def queries():
    """The statements by name, in order."""
    parts = (HERE / "tpch.sql").read_text(encoding="utf-8").split("-- q")[1:]
    return {f"q{part.split()[0]}": part.partition("\n")[2].strip().rstrip(";") for part in parts}


class DuckDb:
    """The peer, answering in a process of its own."""

    def __init__(self, peer, directory):
        command = [peer / "python", HERE / "duckdb_peer.py", "sql", directory]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["rows"], Cost(answer["cpu"], answer["wall"], measure.peak_of(self.process.pid))

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def number(value):
    """A number, also one that arrives as the text of a decimal; nothing for other values."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None


def key(row):
    """Sorts rows alike on both sides: texts first, numbers by few enough digits to agree."""
    return [("", f"{number(value):.3e}") if number(value) is not None else (str(value), "") for value in row]


def difference(ours, theirs):
    """The first difference of two results taken as multisets, or nothing."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows against {len(theirs)}"
    for left, right in zip(sorted(ours, key=key), sorted(theirs, key=key)):
        for a, b in zip(left, right, strict=True):
            x, y = number(a), number(b)
            same = a == b if x is None or y is None else math.isclose(x, y, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
            if not same:
                return f"{left} against {right}"
    return None


def run(binaries, peer, scale, runs):
    """Measures every query on both sides, interleaved, and returns the table."""
    directory = data(peer, scale)
    costs, faults = {}, []
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as lake:
        duckdb, ours = DuckDb(peer, directory), stack.Lakehouse(binaries, lake)
        try:
            ours.register_all(directory, duckdb)
            for name, sql in queries().items():
                costs[name], fault = contest(ours, duckdb, sql, runs)
                faults.extend([f"{name}: {fault}"] if fault else [])
                print(f"  {name}: {costs[name][0].cpu:.2f} / {costs[name][1].cpu:.2f} CPU-s {fault or ''}", file=sys.stderr)
        finally:
            ours.stop()
            duckdb.stop()
    return table(scale, costs, faults)


def contest(ours, duckdb, sql, runs):
    """One query: a warm run of each side whose answers are compared, then the measured ones in turn."""
    fault = difference(ours.ask(sql)[0], duckdb.ask(sql)[0])
    costs = [], []
    for number_of_run in range(runs):
        for side in (0, 1) if number_of_run % 2 == 0 else (1, 0):
            costs[side].append((ours, duckdb)[side].ask(sql)[1])
    return tuple(measure.median(side) for side in costs), fault


def table(scale, costs, faults):
    ratios = {name: ours.cpu / max(theirs.cpu, 0.01) for name, (ours, theirs) in costs.items()}
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    agreed = f"{len(costs) - len(faults)} of {len(costs)} answers agree row by row (numbers within {ABSOLUTE:g}, or {RELATIVE:g} of their size)."
    lines = [f"Scale factor {scale:g}; medians of warm runs. {agreed}", *faults, "",
             "| query | ours CPU-s | DuckDB CPU-s | ratio | ours wall s | DuckDB wall s |", "|---|---:|---:|---:|---:|---:|"]
    for name, (ours, theirs) in costs.items():
        lines.append(f"| {name} | {ours.cpu:.2f} | {theirs.cpu:.2f} | {ratios[name]:.2f} | {ours.wall:.2f} | {theirs.wall:.2f} |")
    total = [sum(pair[side].cpu for pair in costs.values()) for side in (0, 1)]
    memory = [max(pair[side].memory for pair in costs.values()) for side in (0, 1)]
    lines.append(f"| **all** | {total[0]:.2f} | {total[1]:.2f} | **{mean:.2f}** (geometric mean) | | |")
    return "\n".join([*lines, "", f"Peak memory: {memory[0]:.0f} MiB against {memory[1]:.0f} MiB."])
