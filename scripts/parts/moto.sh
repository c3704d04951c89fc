#!/bin/sh
# Installs the S3 server that tests use and prints the path of its executable.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once; what is fetched is pinned
# by SHA-256 in moto-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv moto
echo "$home/bin/moto_server"
