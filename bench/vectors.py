"""Exact search: one query at a time over the same vectors, results compared."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import peers

HERE = pathlib.Path(__file__).resolve().parent
SIZES = [(5_000, 384), (100_000, 768)]
THREADS = [1, 2]
K = 10
QUERIES = 300


def floats(path, rows, dimension, seed):
    """Normally distributed numbers, the same on every machine."""
    command = [peers.install() / "python", "-c",
               "import sys, numpy; r, d, s = map(int, sys.argv[2:]); "
               "numpy.random.Generator(numpy.random.PCG64(s)).standard_normal((r, d), dtype='f4').astype('<f4').tofile(sys.argv[1])",
               path, str(rows), str(dimension), str(seed)]
    subprocess.run(command, check=True)


def answer(command, threads):
    """What a process found, with every library that has threads held to so many."""
    names = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    environment = {**os.environ, **{name: str(threads) for name in names}}
    done = subprocess.run([str(word) for word in command], env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def contestants(binaries, peer, directory, dimension, threads):
    """How each is run, by name."""
    files = [directory / "rows", directory / "queries", dimension, K]

    def ours(place):
        with tempfile.TemporaryDirectory(dir=directory) as home:
            lake = place or f"{home}/lake"
            return answer([binaries / "examples" / "exact_search", *files, lake, f"{home}/cache"], threads)

    def other(engine):
        return lambda: answer([peer / "python", HERE / "vectors_peer.py", engine, *files, threads], threads)

    return {"directory": lambda: ours(None), "memory": lambda: ours("memory:"), "numpy": other("numpy"), "faiss": other("faiss")}


def measure(binaries, peer, rows, dimension, threads, runs):
    """The median search of each in its best run, in milliseconds, and what each found."""
    best, found = {}, {}
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        directory = pathlib.Path(directory)
        floats(directory / "rows", rows, dimension, 1)
        floats(directory / "queries", QUERIES, dimension, 2)
        for number in range(runs):
            order = list(contestants(binaries, peer, directory, dimension, threads).items())
            for name, run in order if number % 2 == 0 else reversed(order):
                result = run()
                median = statistics.median(result["seconds"]) * 1e3
                best[name] = min(median, best.get(name, median))
                found[name] = result["found"]
                print(f"  {rows} × {dimension}, {threads} threads, {name}: {median:.3f} ms", file=sys.stderr)
    return best, found


def same(ours, theirs):
    """Ends the bench unless the answers are the same rows; the last place of each may differ by rounding."""
    close = sum(len(set(a) & set(b)) >= K - 1 for a, b in zip(ours, theirs, strict=True))
    if close != len(ours):
        raise SystemExit(f"{len(ours) - close} of {len(ours)} answers differ")


def run(binaries, peer, runs):
    """Measures all sizes and returns the table."""
    lines = [f"{QUERIES} queries one after another, k = {K}, inner product over normally distributed vectors; the median search in ms. Ours on a directory",
             "asks the file system twice whether another process has changed anything; ours in memory has nobody to ask, as the peers. All answers agree.", "",
             "| vectors | threads | ours, directory | ours, memory | numpy | faiss | memory to numpy | memory to faiss |",
             "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for rows, dimension in SIZES:
        for threads in THREADS:
            best, found = measure(binaries, peer, rows, dimension, threads, runs)
            for ours in ("directory", "memory"):
                for other in ("numpy", "faiss"):
                    same(found[ours], found[other])
            times = " | ".join(f"{best[name]:.3f}" for name in ("directory", "memory", "numpy", "faiss"))
            ratios = " | ".join(f"{best['memory'] / best[name]:.2f}" for name in ("numpy", "faiss"))
            lines.append(f"| {rows:,} × {dimension} | {threads} | {times} | {ratios} |")
    return "\n".join(lines)
