#!/bin/sh
# Installs Sail, an engine that speaks Spark's SQL and that tests use as a witness, with its client, and prints the path
# of a Python that has them. `sail.sh present` installs nothing: it fails when they are not there.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once, 600 MB when unpacked; what is
# fetched is pinned by SHA-256 in sail-requirements.txt and sail-client-requirements.txt. Needs python3 (3.11 to 3.13)
# on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

place sail
client="$(dirname "$0")/sail-client-requirements.txt"
whole="$home/client-$(sha256sum "$client" | cut -c 1-12)"
if [ "${1:-}" = present ] && [ ! -f "$whole" ]; then
    echo "Sail is not installed: scripts/parts/sail.sh fetches it, 600 MB" >&2
    exit 1
fi
venv sail
# The client is published as source, which is built with what was installed before.
exec 9>"$home.lock"
flock 9
if [ ! -f "$whole" ]; then
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --timeout 10 --retries 1 \
        --no-build-isolation --no-deps --require-hashes --requirement "$client" >&2
    touch "$whole"
fi
echo "$home/bin/python"
