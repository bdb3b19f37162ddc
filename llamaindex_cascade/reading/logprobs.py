"""The log-probabilities of the tokens a LlamaIndex model wrote.

`response.raw` is read first, because it has the *written* token's value.
`response.logprobs` comes last: it lists alternatives, likeliest first, and
taking the first of them would make every sampled answer look like the surest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

from llama_index.core.base.llms.types import LogProb

from cascade_core.logprobs import Logprobs, read_logprobs
from llamaindex_cascade.reading.raw import Response, each, field, first, text_of


def read_logprobs_of(response: Response) -> Logprobs | None:
    """Read the log-probabilities of a whole answer.

    Args:
        response: The answer. The last response of a stream has the whole text
            but only its own tokens' log-probabilities: it gives None. Gather
            those of a stream with `chunk_logprobs`.

    Returns:
        One value a token, or None where the answer has none.
    """
    text = text_of(response)
    if response.delta is not None and response.delta != text:
        return None
    found = _sent(response.raw)
    if found is None:
        found = read_logprobs(_plain(response.additional_kwargs.get("logprobs")))
    if found is None and response.logprobs:
        found = read_logprobs(_written(response.logprobs, text))
    return found


def chunk_logprobs(chunk: Response) -> Sequence[float]:
    """Read the log-probabilities that one chunk of a stream brought, often none."""
    found = _sent(chunk.raw)
    return () if found is None else found.values


def chunk_tokens(chunk: Response) -> Logprobs | None:
    """Read the same with the alternatives to each token, where they were sent."""
    return _sent(chunk.raw)


def _sent(raw: Any) -> Logprobs | None:
    choice = first(raw, "choices")
    payload = field(raw if choice is None else choice, "logprobs")
    if payload is None and choice is None:
        # OpenAI's Responses API: one list for each part of each message.
        parts = (part for item in each(raw, "output") for part in each(item, "content"))
        payload = [entry for part in parts for entry in each(part, "logprobs")]
    return read_logprobs(_plain(payload)) if payload else None


def _plain(payload: Any) -> object:
    """Return a provider's payload as the dicts and lists that the core reads."""
    if isinstance(payload, list | tuple):
        return [_entry(entry) for entry in payload]
    if field(payload, "token_logprobs"):
        columns = ("tokens", "token_logprobs", "top_logprobs")
        return {name: field(payload, name) for name in columns}
    return [_entry(entry) for entry in each(payload, "content")]


def _entry(entry: Any) -> dict[str, Any]:
    if isinstance(entry, dict):
        return entry
    others = getattr(entry, "top_logprobs", None) or ()
    return {
        "token": getattr(entry, "token", ""),
        "logprob": getattr(entry, "logprob", None),
        "top_logprobs": [
            other
            if isinstance(other, dict)
            else {"token": getattr(other, "token", ""), "logprob": getattr(other, "logprob", None)}
            for other in others
        ],
    }


def _written(logprobs: Sequence[Any], text: str) -> list[dict[str, Any]]:
    """Find the written tokens in `response.logprobs`, which has three shapes.

    - a list of tokens (Aleph Alpha): these were written
    - one list of tokens for each choice (mistral-rs): told by its one choice
      that spells the text; these were written
    - one list of alternatives for each token (all others)
    """
    if not isinstance(logprobs[0], list | tuple):
        return [_entry(token) for token in logprobs]
    if len(logprobs) == 1 and len(logprobs[0]) > 1:
        spelled = "".join(str(field(token, "token") or "") for token in logprobs[0])
        if spelled.strip() == text.strip():
            return [_entry(token) for token in logprobs[0]]
    return _followed(logprobs, text)


def _followed(logprobs: Sequence[Sequence[LogProb]], text: str) -> list[dict[str, Any]]:
    """Tell the written token among alternatives by the text it continues.

    A single alternative is taken as it is: integrations without alternatives
    list the written token there. Of several, the longest that continues the
    text was written. Where none does, what was written is none of the
    likeliest: NaN, which signals read as probability 0, and the text is taken
    up again where the next token's alternatives are found. A provider's end
    marks behind the text are not part of the answer.
    """
    rest = text.encode()
    entries = []
    position = 0
    lost = False
    for found in logprobs:
        if len(found) > 1 and position >= len(rest):
            break
        spellings = [(_spelling(token, rest, position), token) for token in found]
        fits = [
            (start, -len(spelling), token)
            for spelling, token in spellings
            if spelling and (start := _start(rest, spelling, position, lost=lost)) >= 0
        ]
        start, length, written = min(fits, key=lambda fit: fit[:2], default=(position, 0, None))
        position = start - length
        lost = written is None
        if len(found) == 1:
            written = found[0]
        entries.append(
            {
                "token": "" if written is None else written.token,
                "logprob": nan if written is None else written.logprob,
                "top_logprobs": [{"token": a.token, "logprob": a.logprob} for a in found],
            }
        )
    return entries


def _spelling(token: LogProb, rest: bytes, position: int) -> bytes:
    """Return a token's bytes, which may be part of a character only."""
    spelling = bytes(token.bytes) if token.bytes else token.token.encode()
    # Many integrations strip an answer's text, but not its first token.
    return spelling if position or rest[:1].isspace() else spelling.lstrip()


def _start(rest: bytes, spelling: bytes, position: int, *, lost: bool) -> int:
    if lost:  # what was written in between is at least one byte long
        return rest.find(spelling, position + 1)
    return position if rest.startswith(spelling, position) else -1
