"""What a record says besides numbers, in words: what readings rest on, what was shown early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SUPPORTED = 0.5
_MOST = 50  # statements and sources that are listed


def evidence_in_words(judged: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each signal that has left evidence of statements in a record.

    Args:
        judged: One entry of the record's `judged`, whatever is in it.
    """
    evidence = judged.get("evidence")
    if not isinstance(evidence, Mapping):
        return []
    told = ((name, _statements(found)) for name, found in evidence.items())
    return [f"{name}: {words}" for name, words in told if words]


def committed_in_words(committed: Any) -> str | None:
    """Return what a record says of an answer that was accepted by its first tokens; None for none.

    Args:
        committed: The record's `committed`, whatever is in it.
    """
    if not isinstance(committed, Mapping):
        return None
    tokens, live, error = (committed.get(key) for key in ("tokens", "live", "error"))
    first = f"its first {tokens:,} tokens" if type(tokens) is int else "its first tokens"
    first = "its first token" if tokens == 1 else first
    said = f"Accepted by {first} (early commit)"
    if live is not True:
        return f"{said}; it was whole by then."
    how = "its stream broke" if error == "failed" else f"at its end it failed a gate ({error})"
    after = "" if error is None else f"; {how}, when nothing could take it back"
    return f"{said}, and shown from there on{after}."


def _statements(found: Any) -> str:
    entries = found[:_MOST] if isinstance(found, list) else []
    numbers = [each for each in map(_entry, entries) if each is not None]
    if not numbers:
        return ""
    weak = [f"{n} ({support:.2f})" for n, support, _ in numbers if support < _SUPPORTED]
    cited = sorted({source for _, _, sources in numbers for source in sources})
    words = f"{len(numbers) - len(weak)} of {len(numbers)} statements supported"
    if weak:
        words += f"; not supported: {', '.join(weak)}"
    return words + (f"; texts cited: {', '.join(map(str, cited[:_MOST]))}" if cited else "")


def _entry(entry: Any) -> tuple[int, float, Sequence[int]] | None:
    """Return a statement's number, its support and its sources; None where it states nothing."""
    if not isinstance(entry, Mapping):
        return None
    number, support, sources = (entry.get(key) for key in ("claim", "support", "sources"))
    if type(number) is not int or not isinstance(support, int | float) or not 0 <= support <= 1:
        return None
    listed = sources if isinstance(sources, list) else []
    return number, support, [source for source in listed if type(source) is int]
