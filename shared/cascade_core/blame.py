"""Whether a provider refused a request because it asked for log-probabilities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from cascade_core.errors import http_status


def refuses_logprobs(error: BaseException) -> bool:
    """Tell whether a provider may have refused a request because it asked for logprobs.

    Reasoning models do: a 4xx answer whose text names the parameter. But so does one that
    quotes a prompt, or the whole request; whether the same succeeds without tells.
    """
    status = http_status(error)
    if status is None or not 400 <= status < 500 or status in _PASSING:  # noqa: PLR2004
        return False
    return "logprobs" in str(error).lower()


def logprobs_blamed(error: BaseException) -> Literal["clearly", "somewhere"] | None:
    """Tell how clearly a provider blames the parameter for logprobs.

    Returns:
        "clearly" where it names the parameter in a field of its own or that is all it says,
        "somewhere" where its text says so among other things, which may be a quotation, and
        None where it only mentions the parameter.
    """
    body = getattr(error, "body", None)
    body = body.get("error", body) if isinstance(body, Mapping) else None
    named = [getattr(error, "param", None), body.get("param") if isinstance(body, Mapping) else 0]
    if any(isinstance(param, str) and "logprobs" in param for param in named):
        return "clearly"
    said = body.get("message") if isinstance(body, Mapping) else None
    said = said if isinstance(said, str) else str(error)
    if len(said) < _SHORT and _blaming().match(said.lstrip("`'\"").removeprefix("top_")):
        return "clearly"
    told = str(error).replace("message.output_text.logprobs", "logprobs")
    return "somewhere" if _blaming().search(told) else None


_SHORT = 200
"""Characters of a message that says one thing, and quotes nothing."""

_PASSING = frozenset({408, 409, 425, 429})
"""Statuses of requests that may succeed as they are, a moment later."""


@cache
def _blaming() -> re.Pattern[str]:
    return re.compile(_BLAMING, re.IGNORECASE)


_NOT_TAKEN = (
    r"(?:\bnot?|n['’]t|\bun|\bnever|\bcannot be|\bdisallow|\bforbid)\W{0,2}\w{0,12}\s{0,2}"
    r"(?:support|allow|permit|recogni[sz]|know|expect|accept|enabl|available|implement|valid|used)"
)
_BLAMING = (
    rf"logprobs[^.\n]{{0,40}}?{_NOT_TAKEN}"
    rf"|{_NOT_TAKEN}[^.\n]{{0,60}}logprobs"
    r"|logprobs\W{1,4}(?:extra|unknown|unexpected|unsupported|invalid)"
    r"|(?:extra|unknown|unexpected|unrecogni[sz]ed|invalid)\s[^.\n]{0,30}logprobs"
    r"|['\"](?:param|loc)['\"]:\s*[(\[]?(?:['\"]body['\"],\s*)?['\"](?:top_)?logprobs"
)
