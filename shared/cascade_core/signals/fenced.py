"""What others have written, shown to a model that is to judge it and not to follow it.

What is judged may try to talk to the judge. It stands between marker lines that carry an id which
occurs nowhere in it, so nothing in it can end the fence or pass for another part of it. A model
server that reads control tokens such as `<|im_end|>` out of message text is beyond a fence's reach.

What a judge is asked of it is no subject of this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from cascade_core.request import Request, Turn
from cascade_core.signals.agreement import written

SHORTEST_MAX_CHARS = 1_000
_SHORTEST_PART = 200  # characters; parts are left out rather than cut shorter than this


class Part(NamedTuple):
    """One labelled text inside the fence."""

    label: str
    text: str


def exchange(request: Request) -> list[Part]:
    """Return what came before an answer: its sources, then the turns."""
    parts = [Part(f"source {i}", text) for i, text in enumerate(request.contexts, 1)]
    return [*parts, *(Part(turn.role, _with_unseen(turn)) for turn in request.turns)]


def fenced(parts: Sequence[Part], fence: str, question: str) -> str:
    """Write parts between the markers of a fence, and a question behind it.

    Args:
        parts: What is to be judged.
        fence: An id that occurs in none of them; see `fence_of`.
        question: What is asked.
    """
    lines = [f"=== {fence} BEGIN ==="]
    for part in parts:
        lines += [f"=== {fence} {part.label} ===", part.text]
    return "\n".join([*lines, f"=== {fence} END ===", "", question])


def _with_unseen(turn: Turn) -> str:
    """Return a turn as a judge reads it, who must know of what is not shown."""
    text = written(turn.text, turn.tool_calls)
    notes = [f"[here was {kind} content, which is not shown to you]" for kind in turn.unseen]
    return "\n".join([text, *notes] if text else notes)


def fence_of(parts: Sequence[Part], length: int = 16) -> str:
    """Return an id that occurs in no part, the same for the same parts.

    Args:
        parts: What is to stand in the fence.
        length: Characters of the id, which every part repeats.
    """
    content = "\n".join(part.text for part in parts)
    for_id, folded = content.encode("utf-8", "surrogatepass"), content.casefold()
    fence = sha256(for_id).hexdigest()
    while fence[:length] in folded:
        fence = sha256(fence.encode() + for_id).hexdigest()
    return fence[:length]


def fit(parts: list[Part], max_chars: int) -> list[Part]:
    """Cut the longest parts first; the last, the answer, keeps half of what there is, or more.

    Args:
        parts: What is to be shown.
        max_chars: The most characters of it.
    """
    *rest, answer = parts
    others = sum(len(part.text) for part in rest)
    answer = answer._replace(
        text=cut_in_the_middle(answer.text, max(max_chars // 2, max_chars - others))
    )
    left = max_chars - min(len(parts[-1].text), max_chars // 2)
    most = left // _SHORTEST_PART
    if others > left and len(rest) > most:
        head, tail = most // 2, most - most // 2
        gap = Part("left out", f"{len(rest) - most} parts are not shown")
        rest = [*rest[:head], gap, *rest[-tail:]]
    cap = _cap([len(part.text) for part in rest], left)
    return [*(part._replace(text=cut_in_the_middle(part.text, cap)) for part in rest), answer]


def _cap(lengths: list[int], total: int) -> int:
    """Return the length to cut to so that all lengths together fit."""
    cap = total
    for index, length in enumerate(sorted(lengths)):
        cap = total // (len(lengths) - index)
        if length > cap:
            break
        total -= length
    return cap


def cut_in_the_middle(text: str, length: int) -> str:
    """Cut a text in the middle, and say so."""
    if len(text) <= length:
        return text
    head = length // 2
    tail = text[len(text) - (length - head) :]
    return f"{text[:head]}\n[… {len(text) - length} characters left out …]\n{tail}"
