"""The headers of the answer that an error of a client stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HOLDERS = ("response", "raw_response", "http_response", None)
_FIELDS = ("headers", "response_headers", "litellm_response_headers")


def headers_of(error: BaseException) -> Mapping[str, str]:
    """Return the headers that came with a failure, by their names in small letters.

    Args:
        error: What a client raised.
    """
    for holder in _HOLDERS:
        owner: Any = error if holder is None else getattr(error, holder, None)
        if isinstance(owner, Mapping):  # botocore
            found = owner.get("ResponseMetadata", {})
            headers = found.get("HTTPHeaders") if isinstance(found, Mapping) else None
        else:
            headers = next((h for name in _FIELDS if (h := getattr(owner, name, None))), None)
        items = getattr(headers, "items", None)
        if callable(items):
            return {str(name).casefold(): str(value) for name, value in items()}
    return {}
