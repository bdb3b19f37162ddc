"""Everything the project raises.

::

    CascadeError
    ├── CascadeExhausted                        every tier failed; carries each cause
    ├── ConfigurationError (also ValueError)    you set something up in a way that cannot work
    │   ├── FileError                           a file cannot be read or written; says which line
    │   │   └── TableError                      a labelled table does not say what is needed
    │   └── TuningError                         no policy that was asked for can be had
    ├── NothingParsedError                      an answer holds no object of the schema asked for
    ├── FormatError (also ValueError)           an answer is not in the form its prompt asked for
    ├── UnwritableError (also TypeError)        a setting is no plain data, or may be secret
    ├── RepeatedKeyError (also ValueError)      a JSON object has a key twice
    ├── RequestError                            the demo's server cannot serve a request
    ├── ContextLengthError (also ValueError)    a prompt is too long for the demo's models
    └── _ClientGoneError                        the demo's client went away

    CascadeWarning (also UserWarning)           the cascade works, but not as you may expect

The upper part is what callers meet. From `FormatError` on, errors are caught where they are raised
or say why a draft was refused.

No message here quotes a prompt, an answer or a provider's error text: those
may hold personal data or keys. The original exceptions are in `causes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class CascadeError(Exception):
    """Base of every error raised by a cascade."""


class ConfigurationError(CascadeError, ValueError):
    """A cascade, policy or signal was set up in a way that cannot work."""


class CascadeWarning(UserWarning):
    """A cascade runs, but something keeps it from doing what it is for."""


class CascadeExhausted(CascadeError):
    """No tier could give an answer.

    Attributes:
        causes: `(tier label, exception)` for every failure, in order.
        trail: The calls made, paid ones included.
    """

    def __init__(
        self,
        causes: Sequence[tuple[str, BaseException]],
        trail: Sequence[object] = (),
    ) -> None:
        """Name every cause by tier and type, without quoting its text."""
        self.causes = tuple(causes)
        self.trail = tuple(trail)
        listed = "; ".join(f"{tier}: {error_name(error)}" for tier, error in self.causes)
        super().__init__(
            f"no tier of the cascade gave an answer ({listed or 'no tier was called'})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross to another process, as far as its causes can."""
        return type(self), (self.causes, self.trail)


def error_name(error: BaseException) -> str:
    """Name an error by its type and, for HTTP errors, its status; never by its text."""
    status = http_status(error)
    return type(error).__name__ + (f" (HTTP {status})" if status else "")


def http_status(error: BaseException) -> int | None:
    """Return the HTTP status a client's exception carries, or None."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def refuses_logprobs(error: BaseException) -> bool:
    """Tell whether a provider refused the request because it asked for logprobs.

    Reasoning models do: a 4xx answer whose text names the parameter.
    """
    status = http_status(error)
    return status is not None and 400 <= status < 500 and "logprobs" in str(error).lower()  # noqa: PLR2004
