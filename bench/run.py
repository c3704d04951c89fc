#!/usr/bin/env python3
"""Compares Lakehouse with others on this machine, interleaved in one run, and prints ratios.

    python3 bench/run.py csv  [--rows 500000] [--runs 3]     CSV -> Parquet: CPU, wall time, peak memory
    python3 bench/run.py tpch [--scale 1] [--runs 3]         TPC-H over the same Parquet, results compared
    python3 bench/run.py provider [--scale 1] [--runs 5]     TPC-H through our tables and through the engine's own
    python3 bench/run.py vectors [--runs 3]                  exact search beside numpy and faiss, results compared
    python3 bench/run.py embed [--runs 3] [--torch PYTHON]   texts to vectors beside onnxruntime and torch, results compared
    python3 bench/run.py chat [--runs 3]                     the embedded language model beside llama.cpp's server, answers compared
    python3 bench/run.py commits [--runs 3]                  commits a second, beside appends synced on the same disk
    python3 bench/run.py opening [--runs 3]                  opening a lake of 100,000 versions, and reading its past
    python3 bench/run.py curves [--sets texts,clustered,million]   recall and speed of search beside six others, with plots
    python3 bench/run.py filters [--sets texts,clustered]    searches over HTTP under filters, beside those without
    python3 bench/run.py quality [--questions N]             what searches find of real questions; --texts and --asked name others
    python3 bench/run.py lifetimes [--runs 3]                an index's memory that no file backs, and its opening after a kill
    python3 bench/run.py mcp                                 calls of agents, and health while hostile SQL runs
    python3 bench/run.py http [--runs 3]                     cached embeds and searches over HTTP, beside Chroma's server
    python3 bench/run.py validate [--runs 3]                 checks of fills over HTTP, against half a million workers

Needs Linux, Python 3.11 or later and the release binaries, which it builds unless --binaries names a directory that holds them.
Peers are pinned by SHA-256 in requirements.txt and live, like the data, in the cache directory. With --write the figures
replace their section of docs/benchmarks.md.
"""
import argparse
import pathlib
import subprocess

import chat
import commits
import csv_to_parquet
import curves
import embed
import filters
import over_http
import peers
import lifetimes
import mcp
import provider
import quality
import report
import tpch
import validate
import vectors

ROOT = pathlib.Path(__file__).resolve().parent.parent


def build():
    """Builds the release binaries and says where they are."""
    targets = ["-p", "lakehouse", "-p", "ingest", "-p", "models", "-p", "vectors", "-p", "query", "-p", "simulation", "--bin", "lakehouse"]
    targets += ["--example", "csv_to_parquet", "--example", "embed", "--example", "chat", "--example", "exact_search", "--example", "table_provider", "--example", "commits",
                "--example", "opening", "--example", "lifetimes", "--example", "curve", "-p", "ann"]
    subprocess.run(["cargo", "build", "--release", "--locked", *targets], cwd=ROOT, check=True)
    return ROOT / "target" / "release"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("bench", choices=["csv", "tpch", "provider", "vectors", "embed", "chat", "http", "commits", "opening", "quality", "lifetimes", "curves", "filters", "validate", "mcp"])
    arguments.add_argument("--rows", type=int, default=500_000, help="rows of the roster (csv)")
    arguments.add_argument("--scale", type=float, default=1, help="scale factor (tpch, provider, curves)")
    arguments.add_argument("--runs", type=int, default=3, help="measured runs of each side")
    arguments.add_argument("--sets", default=",".join(curves.SETS), help="which vectors, separated by commas (curves)")
    arguments.add_argument("--questions", type=int, default=1_000, help="how many questions are asked (quality)")
    arguments.add_argument("--texts", type=pathlib.Path, help="a TSV of id and text, instead of ESCO's (quality)")
    arguments.add_argument("--asked", type=pathlib.Path, help="a TSV of question and the id of its answer (quality)")
    arguments.add_argument("--torch", type=pathlib.Path, help="a Python with torch, transformers and tokenizers (embed)")
    arguments.add_argument("--binaries", type=pathlib.Path, help="directory of the binaries; built otherwise")
    arguments.add_argument("--write", action="store_true", help="put the figures into docs/benchmarks.md")
    given = arguments.parse_args()
    binaries = (given.binaries or build()).resolve()
    if given.bench in ("commits", "opening"):
        table = getattr(commits, given.bench)(binaries, given.runs)
    elif given.bench == "quality":
        table = quality.run(binaries, given.texts, given.asked, given.questions)
    elif given.bench == "curves":
        table = curves.run(binaries, given.sets.split(","), given.scale)
    elif given.bench == "filters":
        table = filters.run(binaries, given.sets.split(","))
    elif given.bench == "chat":
        table = chat.run(binaries, given.runs)
    elif given.bench == "validate":
        table = validate.run(binaries, given.runs)
    elif given.bench == "mcp":
        table = mcp.run(binaries)
    elif given.bench == "lifetimes":
        table = lifetimes.run(binaries, given.runs)
    else:
        table = beside_peers(given, binaries, peers.install())
    print(table)
    if given.write:
        report.write(ROOT / "docs" / "benchmarks.md", given.bench, table)


def beside_peers(given, binaries, peer):
    """The table of a bench that compares with programs of others."""
    if given.bench == "csv":
        return csv_to_parquet.run(binaries, peer, given.rows, given.runs)
    if given.bench == "provider":
        return provider.run(binaries, peer, given.scale, given.runs)
    if given.bench == "vectors":
        return vectors.run(binaries, peer, given.runs)
    if given.bench == "http":
        return over_http.run(binaries, peer, given.runs)
    if given.bench == "embed":
        return embed.run(binaries, peer, given.torch, given.runs)
    return tpch.run(binaries, peer, given.scale, given.runs)


if __name__ == "__main__":
    main()
