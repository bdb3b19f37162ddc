"""Where a user's turn begins in a conversation, which steps it has, and by what they are known.

A step is an answer of a model that its agent goes on from: tool calls and their results follow,
or in a text agent's prompt an observation. Its message may carry the decision's record. Where the
agent has made it anew, it is known by the ids of its tool calls, and by what was said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from cascade_core.request import ToolCall, Turn

_OBSERVED = "Observation:"
_NO_WORD = re.compile(r"[\W_]+")
_LONG_ID = 16


def turn_start(turns: Sequence[Turn], *, in_text: bool) -> int:
    """Return the place behind the user's last message.

    Args:
        turns: The conversation.
        in_text: Whether an agent acts by texts: what its tools return then stands in
            messages of the user's.
    """
    for place in range(len(turns) - 1, -1, -1):
        turn = turns[place]
        if turn.role == "user" and not (in_text and _is_observation(turns, place)):
            return place + 1
    return 0


def _is_observation(turns: Sequence[Turn], place: int) -> bool:
    said = turns[place].text.lstrip().startswith(_OBSERVED)
    return said and place > 0 and turns[place - 1].role == "assistant"


def step_keys(
    turns: Sequence[Turn], place: int, said: str, calls: Sequence[ToolCall], thread: str | None
) -> Iterator[bytes]:
    """Yield the keys of an answer, the surest first.

    Args:
        turns: The conversation that it belongs to.
        place: How many of its messages came before the answer.
        said: The answer's text.
        calls: The tools that it calls.
        thread: The conversation's name, where the caller gave one.
    """
    ids = [call.id for call in calls if call.id and call.id != call.name]
    named = " ".join(ids or [call.name for call in calls])
    before = _hashed(thread, *_texts(turns[:place]))
    yield _hashed("answer", before, named, _letters(said))
    if ids:
        if all(map(_is_unique, ids)):
            yield _hashed("ids", thread, *ids)
        question = next((t.text for t in reversed(turns[:place]) if t.role == "user"), "")
        yield _hashed("question", thread, question, *ids)
    else:
        yield _hashed("before", before)


def thread_key(thread: str) -> bytes:
    """Return the key of a conversation that the caller named."""
    return _hashed("thread", thread)


def said_key(turns: Sequence[Turn], place: int, said: str) -> bytes:
    """Return the key of a conversation by its last answer, and by all that was said before it."""
    return _hashed("talk", *_texts(turns[:place]), _letters(said))


def _texts(turns: Sequence[Turn]) -> Iterator[str]:
    for turn in turns:
        if turn.role != "system":  # agents put the time into it, or what they have found out
            yield turn.role
            yield turn.text


def _letters(text: str) -> str:
    """Return what stays of a text where an agent writes it anew from what it has read in it."""
    return _NO_WORD.sub("", text).casefold()


def _is_unique(call_id: str) -> bool:
    """Tell whether an id can be taken for one that no other call has."""
    return len(call_id) >= _LONG_ID and call_id.replace("-", "").replace("_", "").isalnum()


def _hashed(*parts: str | bytes | None) -> bytes:
    made = blake2b(digest_size=16)
    for part in parts:
        spelled = part.encode(errors="replace") if isinstance(part, str) else part or b""
        made.update(len(spelled).to_bytes(8, "big"))
        made.update(spelled)
    return made.digest()
