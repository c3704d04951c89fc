#!/usr/bin/env python3
"""Fetches real texts of staffing and questions to them, and writes three files into a directory:

    python3 scripts/parts/labels.py DIRECTORY [--timeout SECONDS]

occupations.tsv   id, text        what each of some 3,000 occupations does, in the first sentences of its description
questions.tsv     question, id    other names of those occupations; none stands in the text that it is to find
titles.json       a list          every text and title that is known, each once: some 90,000, in no order that means anything

Descriptions and names come from ESCO, the European classification of skills and occupations (© European Union; reuse
allowed with attribution), titles from `find-job-titles` (MIT). Both travel in Python packages that are pinned here by
SHA-256 and opened as the archives they are. ESCO's names run together in the package, without a mark between them; they
are taken apart where known titles follow each other, so that as few words as possible are left over, and only known titles of two
words or more that belong to a single occupation become questions.
"""
import argparse
import collections
import csv
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import zipfile

from packages import fetch
from texts import KINDS, PACKAGE, SENTENCE

TITLES = ("find-job-titles==0.7.0", "4ad27d617834cc0c1630d3e5cf09b0df62c5913f69ddc5a682797d7a331e7c40")
TITLES_MEMBER = "find_job_titles/data/titles_combined.txt.gz"
# The most words of a title, and the most characters of a text: about what the embedded model reads of it.
LONGEST_TITLE = 6
LONGEST_TEXT = 800
PENALTY = 100


def titles(archive):
    with archive.open(TITLES_MEMBER) as file:
        return [line.strip() for line in gzip.open(file, "rt", encoding="utf-8") if line.strip()]


def described(archive, member):
    """id, names as they run together, and description, of each that has all of them."""
    with archive.open(member) as file:
        for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")):
            whole = " ".join(row["description"].split())
            begin = SENTENCE.search(whole)
            if begin and whole[: begin.start()].strip():
                yield row["id"].rsplit("/", 1)[-1], whole[: begin.start()].strip(), whole[begin.start():]


def shortened(text):
    """The first sentences of a text."""
    if len(text) <= LONGEST_TEXT:
        return text
    return text[:LONGEST_TEXT].rpartition(". ")[0] + "." if ". " in text[:LONGEST_TEXT] else text[:LONGEST_TEXT]


def taken_apart(names, known):
    """The known titles that cover names which run together, with as few words left over and as few titles as can be."""
    words = names.lower().split()
    best = [(0, None)]
    for end in range(1, len(words) + 1):
        ways = [(best[end - 1][0] + PENALTY, None)]
        for length in range(1, min(LONGEST_TITLE, end) + 1):
            title = " ".join(words[end - length:end])
            if title in known:
                ways.append((best[end - length][0] + 1, title))
        best.append(min(ways, key=lambda way: way[0]))
    end, found = len(words), []
    while end:
        title = best[end][1]
        found.append(title)
        end -= len(title.split()) if title else 1
    return [title for title in reversed(found) if title]


def mixed(lines):
    """In an order that is always the same and means nothing."""
    return sorted(lines, key=lambda line: hashlib.sha256(repr(line).encode()).digest())


def questions(occupations, known):
    """Names of two words or more that belong to one occupation and are not said in its text."""
    owners, texts = collections.defaultdict(set), {}
    for key, names, text in occupations:
        texts[key] = text.lower()
        for name in taken_apart(names, known):
            owners[name].add(key)
    single = ((name, next(iter(keys))) for name, keys in owners.items() if len(keys) == 1 and " " in name)
    return mixed([(name, key) for name, key in single if name not in texts[key]])


def write(directory, esco, all_titles):
    known = {title.lower() for title in all_titles}
    occupations = [(key, names, shortened(text)) for key, names, text in described(esco, KINDS["occupation"])]
    skills = [shortened(text) for _, _, text in described(esco, KINDS["skill"])]
    every = dict.fromkeys([*all_titles, *(text for _, _, text in occupations), *skills])
    files = {
        "occupations.tsv": [f"{key}\t{text}" for key, _, text in sorted(occupations)],
        "questions.tsv": [f"{name}\t{key}" for name, key in questions(occupations, known)],
        "titles.json": [json.dumps(mixed(every), ensure_ascii=False)],
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        partial = directory / (name + ".part")
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.replace(directory / name)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory", type=pathlib.Path)
    arguments.add_argument("--timeout", type=float, default=60.0, help="seconds for each download")
    given = arguments.parse_args()
    try:
        with zipfile.ZipFile(fetch(*PACKAGE, given.timeout)) as esco, zipfile.ZipFile(fetch(*TITLES, given.timeout)) as others:
            write(given.directory, esco, titles(others))
    except subprocess.TimeoutExpired:
        sys.exit(f"the package index did not answer within {given.timeout:g} s")
    except (subprocess.CalledProcessError, OSError, KeyError, zipfile.BadZipFile) as error:
        sys.exit(f"the texts could not be fetched: {type(error).__name__}")


if __name__ == "__main__":
    main()
