#!/usr/bin/env python3
"""Makes testdata/embedding: a thousand texts, and their vectors by the reference implementation.

    PYTHON bench/embed_reference.py MODEL_DIRECTORY

PYTHON has sentence-transformers 5 or later with torch; MODEL_DIRECTORY is the original model with all its files, as it lies in the
package that scripts/parts/minilm.py fetches. Numbers are stored as 16-bit integers, 32,767 to one: each is off by 0.000015 at most.
"""
import json
import pathlib
import sys

import numpy
from sentence_transformers import SentenceTransformer

import embed_texts

HOME = pathlib.Path(__file__).resolve().parent.parent / "testdata" / "embedding"


def main():
    model = SentenceTransformer(sys.argv[1], device="cpu")
    model.max_seq_length = 256
    texts = embed_texts.texts()
    vectors = model.encode(texts, batch_size=16, normalize_embeddings=True)
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    (HOME / "vectors.i16").write_bytes(numpy.round(vectors * 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    main()
