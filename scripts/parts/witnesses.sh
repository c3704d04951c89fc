#!/bin/sh
# Installs the readers and writers of Iceberg that tests use as witnesses (PyIceberg; DuckDB with its extensions) and
# prints the path of a Python that has them.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once; what is fetched is pinned
# by SHA-256 in witnesses-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv witnesses
echo "$home/bin/python"
