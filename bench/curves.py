"""Recall and queries a CPU second of approximate search, beside others' graphs and files, on the same vectors and queries."""
import json
import os
import pathlib
import subprocess
import sys

import curve_plot
import peers
import quality

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["hnswlib", "faiss HNSW", "faiss HNSW-SQ8", "usearch", "LanceDB", "qdrant-edge"]
OURS = "ours"
SHARES = [0.001, 0.01, 0.1, 0.5, 1.0]
WANTED = 0.98
QUERIES = 1000
# Name → title, rows, dimension, clusters, and how much of a row is its own; real texts have neither.
SETS = {
    "texts": ("real texts of staffing, all-MiniLM-L6-v2", None, 384, None, None),
    "clustered": ("clustered, 768 dimensions", 100_000, 768, 1000, 0.7),
    "million": ("clustered, 128 dimensions", 1_000_000, 128, 2000, 0.7),
}
MAKE = """
import sys, numpy
path, rows, queries, dimension, clusters = sys.argv[1], *map(int, sys.argv[2:6])
dice = numpy.random.Generator(numpy.random.PCG64(7))
centres = dice.standard_normal((clusters, dimension), dtype='f4')
of = dice.integers(0, clusters, rows + queries)
with open(path + '/base', 'wb') as base, open(path + '/queries', 'wb') as asked:
    for first in range(0, rows + queries, queries):
        some = of[first:first + queries]
        made = centres[some] + float(sys.argv[6]) * dice.standard_normal((len(some), dimension), dtype='f4')
        made /= numpy.linalg.norm(made, axis=1, keepdims=True)
        made.astype('<f4').tofile(asked if first >= rows else base)
"""
SPLIT = """
import sys, numpy
path, queries = sys.argv[1], int(sys.argv[2])
rows = numpy.fromfile(path + '/all', '<f4').reshape(-1, 384)
# Titles that differ in case alone are the same to the model; which of two equal rows is found says nothing.
rows = rows[numpy.sort(numpy.unique(rows, axis=0, return_index=True)[1])]
rows[:-queries].tofile(path + '/base')
rows[-queries:].tofile(path + '/queries')
"""


def environment():
    """Libraries that have threads held to one, where that does not bring them to a halt; CPU time counts those of the others too."""
    names = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    return {**os.environ, **dict.fromkeys(names, "1")}


def figures(command):
    """What a process printed, line by line."""
    done = subprocess.run([str(word) for word in command], env=environment(), stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def embedded(binaries, directory):
    """The known texts as vectors."""
    labels = peers.cache_directory() / "labels"
    quality.part("labels.py", labels)
    model = quality.part("minilm.py")
    command = [binaries / "examples" / "embed", model, labels / "titles.json", directory / "all", "all-MiniLM-L6-v2"]
    subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, check=True)


def prepared(name, binaries, python, scale):
    """The directory of a set, filled on the first call."""
    _, rows, dimension, clusters, own = SETS[name]
    directory = peers.cache_directory() / "curves" / f"{name}-{scale:g}"
    if (directory / "truth.1.0").exists():
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    if rows is None:
        if not (directory / "all").exists():
            embedded(binaries, directory)
        subprocess.run([python, "-c", SPLIT, directory, str(QUERIES)], check=True)
    else:
        sizes = [int(rows * scale), QUERIES, dimension, max(1, int(clusters * scale)), own]
        subprocess.run([python, "-c", MAKE, directory, *map(str, sizes)], check=True)
    subprocess.run([python, HERE / "curves_peer.py", "truth", directory, str(dimension)], check=True)
    return directory


def measured(name, binaries, python, scale):
    """All figures of all contestants on one set; ours at the beginning and at the end, and the better ones count."""
    directory, dimension = prepared(name, binaries, python, scale), SETS[name][2]
    ours = [binaries / "examples" / "curve", directory, dimension]
    all_figures = {OURS: figures(ours)}
    for peer in PEERS:
        home = directory / peer.replace(" ", "-")
        all_figures[peer] = figures([python, HERE / "curves_peer.py", peer, directory, dimension, home])
        print(f"  {name}, {peer}: {all_figures[peer]}", file=sys.stderr)
    again = figures(ours)
    for first, second in zip(all_figures[OURS], again, strict=True):
        first.update({part: min(first[part], second[part]) for part in ("seconds", "built") if part in first})
    print(f"  {name}, {OURS}: {all_figures[OURS]}", file=sys.stderr)
    return all_figures


def curve(lines):
    """Recall and queries a CPU second, without a filter."""
    points = [(line["recall"], 1 / line["seconds"]) for line in lines if line.get("share") == 1.0 and line["effort"] != "proven"]
    return sorted(set(points))


def fastest(lines):
    """Queries a CPU second where enough is found; none where it never is."""
    return max((rate for recall, rate in curve(lines) if recall >= WANTED), default=None)


def summary(title, rows, all_figures):
    """One line for each contestant."""
    ours = fastest(all_figures[OURS])
    table = [f"**{title}**", "", f"| | queries a CPU second at recall@10 ≥ {WANTED} | ours to it | built, vectors a CPU second | ours to it | bytes a vector beside files |",
             "|---|---:|---:|---:|---:|---:|"]
    own = rows / all_figures[OURS][0]["built"]
    for name, lines in all_figures.items():
        rate, built = fastest(lines), rows / lines[0]["built"]
        reached = f"{rate:,.0f} | {ours / rate:.2f}" if rate and ours else "not reached |"
        kept = "0" if name == OURS else f"{lines[0]['bytes']:,.0f}"
        table.append(f"| {name} | {reached} | {built:,.0f} | {own / built:.1f} | {kept} |")
    proven = next(line for line in all_figures[OURS] if line.get("effort") == "proven")
    return [*table, "", f"Proven exact: recall {proven['recall']:.4f} in {proven['seconds'] * 1e3:.2f} ms. Ours keeps {all_figures[OURS][0]['bytes']:,.0f} bytes a vector "
            "beside the vectors, in files that are mapped.", ""]


def filtered(all_figures):
    """Recall and time under filters, where a contestant has any."""
    table = ["| a filter leaves | " + " | ".join(f"{share:.1%}" for share in SHARES) + " |", "|---|" + "---:|" * len(SHARES)]
    for name, lines in all_figures.items():
        # The filters come last.
        last = {line["share"]: line for line in lines if "share" in line}
        if len(last) > 1:
            cells = [f"{last[share]['recall']:.3f}, {last[share]['seconds'] * 1e3:.2f} ms" for share in SHARES]
            table.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*table, ""]


def run(binaries, names, scale):
    """Measures the sets and returns the tables; the plots go to docs/benchmarks."""
    python = peers.install(HERE / "curves-requirements.txt", HERE / "curves-sources.txt") / "python"
    plots = HERE.parent / "docs" / "benchmarks"
    lines = ["One query at a time, k = 10, in CPU seconds of one thread; graphs of 16 neighbours built with 200 candidates. Each contestant in a process of its own; "
             "ours at the beginning and at the end. Python's share of the peers' queries is in their figures (some 5 µs each).", ""]
    for name in names:
        all_figures = measured(name, binaries, python, scale)
        title, _, dimension, _, _ = SETS[name]
        rows = (peers.cache_directory() / "curves" / f"{name}-{scale:g}" / "base").stat().st_size // (4 * dimension)
        lines += [*summary(f"{title}, {rows:,} vectors", rows, all_figures), *filtered(all_figures), f"![recall and queries a second](benchmarks/{name}.svg)", ""]
        curve_plot.write(plots / f"{name}.svg", f"{title}, {rows:,} vectors", {peer: curve(found) for peer, found in all_figures.items()})
    return "\n".join(lines).rstrip()
