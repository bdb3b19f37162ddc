"""What it takes to ask a decision model about a draft, beside a chat model as the judge.

    python tests/benchmarks/decisions.py [--rounds 200] [--json]

Both are asked over HTTP about the same drafts, by a server on this machine that answers at once:
what is compared is what is sent and the way there, not how fast anybody's model is. Characters
stand for tokens; what a chat model bills besides (one token for its letter) is not in them.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median, stdev
from time import perf_counter
from typing import Any

import httpx
from langchain_core.decisions import BaseDecisionModel, ClassifierResponse
from langchain_openai import ChatOpenAI
from rich.console import Console
from rich.table import Table

from cascade_core import collect_decisions
from cascade_core.signals import Judge
from cascade_demo.desk import tickets
from langchain_cascade import ChatCascade


class Handler(BaseHTTPRequestHandler):
    """Answers chat completions and decisions, and keeps how long each question was."""

    protocol_version = "HTTP/1.1"
    sent: dict[str, list[int]]

    def do_POST(self) -> None:
        """Answer."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "questions" in body:
            (name,) = body["questions"]
            texts = [body["state"], body["questions"]]
            self.sent["decision"].append(sum(len(json.dumps(text)) for text in texts))
            answer: Any = {
                "model": "decider",
                "answers": {name: {"type": "noul", "noul": 0.9}},
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
        else:
            texts = [message["content"] for message in body["messages"]]
            self.sent["chat"].append(sum(map(len, texts)))
            message = {"role": "assistant", "content": "A"}
            logprob = {"token": "A", "logprob": -0.1, "top_logprobs": []}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "chatter",
                "choices": [{**choice, "logprobs": {"content": [logprob]}}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        written = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Decider(BaseDecisionModel):
    """Asks the server by a client that it keeps, as integrations do."""

    client: Any

    @property
    def _provider(self) -> str:
        return "here"

    def _classify(self, state: Any, questions: Any) -> ClassifierResponse:
        asked = {name: question.model_dump() for name, question in questions.items()}
        got = self.client.post("/decide", json={"state": state, "questions": asked})
        return ClassifierResponse.model_validate(got.json())


def measure(url: str, rounds: int, sent: dict[str, list[int]]) -> dict[str, dict[str, float]]:
    """Ask both about the desk's drafts in turn, and return what each took."""
    chat = ChatOpenAI(model="chatter", base_url=url, api_key="k", max_tokens=1)  # type: ignore[arg-type, call-arg]
    judges = {"chat": chat, "decision": Decider(model="decider", client=httpx.Client(base_url=url))}
    cascades = {
        name: ChatCascade.from_models(
            "demo:desk-small", "demo:desk-large", signals=[Judge(judge)], thresholds=0.5
        )
        for name, judge in judges.items()
    }
    times: dict[str, list[float]] = {name: [] for name in judges}
    asked = [ticket.text for ticket in tickets("test", rounds + 5)]
    for place, ticket in enumerate(asked):
        for name, cascade in cascades.items():
            with collect_decisions() as seen:
                cascade.invoke(ticket)
            judged = next(call for call in seen[-1]["calls"] if call["purpose"] == "judge")
            if place >= 5:  # the first ones open connections
                times[name].append(judged["latency_ms"])
    return {
        name: {
            "calls": len(sent[name]) / len(asked),
            "characters": median(sent[name]),
            "ms": median(times[name]),
            "spread": stdev(times[name]) / len(times[name]) ** 0.5,
        }
        for name in judges
    }


def main() -> int:
    """Print one table, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    Handler.sent = {"chat": [], "decision": []}
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        began = perf_counter()
        found = measure(f"http://127.0.0.1:{server.server_port}", asked.rounds, Handler.sent)
        took = perf_counter() - began
        server.shutdown()
    if asked.json:
        json.dump(found, sys.stdout, indent=1)
        return 0
    grid = Table(title=f"{asked.rounds} drafts, {took:.0f} s")
    for column in ("judge", "calls a draft", "characters sent", "ms a call"):
        grid.add_column(column)
    for name, row in found.items():
        ms = f"{row['ms']:.2f} ± {row['spread']:.2f}"
        grid.add_row(name, f"{row['calls']:.2f}", f"{row['characters']:.0f}", ms)
    chat, decision = found["chat"], found["decision"]
    shares = [f"{decision[key] / chat[key]:.2f}" for key in ("calls", "characters", "ms")]
    grid.add_row("decision ÷ chat", *shares)
    Console(width=100).print(grid)
    return 0


if __name__ == "__main__":
    sys.exit(main())
