"""Conversations: the embedded language model beside llama.cpp's server on the same file and the same core, answers compared."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import measure
import peers

HERE = pathlib.Path(__file__).resolve().parent
# Tokens of an answer at most.
TOKENS = 64
# Both compute with bytes and round at other places: so many answers of six begin with the same word, at least.
ALIKE = 5
QUESTIONS = ["Say hello to the bakers.", "What is the capital of France?", "Write a short story about a welder in Toledo.",
             "List three fruits and their colours.", "Explain what a database index is.", "We need two bakers."]
# About a thousand tokens.
LONG = ["Here are notes about workers. " + "Ann welds in Toledo, and Bob bakes in Lima on Sundays. " * 70 + "What does Ann do?"] * 3


def parts():
    """A Python that has llama.cpp's server, and the model's file."""
    script = HERE.parent / "scripts" / "parts" / "language.sh"
    python, model = subprocess.run([script], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return python, pathlib.Path(model)


def rates(answers):
    """Tokens a second: of the conversations, and of the answers after their first token."""
    read = sum(one["usage"]["prompt_tokens"] for one in answers) / sum(one["first_seconds"] for one in answers)
    said = sum(one["usage"]["completion_tokens"] - 1 for one in answers) / sum(one["rest_seconds"] for one in answers)
    return read, said


def check(ours, theirs):
    """Both read as many tokens, and begin alike."""
    for mine, other in zip(ours, theirs):
        if mine["usage"]["prompt_tokens"] != other["usage"]["prompt_tokens"]:
            raise SystemExit(f"the conversations have other tokens: {mine['usage']} and {other['usage']}")
    alike = sum(mine["said"].split()[:1] == other["said"].split()[:1] for mine, other in zip(ours, theirs))
    if alike < len(ours) * ALIKE / len(QUESTIONS):
        raise SystemExit(f"only {alike} of {len(ours)} answers begin with the same word")
    return alike


def run(binaries, runs):
    """Measures both sets, interleaved, and returns the table."""
    python, model = parts()
    core = str(max(os.sched_getaffinity(0)))
    os.environ["RAYON_NUM_THREADS"] = "1"
    lines = [f"The best of {runs} runs each, on one core; the likeliest words, {TOKENS} tokens at most. Alike: how many answers begin with the same word.", "",
             "| conversations | engine | reads, tokens/s | ours to it | says, tokens/s | ours to it | alike |", "|---|---|---:|---:|---:|---:|---:|"]
    with tempfile.TemporaryDirectory(dir=peers.cache_directory()) as directory:
        for kind, questions in {"short": QUESTIONS, "1,000 tokens": LONG}.items():
            path = pathlib.Path(directory) / "questions.json"
            path.write_text(json.dumps(questions), encoding="utf-8")
            commands = {"ours": ["taskset", "-c", core, binaries / "examples" / "chat", model.parent, path, TOKENS],
                        "llama.cpp": ["taskset", "-c", core, python, HERE / "chat_peer.py", model, path, TOKENS, 1]}
            best, said = {}, {}
            for number in range(runs):
                order = list(commands.items())
                for name, command in order if number % 2 == 0 else reversed(order):
                    said[name] = json.loads(measure.whole(command)[1])["answers"]
                    found = rates(said[name])
                    print(f"  {kind}, {name}: {found}", file=sys.stderr)
                    best[name] = tuple(map(max, found, best.get(name, found)))
            alike = check(said["ours"], said["llama.cpp"])
            for name, (read, spoken) in best.items():
                ratios = [ours / other for ours, other in zip(best["ours"], (read, spoken))]
                lines.append(f"| {kind} | {name} | {read:.0f} | {ratios[0]:.2f} | {spoken:.0f} | {ratios[1]:.2f} | {alike} of {len(questions)} |")
    return "\n".join(lines)
