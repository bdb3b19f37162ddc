"""Whether a value is what a JSON schema describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value is what a schema describes.

    Args:
        value: What `json.loads` gives.
        schema: The JSON schema.
    """
    # Imported on use: most requests carry no schema, and it is not light.
    from jsonschema.validators import validator_for  # noqa: PLC0415
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 - fetches nothing

    try:
        plain = dict(schema)
        kind = validator_for(plain)
        kind.check_schema(plain)
        return bool(kind(plain, registry=EMPTY_REGISTRY).is_valid(value))
    except Exception:  # noqa: BLE001 - bad pattern, unknown reference, endless recursion, …
        return True  # a caller's schema we cannot read is no reason to doubt the draft
