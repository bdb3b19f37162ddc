"""How reading a text grows with its length: a ratio, which no machine's speed changes.

Regular expressions work inside one call, so calls cannot be counted as `tests.work` does.
"""

import time
from collections.abc import Callable

SHORT, LONG = 12_500, 50_000  # characters


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
    return any(_work(read, long) <= 8 * _work(read, short) for _ in range(20))


def _work(read: Callable[[str], object], text: str) -> float:
    times = []
    for _ in range(3):
        began = time.thread_time()
        read(text)
        times.append(time.thread_time() - began)
    return min(times)
