"""Texts to vectors: the embedded model by our engine and by others, on the same weights, results compared."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import embed_texts
import measure
import peers

HERE = pathlib.Path(__file__).resolve().parent
THREADS = [1, 2]
TEXTS = 2000
# Cosine that every vector has with that of every other engine, at least.
SAME = 0.9999
COMPARE = ("import sys, numpy; a, b = (numpy.fromfile(p, '<f4').reshape(-1, 384) for p in sys.argv[1:]); "
           "print((a * b).sum(1).min())")


def sets():
    """Texts as queries are, and as records are: about 10 and about 90 tokens."""
    dice = random.Random(7)
    short = [" ".join(dice.choices(embed_texts.WORDS, k=7)) for _ in range(TEXTS)]
    records = [" ".join(dice.choices(embed_texts.WORDS, k=70)) for _ in range(TEXTS // 4)]
    return {"7 words": short, "70 words": records}


def model_directory():
    """The pinned files of the model, with the settings that torch reads beside them."""
    script = HERE.parent / "scripts" / "parts" / "minilm.py"
    found = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")[0]
    settings = {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 384, "intermediate_size": 1536,
                "num_attention_heads": 12, "num_hidden_layers": 6, "vocab_size": 30522}
    (pathlib.Path(found) / "config.json").write_text(json.dumps(settings))
    return found


def contestants(binaries, peer, torch, model, texts, threads):
    """How each is run, by name: a command that writes vectors to a path."""
    commands = {"ours": lambda vectors: [binaries / "examples" / "embed", model, texts, vectors]}
    pythons = {"onnxruntime": peer / "python", **({"torch": torch} if torch else {})}
    for engine, python in pythons.items():
        commands[engine] = lambda vectors, e=engine, p=python: [p, HERE / "embed_peer.py", e, model, texts, vectors, str(threads)]
    return commands


def answer(command, threads):
    """What a process printed and the CPU seconds it took, with every library that has threads held to so many."""
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(threads)
    cost, output = measure.whole(command)
    return {**json.loads(output), "cpu_seconds": cost.cpu}


def best_of(commands, directory, threads, runs):
    """The best run of each, after all vectors were found to be the same."""
    best = {}
    for number in range(runs):
        order = list(commands.items())
        for name, command in order if number % 2 == 0 else reversed(order):
            result = answer(command(directory / name), threads)
            print(f"  {threads} threads, {name}: {result}", file=sys.stderr)
            known = best.setdefault(name, result)
            best[name] = {part: min(figure, known[part]) for part, figure in result.items()}
    for name in best:
        near = subprocess.run([peers.install() / "python", "-c", COMPARE, directory / "ours", directory / name], stdout=subprocess.PIPE, check=True)
        if float(near.stdout) < SAME:
            raise SystemExit(f"the vectors of {name} differ from ours: cosine {float(near.stdout)}")
    return best


def run(binaries, peer, torch, runs):
    """Measures all sets and returns the table."""
    model = model_directory()
    lines = [f"The best of {runs} runs each. Every vector agrees with the peers' to cosine {SAME}; one query is the median of 200, one at a time.", "",
             "| texts | threads | engine | texts/s | ours to it | one query, ms |", "|---|---:|---|---:|---:|---:|"]
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        directory = pathlib.Path(directory)
        for kind, texts in sets().items():
            (directory / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
            for threads in THREADS:
                commands = contestants(binaries, peer, torch, model, directory / "texts.json", threads)
                best = best_of(commands, directory, threads, runs)
                for name, figures in best.items():
                    ratio = figures["batch_seconds"] / best["ours"]["batch_seconds"]
                    rate = len(texts) / figures["batch_seconds"]
                    lines.append(f"| {kind} | {threads} | {name} | {rate:.0f} | {ratio:.2f} | {figures['query_seconds'] * 1e3:.2f} |")
    return "\n".join(lines)
