"""Commits a second beside appends that are synced on the same disk, and on a stand-in for S3; and opening a long history."""
import json
import statistics
import sys
import tempfile

import measure
import peers

SECONDS = 12
VERSIONS = 100_000
TABLES = 1_000


def answer(command):
    """What an example printed."""
    _, output = measure.whole(command)
    result = json.loads(output)
    print(f"  {result}", file=sys.stderr)
    return result


def commits(binaries, runs):
    """Measures commits and returns the table."""
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        results = [answer([binaries / "examples" / "commits", directory, SECONDS]) for _ in range(runs)]
    middle = {name: statistics.median(result[name] for result in results) for name in results[0]}
    ratio = {name: statistics.median(result[name] / result["append"] for result in results) for name in results[0]}
    local = [("append and fdatasync, the measure", "append"), ("a tag, one client", "tag"), ("tags, 64 clients", "tags"),
             ("an append to a table, one client", "table"), ("appends to 64 tables, 64 clients", "tables")]
    far = [("a tag, one client", "far_tag"), ("tags, 64 clients", "far_tags")]
    lines = [f"The median of {runs} runs; in each, {SECONDS} seconds of every line in turns.", "",
             "| on a directory | a second | to the measure |", "|---|---:|---:|"]
    lines += [f"| {label} | {middle[name]:,.0f} | {ratio[name]:.2f} |" for label, name in local]
    lines += ["", "| S3 stand-in, 60 ms a conditional put | a second |", "|---|---:|"]
    lines += [f"| {label} | {middle[name]:,.0f} |" for label, name in far]
    return "\n".join(lines)


def opening(binaries, runs):
    """Measures opening and the past, and returns the table."""
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        command = [binaries / "examples" / "opening", directory, VERSIONS, TABLES]
        results = [answer(command) for _ in range(runs)]
    figure = {name: statistics.median(result[name] for result in results) for name in results[0]}
    return "\n".join([f"A lake of {VERSIONS:,} versions and {TABLES:,} tables in a directory; the median of {runs} processes.", "",
                      "| | ms |", "|---|---:|", f"| opening | {figure['open_ms']:.0f} |",
                      f"| any of 200 versions of the past, median | {figure['as_of_ms']:.1f} |",
                      f"| the slowest of them | {figure['as_of_worst_ms']:.1f} |"])
