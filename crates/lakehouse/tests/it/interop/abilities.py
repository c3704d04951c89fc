"""What a client of the lake's Iceberg catalog may be able to do; each witness proves or disproves every one."""

import json
import sys
import traceback

ABILITIES = [
    "List namespaces and tables",
    "Read columns of every type",
    "Read what was appended, compacted and rolled back here",
    "Read columns that a load added",
    "Read earlier snapshots",
    "Read a table with delete files",
    "Create, change and drop namespaces",
    "Create tables, also from rows",
    "Append rows",
    "Write columns of every type, nested ones too",
    "Replace all rows",
    "Delete rows",
    "Change rows",
    "Write delete files",
    "Add, rename, widen and drop columns",
    "Write partitioned tables",
    "Change how a table is partitioned",
    "Set table properties",
    "Tags and branches",
    "Many changes of a table as one",
    "Many tables as one",
    "Lose a race and try again",
    "Rename tables",
    "Drop tables",
    "Register a table by its metadata",
]


class Witness:
    """Collects the proofs of one client."""

    def __init__(self, client):
        self.client = client
        self.proofs = {}

    def can(self, ability):
        """Marks the proof of an ability. It fails by an exception; it answers a text when the client cannot do it,
        having seen
        that it cannot, and (True, text) when there is something to know."""
        assert ability in ABILITIES and ability not in self.proofs, ability

        def mark(proof):
            self.proofs[ability] = proof
            return proof

        return mark

    def cannot(self, ability, why):
        """States what the client has no words for."""
        self.can(ability)(lambda: why)

    def testify(self):
        """Runs all proofs and prints what came of them. Fails when one of them did."""
        missing = [ability for ability in ABILITIES if ability not in self.proofs]
        assert not missing, f"{self.client} says nothing about {missing}"
        told = [self._prove(ability) for ability in ABILITIES]
        if None in told:
            sys.exit(f"{self.client}: {told.count(None)} proofs failed")
        print(json.dumps({"client": self.client, "abilities": told}))

    def _prove(self, ability):
        try:
            told = self.proofs[ability]()
        except Exception:
            print(f"{self.client}: {ability}: {traceback.format_exc(limit=-4, chain=False)}", file=sys.stderr)
            return None
        works, note = told if isinstance(told, tuple) else (told is None, told)
        return {"ability": ability, "works": works, "note": note}


def expect_refused(kind, words, action):
    """Fails unless the action is refused by an exception of this kind that says these words."""
    try:
        action()
    except kind as error:
        assert words in str(error), f"{words!r} is not in {error}"
        return
    raise AssertionError(f"it was not refused with {words!r}")
