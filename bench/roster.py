#!/usr/bin/env python3
"""Writes a generated roster of workers as CSV: 18 columns, quoted notes over several lines, nulls, leading zeros.

Usage: roster.py ROWS PATH

The same number of rows gives the same bytes on every machine. 500,000 rows are about 350 MB. Every person is made up.
"""

import random
import sys

COLUMNS = [
    "worker_id", "badge", "name", "email", "phone", "city", "state", "zip", "role", "shift", "hourly_rate",
    "hire_date", "last_seen", "active", "blacklist", "latitude", "placements", "notes",
]
FIRST = """Alice Bob Carla Deshawn Elena Farid Grace Hugo Imani Jürgen Kenji Lucía Marek Nadia Oluwaseun Priya Quentin
Rosa Søren Tomás Uma Viktor Wanda Ximena Yusuf Zoë""".split()
LAST = """Abbott Baptiste Chen Delgado Eriksson Fitzgerald García Hernández Ibrahim Johnson Kowalski Lindqvist Müller
Nguyen O'Brien Petrov Quispe Rodríguez Smith Tanaka Ueda Vargas Washington Xu Yilmaz Zieliński""".split()
CITIES = [
    ("Toledo", "OH", "436"), ("Cleveland", "OH", "441"), ("Boston", "MA", "021"), ("Springfield", "MA", "011"),
    ("Newark", "NJ", "071"), ("Hartford", "CT", "061"), ("Chicago", "IL", "606"), ("Houston", "TX", "770"),
    ("Portland", "ME", "041"), ("Memphis", "TN", "381"), ("Reno", "NV", "895"), ("Winston-Salem", "NC", "271"),
]
ROLES = [
    "forklift operator", "picker, packer", "welder", "line lead", "CNC machinist", "janitor", "electrician",
    "warehouse associate", "truck driver", "quality inspector", "assembler", "maintenance technician",
]
SHIFTS = ["first", "second", "third", "weekend"]
CLIENTS = ["Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark", "Wayne", "Soylent"]
WORDS = """arrived early late on time with own tools safety boots certified reach truck cherry picker prefers nights
weekends only does not drive has a car shares ride speaks Spanish Polish French Vietnamese English fluent basic asked
for overtime declined moved address updated phone number new supervisor praised careful fast reliable missed one shift
called in sick returned badge lost replaced training completed scheduled forklift licence expires renewed drug screen
passed background check pending references checked good attitude quiet friendly leads small crew heavy lifting limit
pounds doctor note filed available Monday Tuesday Wednesday Thursday Friday Saturday Sunday""".split()


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def field(text):
    return quoted(text) if any(mark in text for mark in ',"\n\r') else text


def note(dice):
    lines = []
    for _ in range(dice.randint(2, 8)):
        words = dice.choices(WORDS, k=dice.randint(6, 18))
        line = " ".join(words).capitalize() + dice.choice([".", ".", "!", ", see file.", ' ("ask first").'])
        lines.append(f"{dice.randint(1, 28)}/{dice.randint(1, 12)} #{dice.getrandbits(40):x}: {line}")
    return "\n".join(lines)


def row(dice, number):
    first, last = dice.choice(FIRST), dice.choice(LAST)
    city, state, prefix = dice.choice(CITIES)
    rate = f"{dice.randint(1200, 4899) / 100:.2f}" if dice.random() > 0.02 else ""
    seen = f"2026-{dice.randint(1, 10):02}-{dice.randint(1, 28):02}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
    barred = ";".join(dice.sample(CLIENTS, dice.choice([0, 0, 0, 1, 1, 2])))
    return [
        str(number),
        f"{dice.randint(0, 999999):06}",
        f"{first} {last}",
        f"{first}.{last}.{number}@example.com".lower() if dice.random() > 0.05 else "",
        f"+1-555-{dice.randint(0, 999):03}-{dice.randint(0, 9999):04}",
        city,
        state,
        f"{prefix}{dice.randint(0, 99):02}",
        dice.choice(ROLES),
        dice.choice(SHIFTS),
        rate,
        f"{dice.randint(2012, 2026)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        seen if dice.random() > 0.1 else "",
        dice.choice(["true", "true", "true", "false"]),
        barred,
        f"{dice.uniform(25, 48):.6f}",
        str(dice.randint(0, 60)),
        note(dice),
    ]


def main():
    rows, path = int(sys.argv[1]), sys.argv[2]
    dice = random.Random(20260101)
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(",".join(COLUMNS) + "\n")
        for number in range(1, rows + 1):
            out.write(",".join(map(field, row(dice, number))) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
