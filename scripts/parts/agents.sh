#!/bin/sh
# Installs the official Python client of MCP and prints the path of a Python that has it.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once (13 MB); what is fetched is
# pinned by SHA-256 in agents-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv agents
echo "$home/bin/python"
