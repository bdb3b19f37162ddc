"""Redacts texts and cuts tags and metadata short: what a record keeps of a caller's own words."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any, TypeAlias
from uuid import UUID

from cascade_core.errors import ConfigurationError

Redact: TypeAlias = Callable[[str], str]
"""Takes out of a text what must not be kept."""

MOST = 64
"""Tags, keys of metadata, and entries within one of its values that are kept."""
MOST_CHARACTERS = 500
"""Characters of a tag, a name, or a text in metadata that are kept."""
NESTED_LEVELS = 4
"""Levels of a value in metadata that are kept."""

_CUT = "…"


def cut(text: str) -> str:
    """Return a text, or its beginning where it is long."""
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + _CUT


def kept_tags(tags: Sequence[Any]) -> list[str]:
    """Return a request's tags as a record keeps them."""
    return [cut(str(tag)) for tag in tags[:MOST]]


def kept_metadata(metadata: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Return what a record keeps of a request's metadata.

    Args:
        metadata: The caller's.
        keys: Which of it are kept.

    Returns:
        Plain JSON: what is none is kept as text where it is one value (an id, a time, an amount),
        else only its type is named.
    """
    return {cut(key): _plain(metadata[key], 0, [MOST]) for key in keys if key in metadata}


def _plain(value: Any, depth: int, left: list[int]) -> Any:
    """Return a value as plain JSON; `left` counts down how many entries are still kept."""
    left[0] -= 1
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, depth, left)
    if isinstance(value, str):
        return cut(str(value))
    if isinstance(value, Integral):
        number = int(value)
        return number if -_SAFE <= number <= _SAFE else cut(str(number))
    if isinstance(value, Real):
        share = float(value)
        return share if math.isfinite(share) else str(share)
    if isinstance(value, UUID | date | Decimal | PurePath):
        return cut(str(value))
    if depth < NESTED_LEVELS and isinstance(value, Mapping):
        return {
            cut(str(key)): _plain(each, depth + 1, left)
            for key, each in value.items()
            if left[0] > 0
        }
    if depth < NESTED_LEVELS and isinstance(value, list | tuple | AbstractSet):
        return [_plain(each, depth + 1, left) for each in value if left[0] > 0]
    return f"<{type(value).__name__}>"


_SAFE = 2**63 - 1
"""The largest whole number that databases keep as one."""


def check_keys(given: Any) -> tuple[str, ...]:
    """Read the setting `log_metadata=`.

    Raises:
        ConfigurationError: It is no list of names.
    """
    several = isinstance(given, list | tuple | AbstractSet)
    if not several or not all(isinstance(each, str) for each in given):
        msg = f'log_metadata= takes a list of keys, such as ["tenant"], not {type(given).__name__}'
        raise ConfigurationError(msg)
    if len(given) > MOST:
        msg = f"log_metadata= takes {MOST} keys at the most, not {len(given)}"
        raise ConfigurationError(msg)
    return tuple(given)


def check_redact(given: Any) -> Redact | None:
    """Read the setting `redact=`.

    Raises:
        ConfigurationError: It cannot be called with a text, or is a coroutine function.
    """
    if given is not None and not callable(given):
        msg = f"redact= takes a function (text) -> text, not {type(given).__name__}"
        raise ConfigurationError(msg)
    if inspect.iscoroutinefunction(given):
        msg = "redact= takes a plain function (text) -> text, not a coroutine function"
        raise ConfigurationError(msg)
    redact: Redact | None = given
    return redact


_redacting: ContextVar[bool] = ContextVar("redacting", default=False)


def redacted(redact: Redact | None, texts: Sequence[str]) -> list[str] | None:
    """Return texts without what must not be kept; None where that could not be taken out."""
    if redact is None:
        return list(texts)
    if _redacting.get():  # it asks a cascade that redacts: that would never end
        return None
    token = _redacting.set(True)
    try:
        found = [redact(text) for text in texts]
    except Exception:  # noqa: BLE001 - a caller's function may raise anything
        return None
    finally:
        _redacting.reset(token)
    return found if all(isinstance(text, str) for text in found) else None
