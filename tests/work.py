"""How much work something is, counted and not timed: no other program and no machine changes it."""

from __future__ import annotations

import sys
from collections.abc import Callable


def calls_made(do: Callable[[], object]) -> int:
    """Count the calls of functions, Python's and built-in ones, that doing something takes."""
    count = 0

    def count_call(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        do()
    finally:
        sys.setprofile(before)
    return count
