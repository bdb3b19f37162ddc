"""What a cascade adds to a call, beside LangChain's own fallbacks, in one run.

    python tests/benchmarks/overhead.py [--rounds 60] [--strict]

Each round times both sides in turn on the same fake models, so that a busy
moment slows both; the ratio is taken round by round and its median printed.
Time is CPU time of this process: nothing here waits for anything.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from rich.console import Console
from rich.table import Table

from langchain_cascade import ChatCascade

BAR = 1.15
IMPORT_BAR = 1.1
TOKENS = 20
CALLS = 60


class Fake(BaseChatModel):
    """Answers at once, with the details a real integration sends."""

    model: str
    logprob: float = -0.01
    fails: bool = False
    detailed: bool = True
    logprobs: bool | None = None

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        if self.fails:
            raise TimeoutError
        return ChatResult(generations=[ChatGeneration(message=self._message())])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        return self._generate(messages)

    def _message(self) -> AIMessage:
        if not self.detailed:
            return AIMessage("Your order ships on Monday.")
        entries = [
            {"token": "word", "logprob": self.logprob, "bytes": [119], "top_logprobs": []}
            for _ in range(TOKENS)
        ]
        return AIMessage(
            "word" * TOKENS,
            response_metadata={
                "model_name": self.model,
                "finish_reason": "stop",
                "logprobs": {"content": entries, "refusal": None},
            },
            usage_metadata={"input_tokens": 120, "output_tokens": TOKENS, "total_tokens": 140},
        )


def pairs(*, full: bool) -> dict[str, tuple[Any, Any]]:
    """Return what is compared: a cascade and LangChain's fallbacks, by case."""
    more: dict[str, Any] = {"detailed": full}
    # Only a priced model has costs to work out, and only a known one tokens to count.
    names = ("gpt-4o-mini", "gpt-4o") if full else ("small", "large")

    def cascade(logprob: float, reading: float) -> ChatCascade:
        tiers = [
            Fake(model=names[0], logprob=logprob, **more),
            Fake(model=names[1], **more),
        ]
        signals = None if full else [lambda _request, _draft: reading]
        return ChatCascade(tiers=tiers, signals=signals)

    def fallbacks(*, fails: bool) -> Any:
        cheap = Fake(model=names[0], fails=fails, **more)
        return cheap.with_fallbacks([Fake(model=names[1], **more)])

    return {
        "accept": (cascade(-0.01, 1.0), fallbacks(fails=False)),
        "escalate": (cascade(-3.0, 0.0), fallbacks(fails=True)),
    }


def sync_calls(model: Any) -> Callable[[], float]:
    """Return a function that times some calls, in seconds."""

    def timed() -> float:
        started = process_time()
        for _ in range(CALLS):
            model.invoke("Where is my order?")
        return process_time() - started

    return timed


def async_calls(model: Any, loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """Return a function that times some awaited calls, in seconds."""

    async def calls() -> float:
        started = process_time()
        for _ in range(CALLS):
            await model.ainvoke("Where is my order?")
        return process_time() - started

    return lambda: loop.run_until_complete(calls())


def compare(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> tuple[float, float, float]:
    """Return the median ratio, and the fastest round of each side in µs a call."""
    ours(), theirs()
    ratios, mine, other = [], [], []
    for number in range(rounds):
        gc.collect()
        if number % 2:  # whoever goes second finds warmer caches: take turns
            b = theirs()
            a = ours()
        else:
            a = ours()
            b = theirs()
        ratios.append(a / b)
        mine.append(a)
        other.append(b)
    scale = 1_000_000 / CALLS
    return median(ratios), min(mine) * scale, min(other) * scale


def import_ratio(rounds: int = 15) -> tuple[float, float, float]:
    """Return the median ratio of import times, and the fastest of each in ms."""
    base = "import langchain_core.language_models.chat_models"
    ratios, mine, other = [], [], []
    _import_seconds("import langchain_cascade")  # writes the bytecode
    for _ in range(rounds):
        a, b = _import_seconds("import langchain_cascade"), _import_seconds(base)
        ratios.append(a / b)
        mine.append(a)
        other.append(b)
    return median(ratios), min(mine) * 1000, min(other) * 1000


def _import_seconds(statement: str) -> float:
    """Return what an import takes in a fresh process, in CPU seconds.

    With bytecode, as installed packages have it: pip compiles what it installs.
    """
    code = f"from time import process_time as t; s = t(); {statement}; print(t() - s)"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return float(ran.stdout)


def main() -> int:
    """Print the ratios; with --strict, fail where one is over its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--strict", action="store_true")
    arguments = parser.parse_args()
    table = Table(title="beside with_fallbacks", title_justify="left")
    for heading in ("case", "ratio", "bar", "cascade, µs", "fallbacks, µs"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    over = False
    loop = asyncio.new_event_loop()
    for name, full in (("trivial signal", False), ("logprobs, prices, trail", True)):
        for case, (ours, theirs) in pairs(full=full).items():
            for kind, timer in (
                ("sync", sync_calls),
                ("async", lambda model: async_calls(model, loop)),
            ):
                ratio, mine, other = compare(timer(ours), timer(theirs), arguments.rounds)
                over |= ratio > BAR
                table.add_row(
                    f"{name}: {case}, {kind}", f"{ratio:.3f}", f"{BAR}", f"{mine:.0f}", f"{other:.0f}"
                )  # fmt: skip
    loop.close()
    ratio, mine, other = import_ratio()
    over |= ratio > IMPORT_BAR
    table.add_row("import (ms)", f"{ratio:.3f}", f"{IMPORT_BAR}", f"{mine:.0f}", f"{other:.0f}")
    Console().print(table)
    return int(over and arguments.strict)


if __name__ == "__main__":
    sys.exit(main())
