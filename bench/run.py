#!/usr/bin/env python3
"""Compares Lakehouse with others on this machine, interleaved in one run, and prints ratios.

    python3 bench/run.py csv  [--rows 500000] [--runs 3]     CSV -> Parquet: CPU, wall time, peak memory
    python3 bench/run.py tpch [--scale 1] [--runs 3]         TPC-H over the same Parquet, results compared
    python3 bench/run.py provider [--scale 1] [--runs 5]     TPC-H through our tables and through the engine's own
    python3 bench/run.py vectors [--runs 3]                  exact search beside numpy and faiss, results compared
    python3 bench/run.py embed [--runs 3] [--torch PYTHON]   texts to vectors beside onnxruntime and torch, results compared
    python3 bench/run.py http [--runs 3]                     cached embeds and searches over HTTP, beside Chroma's server

Needs Linux, Python 3.11 or later and the release binaries, which it builds unless --binaries names a directory that holds them.
Peers are pinned by SHA-256 in requirements.txt and live, like the data, in the cache directory. With --write the figures
replace their section of docs/benchmarks.md.
"""
import argparse
import pathlib
import subprocess

import csv_to_parquet
import embed
import over_http
import peers
import provider
import report
import tpch
import vectors

ROOT = pathlib.Path(__file__).resolve().parent.parent


def build():
    """Builds the release binaries and says where they are."""
    targets = ["-p", "lakehouse", "-p", "ingest", "-p", "models", "-p", "vectors", "-p", "query", "--bin", "lakehouse"]
    targets += ["--example", "csv_to_parquet", "--example", "embed", "--example", "exact_search", "--example", "table_provider"]
    subprocess.run(["cargo", "build", "--release", "--locked", *targets], cwd=ROOT, check=True)
    return ROOT / "target" / "release"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("bench", choices=["csv", "tpch", "provider", "vectors", "embed", "http"])
    arguments.add_argument("--rows", type=int, default=500_000, help="rows of the roster (csv)")
    arguments.add_argument("--scale", type=float, default=1, help="scale factor (tpch, provider)")
    arguments.add_argument("--runs", type=int, default=3, help="measured runs of each side")
    arguments.add_argument("--torch", type=pathlib.Path, help="a Python with torch, transformers and tokenizers (embed)")
    arguments.add_argument("--binaries", type=pathlib.Path, help="directory of the binaries; built otherwise")
    arguments.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    given = arguments.parse_args()
    binaries = (given.binaries or build()).resolve()
    peer = peers.install()
    if given.bench == "csv":
        table = csv_to_parquet.run(binaries, peer, given.rows, given.runs)
    elif given.bench == "provider":
        table = provider.run(binaries, peer, given.scale, given.runs)
    elif given.bench == "vectors":
        table = vectors.run(binaries, peer, given.runs)
    elif given.bench == "http":
        table = over_http.run(binaries, peer, given.runs)
    elif given.bench == "embed":
        table = embed.run(binaries, peer, given.torch, given.runs)
    else:
        table = tpch.run(binaries, peer, given.scale, given.runs)
    print(table)
    if given.write:
        report.write(ROOT / "docs" / "benchmarks.md", given.bench, table)


if __name__ == "__main__":
    main()
