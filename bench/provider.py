"""What our tables cost beside the engine's own over the same Parquet files: TPC-H both ways in one process."""
import json
import math
import statistics
import subprocess
import sys

import tpch


def run(binaries, peer, scale, runs):
    """Measures every query both ways, interleaved, with filters inside of scans and without, and returns the table."""
    directory = tpch.data(peer, scale)
    costs = {pushdown: measure(binaries, directory, runs, pushdown) for pushdown in ("on", "off")}
    return table(scale, runs, costs)


def measure(binaries, directory, runs, pushdown):
    """The median CPU seconds of either side by query."""
    command = [binaries / "examples" / "table_provider", directory, tpch.HERE / "tpch.sql", runs, pushdown]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True, text=True)
    costs = {}
    for line in map(json.loads, done.stdout.splitlines()):
        costs[line["query"]] = [statistics.median(cpu for cpu, _ in line[side]) for side in ("direct", "ours")]
        print(f"  {line['query']}: {costs[line['query']]}", file=sys.stderr)
    return costs


def table(scale, runs, costs):
    lines = [f"Scale factor {scale:g}; medians of {runs} warm runs each. Filters inside of scans on, and off.", "",
             "| query | engine's own CPU-s | ours CPU-s | off: engine's own | off: ours |", "|---|---:|---:|---:|---:|"]
    for name, (direct, ours) in costs["on"].items():
        lines.append(f"| {name} | {direct:.2f} | {ours:.2f} | {costs['off'][name][0]:.2f} | {costs['off'][name][1]:.2f} |")
    sums = {pushdown: [sum(pair[side] for pair in costs[pushdown].values()) for side in (0, 1)] for pushdown in costs}
    (direct, ours), (direct_off, ours_off) = sums["on"], sums["off"]
    lines.append(f"| **all** | {direct:.2f} | {ours:.2f} | {direct_off:.2f} | {ours_off:.2f} |")
    means = {pushdown: mean(costs[pushdown]) for pushdown in costs}
    verdict = [f"{pushdown}: {100 * (sums[pushdown][1] / sums[pushdown][0] - 1):+.1f} % in all, "
               f"{100 * (means[pushdown] - 1):+.1f} % in the geometric mean" for pushdown in costs]
    return "\n".join([*lines, "", f"Ours beside the engine's own. {'; '.join(verdict)}."])


def mean(costs):
    return math.exp(statistics.fmean(math.log(max(ours, 0.01) / max(direct, 0.01)) for direct, ours in costs.values()))
