"""Search quality: names of occupations find the occupations, through the product's own server, as a user would ask."""
import concurrent.futures
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import peers
import stack

HERE = pathlib.Path(__file__).resolve().parent
PARTS = HERE.parent / "scripts" / "parts"
K = 10
BATCH = 32
CLIENTS = 4
# Index, and what is said beside the text of the question.
WAYS = {
    "by meaning": ("bytes", {}),
    "by meaning, f32": ("floats", {}),
    "keyword": ("bytes", {"mode": "keyword"}),
    "hybrid": ("bytes", {"mode": "hybrid"}),
    "by meaning, re-ranked": ("bytes", {"rerank": True}),
    "hybrid, re-ranked": ("bytes", {"mode": "hybrid", "rerank": True}),
}
MODELS = {"bytes": "all-MiniLM-L6-v2", "floats": "all-MiniLM-L6-v2-f32"}


def lines(path):
    """The columns of a TSV."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]


def part(script, *arguments):
    """What a script of the parts prints."""
    done = subprocess.run([sys.executable, PARTS / script, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split("\n")[0]


def fill(server, texts):
    """Adds all texts to an index for each precision of the model."""
    for index, model in MODELS.items():
        server.post("/v1/vectors/index", {"name": index, "dimension": 384, "model": model})
        items = [{"id": key, "text": text} for key, text in texts]
        for first in range(0, len(items), BATCH):
            server.post(f"/v1/vectors/index/{index}/add_text", {"items": items[first:first + BATCH], "overflow": "truncate"})


def asked(server, index, settings, questions):
    """The place of the right answer of each question among the first ten, from 0; none where it is not there."""

    def place(question):
        text, right = question
        body = {"text": text, "k": K, **settings}
        found = [hit["id"] for hit in server.post(f"/v1/vectors/index/{index}/search", body)["results"]]
        return found.index(right) if right in found else None

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(place, questions))


def score(places):
    """Recall@10, and nDCG@10, each with its standard error; with one right answer that is one over the logarithm of its place."""
    recall = [float(place is not None) for place in places]
    gain = [0.0 if place is None else 1 / math.log2(place + 2) for place in places]
    return [(sum(some) / len(some), error(some)) for some in (recall, gain)]


def error(numbers):
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((number - mean) ** 2 for number in numbers) / len(numbers) / len(numbers))


def run(binaries, texts, questions, count):
    """Measures all ways of asking and returns the table. Texts and questions are TSVs: id, text; question, id of its answer."""
    source = "names of ESCO occupations (of two words or more, not said in the text that they are to find) and their descriptions"
    if texts is None:
        directory = peers.cache_directory() / "labels"
        part("labels.py", directory)
        texts, questions = directory / "occupations.tsv", directory / "questions.tsv"
    else:
        source = f"{questions.name} and {texts.name}"
    known, chosen = lines(texts), [tuple(line) for line in lines(questions)][:count]
    table = [f"{len(chosen):,} questions to {len(known):,} texts: {source}. One text answers each; ± is the standard error.", "",
             "| | recall@10 | nDCG@10 |", "|---|---:|---:|"]
    settings = [f"models.model_dir={part('minilm.py')}", f"models.reranker_dir={part('reranker.py')}"]
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as home:
        server = stack.Lakehouse(binaries, home, settings)
        try:
            fill(server, known)
            for name, (index, said) in WAYS.items():
                (recall, loose), (gain, spread) = score(asked(server, index, said, chosen))
                table.append(f"| {name} | {recall:.3f} ± {loose:.3f} | {gain:.3f} ± {spread:.3f} |")
                print(f"  {table[-1]}", file=sys.stderr)
        finally:
            server.stop()
    return "\n".join(table)
