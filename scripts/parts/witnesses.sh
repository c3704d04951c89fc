#!/bin/sh
# Installs the readers and writers of Iceberg that tests use as witnesses (PyIceberg; DuckDB with its extensions) and
# prints the path of a Python that has them.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once; what is fetched is pinned
# by SHA-256 in witnesses-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64 Linux.
set -eu

requirements="$(dirname "$0")/witnesses-requirements.txt"
parts="${LAKEHOUSE_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/lakehouse/parts}"
pinned="$(sha256sum "$requirements" | cut -c 1-12)"
home="$parts/witnesses-$pinned"

if [ ! -f "$home/complete" ]; then
    mkdir -p "$parts"
    # Several test programs may ask at once: one installs, the others wait.
    exec 9>"$home.lock"
    flock 9
    if [ ! -f "$home/complete" ]; then
        rm -rf "$home"
        python3 -m venv "$home" >&2
        "$home/bin/python" -m pip install --quiet --disable-pip-version-check --timeout 10 --retries 1 \
            --only-binary :all: --no-deps --require-hashes --requirement "$requirements" >&2
        touch "$home/complete"
    fi
fi
echo "$home/bin/python"
