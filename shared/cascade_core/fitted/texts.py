"""Reads the features of texts, each text once while somebody fits.

A fit asks for the same features for every candidate, fold and curve; serving asks once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

MOST_TEXTS_KEPT = 50_000
"""Texts whose features are kept at most, so that a large table does not fill the memory."""

_Kept: TypeAlias = "dict[tuple[Any, ...], Mapping[Any, float]]"
_kept: ContextVar[_Kept | None] = ContextVar("cascade_texts_read", default=None)


@contextmanager
def texts_read_once() -> Iterator[None]:
    """Keep what is read of texts, as long as this lasts; for the thread or task that asks."""
    if _kept.get() is not None:
        yield
        return
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def read_request(request: str) -> Mapping[str, float]:
    """Return the features of a request's text, imported when first needed."""
    from cascade_core.fitted.features import request_features  # noqa: PLC0415 - few need it

    return _once(request_features, request)


def read_draft(request: str, draft: str) -> Mapping[str, float]:
    """Return the features of a draft's text, imported when first needed."""
    from cascade_core.fitted.features import draft_features  # noqa: PLC0415 - few need it

    return _once(draft_features, request, draft)


def read_words(request: str, buckets: int) -> Mapping[int, float]:
    """Return a request's words as hashed, imported when first needed."""
    from cascade_core.fitted.features import hashed_words  # noqa: PLC0415 - few need it

    return _once(hashed_words, request, buckets)


def _once(read: Callable[..., Mapping[Any, float]], *given: Any) -> Mapping[Any, float]:
    kept = _kept.get()
    if kept is None:
        return read(*given)
    found = kept.get((read, *given))
    if found is None:
        found = read(*given)
        if len(kept) < MOST_TEXTS_KEPT:
            kept[read, *given] = found
    return found
