"""How reading a text grows with its length: a ratio, which no machine's speed changes.

Regular expressions work inside one call, so calls cannot be counted as `tests.work` does.
"""

import time
from collections.abc import Callable

SHORT, LONG = 8_000, 32_000  # characters


def in_proportion(
    read: Callable[[str], object],
    start: str,
    piece: str,
    end: str,
    *,
    lengths: tuple[int, int] = (SHORT, LONG),
) -> bool:
    """Tell whether four times the text takes about four times the work, and not sixteen times.

    Only this thread's processor time counts; an attempt that something disturbed is repeated, until
    one is not: work that grows too fast does so every time.
    """
    short, long = (start + piece * (n // len(piece)) + end for n in lengths)
    return any(_work(read, long) <= 8 * min(_works(read, short)) for _ in range(20))


def _works(read: Callable[[str], object], text: str) -> list[float]:
    """Measure thrice: a short text that seemed much work would let too much pass."""
    return [_work(read, text) for _ in range(3)]


def _work(read: Callable[[str], object], text: str) -> float:
    began = time.thread_time()
    read(text)
    return time.thread_time() - began
