"""The log-probabilities of the tokens a LlamaIndex model wrote.

`response.raw` is read first, because it has the *written* token's value.
`response.logprobs` comes last: it lists alternatives, likeliest first, and
taking the first of them would make every sampled answer look like the surest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse, LogProb

from cascade_core.integrations.answers import Said
from cascade_core.integrations.fields import field
from cascade_core.logprobs import Logprobs, read_logprobs


def whole_logprobs(
    response: ChatResponse | CompletionResponse, text: str, said: Said
) -> Logprobs | None:
    """Read the log-probabilities of a whole answer.

    Args:
        response: The answer. The last response of a stream has the whole text
            but only its own tokens' log-probabilities: it gives None. Gather
            those of a stream from its chunks.
        text: Its text.
        said: What its provider says.

    Returns:
        One value a token, or None where the answer has none.
    """
    if response.delta is not None and response.delta != text:
        return None
    found = read_logprobs(said.logprobs)
    if found is None:
        found = read_logprobs(response.additional_kwargs.get("logprobs"))
    if found is None and response.logprobs:
        found = read_logprobs(_written(response.logprobs, text))
    return found


def _written(logprobs: Sequence[Any], text: str) -> Sequence[Any]:
    """Find the written tokens in `response.logprobs`, which has three shapes.

    - a list of tokens (Aleph Alpha): these were written
    - one list of tokens for each choice (mistral-rs): told by its one choice
      that spells the text; these were written
    - one list of alternatives for each token (all others)
    """
    if not isinstance(logprobs[0], list | tuple):
        return logprobs
    if len(logprobs) == 1 and len(logprobs[0]) > 1:
        spelled = "".join(str(field(token, "token") or "") for token in logprobs[0])
        if spelled.strip() == text.strip():
            return logprobs[0]
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
                "bytes": None if written is None else written.bytes,
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
