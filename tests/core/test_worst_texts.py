"""Whatever an answer is made of, it is read in time proportional to its length.

Each reader gets processor time for each text, many times what it needs, in a process that the
system ends when that is used up: regular expressions can be stopped in no other way.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from cascade_core.costs.tokens import count_tokens
from cascade_core.draft import Draft
from cascade_core.fitted.features import draft_features
from cascade_core.refusals import refuses
from cascade_core.request import Request, ToolSpec, Turn
from cascade_core.setup.gates import DEFAULT_GATES
from cascade_core.signals import Grounding
from cascade_core.signals.agreement import comparer
from cascade_core.signals.letters import parse_label
from cascade_core.signals.verbal import stated_probability
from cascade_core.tier import Tier

SECONDS = 15
MEGABYTE, SOME = 1_000_000, 100_000
PIECES = {
    "newlines": "\n",
    "spaces": " ",
    "a word": "a",
    "digits": "1",
    "sums": "1=",
    "quotes": '"',
    "brackets": "[{(",
    "marks that combine": "a\u0301\u0323",
    "thoughts": "<think>",
    "backticks": "`",
    "emoji": "\U0001f44d\U0001f3fd",
    "actions": "Action: ",
    "negations": "I cannot ",
}
STARTS = ("", "```\n", "Action: ", "<tool_call>")
TOOLS = (ToolSpec("look_up", {"type": "object"}),)
ASKED = Request((Turn("user", "When?"),), tools=TOOLS, contexts=("It leaves on Monday.",))
FORMED = Request((Turn("user", "When?"),), output_schema={"type": "object"})
TIER = Tier(0, "small")


def gates(text: str) -> None:
    for gate in DEFAULT_GATES:
        for request in (ASKED, FORMED):
            gate.passes(request, Draft(text))


def grounding(text: str) -> None:
    list(Grounding().measure(ASKED, Draft(text), TIER))
    list(Grounding().measure(ASKED, Draft("It leaves on Monday.", contexts=(text,)), TIER))


def agreement(text: str) -> None:
    for kind in ("exact", "numeric", "text", "auto"):
        comparer(kind)(Draft(text), Draft(f"{text[:-1]}."))


READERS: dict[str, tuple[Callable[[str], object], int]] = {
    "gates": (gates, MEGABYTE),
    "refusals": (refuses, MEGABYTE),
    "a judge's letter": (parse_label, MEGABYTE),
    "a stated probability": (stated_probability, MEGABYTE),
    "features": (lambda text: draft_features("When?", text), MEGABYTE),
    "tokens": (lambda text: count_tokens(text, "gpt-4o"), SOME),
    "grounding": (grounding, SOME),
    "agreement": (agreement, SOME),
}


def texts(length: int, starts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, piece in PIECES.items():
        for start in starts:
            yield f"{name} after {start!r}", start + piece * (length // len(piece))


def read_all() -> None:
    """Have a fork read every text for each reader, and say what came of it."""
    for reader in READERS:
        sys.stdout.write(f"{reader}\n")
        sys.stdout.flush()
        child = os.fork()
        if not child:
            read(reader)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def read(reader: str) -> None:
    """Read every text, and say which one before."""
    do, length = READERS[reader]
    do("The parcel leaves on Monday.")  # imports
    for name, text in texts(length, STARTS if reader == "gates" else ("",)):
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (spent + SECONDS, hard))
        do(text)


@pytest.fixture(scope="module")
def said():
    """What a process said that read them all: of each reader its texts, and how it ended."""
    code = "from tests.core.test_worst_texts import read_all; read_all()"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    found, reader = {}, ""
    for line in done.stdout.splitlines():
        reader = line if line in READERS else reader
        found.setdefault(reader, []).append(line)
    return found


@pytest.mark.simulation
@pytest.mark.parametrize("reader", READERS)
def test_no_text_is_read_in_more_than_linear_time(said, reader):
    assert len(said[reader]) > len(PIECES)
    assert said[reader][-1] == "0", f"ended by {said[reader][-1]} at {said[reader][-2]}"
