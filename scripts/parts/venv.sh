# Sourced by the scripts beside it: `venv NAME` installs NAME-requirements.txt into a virtual environment, once, and
# sets $home to its directory; `place NAME` sets $home alone.
#
# It is kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts), by the hash of what it was made from; what is
# fetched is pinned by SHA-256 in the requirements.

place() {
    requirements="$(dirname "$0")/$1-requirements.txt"
    parts="${LAKEHOUSE_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/lakehouse/parts}"
    pinned="$(sha256sum "$requirements" | cut -c 1-12)"
    home="$parts/$1-$pinned"
}

venv() {
    place "$1"
    if [ -f "$home/complete" ]; then
        return
    fi
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
}
