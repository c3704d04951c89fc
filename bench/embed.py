"""Texts to vectors: the embedded model by our engine and by others, in both precisions, on the same weights, results compared."""
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
# Cosine that every vector has with ours in full precision, at least, by engine. What onnxruntime makes of bytes is told, not required.
LEAST = {"ours": 0.998, "ours, f32": 1 - 1e-6, "onnxruntime": 0.9999, "torch": 0.9999}
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
    ours = {"ours": "all-MiniLM-L6-v2", "ours, f32": "all-MiniLM-L6-v2-f32"}
    commands = {
        name: lambda vectors, m=precision: [binaries / "examples" / "embed", model, texts, vectors, m] for name, precision in ours.items()
    }
    pythons = {"onnxruntime-int8": peer / "python", "onnxruntime": peer / "python", **({"torch": torch} if torch else {})}
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
    """The best run of each, with the least cosine of its vectors, after all were found to be near enough."""
    best = {}
    for number in range(runs):
        order = list(commands.items())
        for name, command in order if number % 2 == 0 else reversed(order):
            result = answer(command(directory / name), threads)
            print(f"  {threads} threads, {name}: {result}", file=sys.stderr)
            known = best.setdefault(name, result)
            best[name] = {part: min(figure, known[part]) for part, figure in result.items()}
    for name, figures in best.items():
        compared = [peers.install() / "python", "-c", COMPARE, directory / "ours, f32", directory / name]
        figures["cosine"] = float(subprocess.run(compared, stdout=subprocess.PIPE, check=True).stdout)
        if figures["cosine"] < LEAST.get(name, 0):
            raise SystemExit(f"the vectors of {name} differ from ours: cosine {figures['cosine']}")
    return best


def run(binaries, peer, torch, runs):
    """Measures all sets and returns the table."""
    model = model_directory()
    lines = [f"The best of {runs} runs each; one query is the median of 200, one at a time. The cosine is the least that a vector has with the "
             "original's; ours without a note, and onnxruntime-int8, multiply bytes.", "",
             "| texts | threads | engine | texts/s | ours to it | one query, ms | cosine |", "|---|---:|---|---:|---:|---:|---:|"]
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
                    lines.append(f"| {kind} | {threads} | {name} | {rate:.0f} | {ratio:.2f} | {figures['query_seconds'] * 1e3:.2f} | {figures['cosine']:.4f} |")
    return "\n".join(lines)
