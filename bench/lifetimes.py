"""An index through its lifetimes: memory that no file backs, and the first right answer after its process was killed."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import peers

ROWS, DIMENSION, BATCH = 100_000, 768, 2_000


def filled(command):
    """The figures of each stage; the process is killed when it has told them all."""
    stages = {}
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            figures = json.loads(line)
            stages[figures.pop("stage")] = figures
            if "waiting" in stages:
                break
        child.kill()
    if "waiting" not in stages:
        raise SystemExit("the index was not filled")
    return stages


def opened(command):
    """What a process told that opened the index."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def run(binaries, runs):
    """Fills, kills, opens, and returns the table."""
    program = binaries / "examples" / "lifetimes"
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        place = [pathlib.Path(directory) / name for name in ("lake", "cache")]
        stages = filled([program, "fill", *place, ROWS, DIMENSION, BATCH])
        lives = [opened([program, "open", *place, ROWS, DIMENSION]) for _ in range(runs)]
    print(f"  {stages} {lives}", file=sys.stderr)
    first = statistics.median(life["first_answer"] for life in lives) * 1e3
    kept = statistics.median(life["bytes_a_vector"] for life in lives)
    rate = ROWS / stages["added"]["seconds"]
    lines = [f"{ROWS:,} × {DIMENSION}, added {BATCH:,} at a time (each batch durable before the next), sealed, given codes, and killed. Memory is what no file backs, "
             "and counts what the allocator holds on to.", "",
             "| | |", "|---|---:|", f"| added, vectors a second | {rate:,.0f} |", f"| sealed, s | {stages['sealed']['seconds']:.1f} |",
             f"| codes made, s | {stages['coded']['seconds']:.1f} |", f"| opened after the kill, to the first right answer, ms (median of {runs}) | {first:.0f} |",
             f"| memory after opening and 100 searches, bytes a vector | {kept:.0f} |"]
    lines += [f"| memory of the process that wrote, when {stage}, bytes a vector | {stages[stage]['bytes_a_vector']:.0f} |" for stage in ("added", "coded", "rested")]
    return "\n".join(lines)
