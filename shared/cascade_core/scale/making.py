"""What a worker makes of the function that it was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cascade_core.errors import ConfigurationError, error_name

Made = TypeVar("Made")


def make_with(make: Callable[[], Made], what: str) -> Made:
    """Call a caller's function that makes what rows are asked of.

    Args:
        make: The function.
        what: What it makes, in words.

    Raises:
        ConfigurationError: It raised.
    """
    try:
        return make()
    except ConfigurationError:
        raise
    except Exception as error:
        msg = f"the function that makes the {what} raised {error_name(error)}"
        raise ConfigurationError(msg) from error
