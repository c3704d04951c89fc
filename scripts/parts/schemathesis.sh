#!/bin/sh
# Installs Schemathesis, which makes requests out of a description of an API, and prints the path of a Python that has it.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once (12 MB); what is fetched is
# pinned by SHA-256 in schemathesis-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv schemathesis
echo "$home/bin/python"
