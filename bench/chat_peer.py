"""Answers a JSON list of questions with llama.cpp's own server, each with the likeliest words, and prints what it took.

    python chat_peer.py MODEL.gguf QUESTIONS.json TOKENS THREADS
"""
import json
import os
import sys
import urllib.request

# What llama.cpp logs goes to both.
OUT = os.dup(1)
for number in (1, 2):
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)

import xllamacpp


def answer(url, question, tokens):
    """The answer to one question, with llama.cpp's own clock."""
    body = {"model": "smollm2", "messages": [{"role": "user", "content": question}], "temperature": 0, "max_tokens": tokens}
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        told = json.load(response)
    timings, choice = told["timings"], told["choices"][0]
    return {"said": choice["message"]["content"], "why": choice["finish_reason"], "usage": told["usage"],
            "first_seconds": timings["prompt_ms"] / 1e3, "rest_seconds": timings["predicted_ms"] / 1e3}


def main():
    model, questions, tokens, threads = sys.argv[1:]
    settings = xllamacpp.CommonParams()
    settings.model.path = model
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_ctx = 4096
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = int(threads)
    settings.use_jinja = True
    settings.cache_prompt = False
    server = xllamacpp.Server(settings)
    url = f"{server.listening_address}/v1/chat/completions"
    with open(questions, encoding="utf-8") as file:
        answers = [answer(url, question, int(tokens)) for question in json.load(file)]
    os.write(OUT, json.dumps({"answers": answers}).encode())
    # Its threads do not end by themselves.
    os._exit(0)


if __name__ == "__main__":
    main()
