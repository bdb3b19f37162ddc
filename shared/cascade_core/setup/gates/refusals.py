"""Answers that refuse: as the provider marks them, in words, and in words of the caller's."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import TypeAlias

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.refusals import READ, refuses
from cascade_core.refusals.plain import one_spelling
from cascade_core.request import Request

RefusalLike: TypeAlias = str | re.Pattern[str] | Callable[[str], bool]
"""Further words of refusing: a regular expression, or a function `(text) -> bool`."""


def not_refused(request: Request, draft: Draft) -> bool:
    """Fail what the provider marked as a refusal, and answers that begin with one."""
    del request
    if draft.refusal or draft.finish == "content_filter":
        return False
    return bool(draft.tool_calls) or not refuses(draft.text)


@dataclass(frozen=True, slots=True)
class NoneOfThese:
    """Fails answers that refuse in words of the caller's.

    Attributes:
        patterns: Searched in an answer's first `READ` characters.
        functions: True for a text that refuses.
    """

    patterns: tuple[re.Pattern[str], ...] = ()
    functions: tuple[Callable[[str], bool], ...] = field(default=())

    def __call__(self, request: Request, draft: Draft) -> bool:
        """Tell whether a draft passes."""
        del request
        if draft.tool_calls:
            return True
        head = draft.text[:READ]
        texts = dict.fromkeys((head, one_spelling(head)))
        found = any(pattern.search(text) for pattern in self.patterns for text in texts)
        return not found and not any(function(draft.text) for function in self.functions)

    @property
    def identity(self) -> list[str]:
        """What it goes by, in words."""
        written = [pattern.pattern for pattern in self.patterns]
        named = [getattr(each, "__qualname__", type(each).__name__) for each in self.functions]
        return written + named


def read_refusals(refusals: Sequence[RefusalLike] | None) -> NoneOfThese | None:
    """Read the `refusals=` argument of a cascade.

    Args:
        refusals: Regular expressions, searched without regard to case, and functions.

    Returns:
        The check, or None where there is nothing to check.

    Raises:
        ConfigurationError: It is no list, or an entry is neither a regular expression nor a
            plain function.
    """
    if not refusals:
        return None
    if isinstance(refusals, str) or not isinstance(refusals, Sequence):
        msg = f"refusals= takes a list of patterns and functions, not {type(refusals).__name__}"
        raise ConfigurationError(msg)
    patterns: list[re.Pattern[str]] = []
    functions: list[Callable[[str], bool]] = []
    for place, entry in enumerate(refusals):
        if isinstance(entry, str):
            patterns.append(_compiled(place, entry))
        elif isinstance(entry, re.Pattern):
            patterns.append(entry)
        elif callable(entry) and not iscoroutinefunction(entry):
            functions.append(entry)
        else:
            msg = (
                f"refusals[{place}] is {type(entry).__name__}; give a regular expression "
                "or a plain function (text) -> bool"
            )
            raise ConfigurationError(msg)
    return NoneOfThese(tuple(patterns), tuple(functions))


def _compiled(place: int, pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        msg = f"refusals[{place}] is no regular expression: {error}"
        raise ConfigurationError(msg) from None
    if compiled.search(""):
        msg = f"refusals[{place}] matches every answer: give a pattern that is not met by nothing"
        raise ConfigurationError(msg)
    return compiled
