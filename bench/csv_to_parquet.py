"""CSV -> Parquet: the same file, the same codec and level, synced, each run a process of its own."""
import json
import pathlib
import subprocess
import sys
import tempfile

import measure
import peers

HERE = pathlib.Path(__file__).resolve().parent


def roster(rows):
    """The generated roster, from the cache or made now; deterministic."""
    path = peers.cache_directory() / f"roster-{rows}.csv"
    if not path.exists():
        partial = path.with_suffix(".part")
        subprocess.run([sys.executable, HERE / "roster.py", str(rows), partial], check=True)
        partial.replace(path)
    return path


def ours_durable(binaries, source, directory):
    """The whole product: spool, digest, types on all values, Parquet, one synced commit."""
    lake = pathlib.Path(directory) / "lake"
    cost, output = measure.whole([binaries / "lakehouse", "ingest", "roster", source, "--lake", lake, "--json"])
    return cost, json.loads(output)["row_count"]


def ours_alone(binaries, source, directory):
    """The ingest library on a lake of its own, without routes and command line."""
    cost, _ = measure.whole([binaries / "examples" / "csv_to_parquet", source, pathlib.Path(directory) / "lake"])
    return cost, None


def duckdb(peer, source, directory):
    target = pathlib.Path(directory) / "duckdb.parquet"
    cost, _ = measure.whole([peer / "python", HERE / "duckdb_peer.py", "csv", source, target])
    return cost, None


def checked(binaries, peer, source):
    """How many cells of a fresh load equal what Python's csv module reads: all of them, or the bench ends."""
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        ours_durable(binaries, source, directory)
        command = [peer / "python", HERE / "check_cells.py", source, pathlib.Path(directory) / "lake"]
        return int(measure.whole(command)[1])


def run(binaries, peer, rows, runs):
    """Measures all three, interleaved, and returns the table."""
    source = roster(rows)
    contestants = {
        "DuckDB, COPY to Parquet": lambda directory: duckdb(peer, source, directory),
        "lakehouse ingest (durable, versioned)": lambda directory: ours_durable(binaries, source, directory),
        "its library alone (no routes, no command line)": lambda directory: ours_alone(binaries, source, directory),
    }
    costs = {name: [] for name in contestants}
    for number in range(runs):
        for name in contestants if number % 2 == 0 else reversed(contestants):
            with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
                cost, count = contestants[name](directory)
            if count not in (None, rows):
                raise SystemExit(f"{name} loaded {count} rows of {rows}")
            costs[name].append(cost)
            print(f"  {name}: {cost.cpu:.2f} CPU-s, {cost.wall:.2f} s, {cost.memory:.0f} MiB", file=sys.stderr)
    cells = checked(binaries, peer, source)
    return table(source, rows, cells, {name: measure.median(list_) for name, list_ in costs.items()})


def table(source, rows, cells, medians):
    megabytes = source.stat().st_size / 1e6
    base = medians["DuckDB, COPY to Parquet"].cpu
    lines = [f"{rows:,} rows × 18 columns, {megabytes:.0f} MB, zstd level 3; medians, and the highest peak of memory.",
             f"All {cells:,} cells of the load equal what Python's csv module reads.", "",
             "| | CPU-s | ratio | wall s | peak MiB |", "|---|---:|---:|---:|---:|"]
    for name, cost in medians.items():
        lines.append(f"| {name} | {cost.cpu:.2f} | {cost.cpu / base:.2f} | {cost.wall:.2f} | {cost.memory:.0f} |")
    return "\n".join(lines)
