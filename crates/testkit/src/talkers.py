"""Serves one real language model twice: through llama.cpp's own server, and behind it over Ollama's API.

Prints both URLs in one line once both listen, then serves until it is killed.
"""

import os
import socket
import sys

# What llama.cpp logs is for nobody.
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

import xllamacpp

settings = xllamacpp.CommonParams()
settings.model.path = sys.argv[1]
settings.hostnames = ["127.0.0.1"]
settings.port = 0
settings.n_ctx = 4096
settings.n_parallel = 1
settings.cpuparams.n_threads = 2
settings.use_jinja = True
settings.warmup = False
# What was asked before must not change how the next answer is computed.
settings.cache_prompt = False
llama = xllamacpp.Server(settings)
openai_url = f"{llama.listening_address}/v1"

# The Ollama side reads its settings when it is imported. It knows a model as `<provider>/<model>`.
os.environ["PROVIDERS_LLAMA_API_KEY"] = "none"
os.environ["PROVIDERS_LLAMA_BASE_URL"] = openai_url
os.environ["EXTRA_MODELS"] = "llama/smollm2"

import uvicorn
from ollama_proxy.server import app

ollama = socket.create_server(("127.0.0.1", 0))
print(openai_url, f"http://127.0.0.1:{ollama.getsockname()[1]}", flush=True)
# What it logs from here on is for nobody either.
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[ollama])
