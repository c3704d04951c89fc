#!/usr/bin/env python3
"""Makes testdata/reranking/scores.json: queries, texts, and how onnxruntime scores each text for its query.

    PYTHON bench/rerank_reference.py MODEL_DIRECTORY

PYTHON has onnxruntime, tokenizers and numpy; MODEL_DIRECTORY is what scripts/parts/reranker.py prints.
"""
import json
import pathlib
import sys

import numpy
import onnxruntime
import tokenizers

HOME = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "reranking"
TEXTS = [
    "Forklift operator for the night shift, loads pallets in our warehouse", "Warehouse clerk, counts stock and prints labels",
    "Truck driver with a class A license for long haul", "Registered nurse in a hospital, weekends only",
    "Welder for stainless steel pipes, certified", "Bookkeeper for month end closing and payroll", "Line cook in an Italian kitchen",
    "Electrician who reads blueprints and wires offices", "Carer for older people at home", "Reach truck and forklift, two years",
    "Accountants prepare financial statements, examine records and advise on taxes. " * 12, "Nachtschicht, Staplerfahrer gesucht", "x",
]
QUERIES = [
    "warehouse worker who can drive a forklift", "somebody who looks after the elderly", "who does our taxes?", "welding", "night shift",
    "an experienced cook who keeps calm under pressure on weekends " * 8,
]


def main():
    directory = pathlib.Path(sys.argv[1])
    tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512, strategy="only_second")
    session = onnxruntime.InferenceSession(directory / "model.onnx", providers=["CPUExecutionProvider"])

    def score(query, text):
        encoded = tokenizer.encode(query, text)
        parts = {"input_ids": encoded.ids, "attention_mask": encoded.attention_mask, "token_type_ids": encoded.type_ids}
        (scores,) = session.run(None, {name: numpy.array([ids], numpy.int64) for name, ids in parts.items()})
        return round(float(scores.reshape(-1)[0]), 4)

    scores = [{"query": query, "scores": [score(query, text) for text in TEXTS]} for query in QUERIES]
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "scores.json").write_text(json.dumps({"texts": TEXTS, "queries": scores}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
