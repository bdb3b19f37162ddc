"""What answers in the place of a draft that is handed off: `on_handoff=`, read and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.frozen import frozen
from cascade_core.likeness import likeness
from cascade_core.tier import Tier


@frozen
class OnHandoff:
    """What answers in the place of a draft that is handed off: a model, or a function.

    Attributes:
        name: What records call it.
        tier: A model, chain or engine, made ready as the cascade's tiers are.
        function: A function `(request, draft)`, plain or async.
    """

    name: str
    tier: Tier | None = None
    function: Callable[..., Any] | None = None

    @property
    def identity(self) -> object:
        """What tells it from another, as far as plain JSON can."""
        if self.tier is not None:
            return self.name if self.tier.setup is None else str(self.tier.setup())
        return likeness(self.function)


def read_handler(given: Any, make: Callable[[Any], Tier | None], kinds: str) -> OnHandoff | None:
    """Read `on_handoff=`.

    Args:
        given: The setting.
        make: Makes a tier of what the cascade could have as one; None where it could not.
        kinds: What that is, for the error.

    Raises:
        ConfigurationError: It is neither that nor a function of a request and a draft.
    """
    if given is None:
        return None
    tier = make(given)
    if tier is not None:
        return OnHandoff(tier.model or type(given).__name__, tier=tier)
    if not callable(given) or isinstance(given, type):
        msg = (
            f"on_handoff= takes {kinds}, or a function (request, draft), "
            f"not {getattr(given, '__name__', type(given).__name__)}"
        )
        raise ConfigurationError(msg)
    name = getattr(given, "__name__", type(given).__name__)
    if not _takes_two(given):
        msg = f"on_handoff={name}: it is called with two arguments, (request, draft)"
        raise ConfigurationError(msg)
    return OnHandoff(name, function=given)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # a function without a signature
        return True
    return True
