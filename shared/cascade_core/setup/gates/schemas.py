"""Whether a value is what a JSON schema describes; nothing is fetched for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from cascade_core.files import unique

_KEPT = 128
"""Schemas whose checkers are kept."""
_LONGEST_KEPT = 100_000
"""Characters of the longest of them."""
_DEEP = 50
"""Levels of a value beyond which a check that does not end is the value's fault."""


def read_json(text: str) -> Any:
    """Read a JSON document strictly: no NaN, no Infinity, no key twice.

    Raises:
        ValueError: It is none.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=unique, parse_constant=_refuse)


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value is what a schema describes.

    Args:
        value: What `json.loads` gives; NaN and infinities fit nothing.
        schema: The JSON schema; one that cannot be read is fitted by all values,
            for it is no reason to doubt an answer.
    """
    # Imported on use: most requests carry no schema, and it is not light.
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    except TypeError:  # objects that an integration has made: the schema will tell
        pass
    checker = _checker(schema)
    if checker is None:
        return True
    try:
        return bool(checker.is_valid(value))
    except RecursionError:
        return not _is_deep(value)
    except (OverflowError, ValueError):  # a number that no check can be made with
        return False
    except (re.error, Unresolvable):
        return True
    except Exception:  # noqa: BLE001 - as above
        return True
    except BaseException as error:  # older versions of `rpds` panic where the stack has no room
        if type(error).__name__ != "PanicException":
            raise
        return not _is_deep(value)


def _checker(schema: Mapping[str, Any]) -> Any:
    """Return what checks by a schema, or None; a schema itself is checked once, not per request."""
    try:
        written = json.dumps(schema)
    except (TypeError, ValueError, RecursionError):  # made of objects, or holds itself
        return _made(schema)
    return _made(json.loads(written)) if len(written) > _LONGEST_KEPT else _known(written)


@lru_cache(maxsize=_KEPT)
def _known(written: str) -> Any:
    return _made(json.loads(written))


def _made(schema: Mapping[str, Any]) -> Any:
    from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 - fetches nothing

    try:
        plain = dict(schema)
        kind = validator_for(plain, default=Draft202012Validator)
        kind.check_schema(plain)
        return kind(plain, registry=EMPTY_REGISTRY)
    except Exception:  # noqa: BLE001 - nobody can read it, and that may show in any way
        return None


def _is_deep(value: Any) -> bool:
    """Tell whether a value is nested deeper than `_DEEP` levels."""
    level = [value]
    for _ in range(_DEEP):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, Mapping):
                inner += each.values()
            elif isinstance(each, list | tuple):
                inner += each
        if not inner:
            return False
        level = inner
    return True


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is no JSON"
    raise ValueError(msg)
