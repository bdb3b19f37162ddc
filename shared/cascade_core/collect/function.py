"""Grades by a function of the caller's own, which may be wrong in ways that cost no answer."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from inspect import Parameter, signature, unwrap
from pathlib import Path
from traceback import walk_tb
from types import CodeType
from typing import Any, TypeAlias

from cascade_core.collect.case import Case, Grade
from cascade_core.draft import Draft
from cascade_core.effects import Compute, Failed, Note, Steps
from cascade_core.errors import ConfigurationError
from cascade_core.signals.agreement import written
from cascade_core.signals.readings import as_reading

QualityFunction: TypeAlias = Callable[[str, str, str | None], Any]

_STARS: dict[Any, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}


class ByFunction:
    """What the caller's function says.

    Args:
        function: Of the request's text, the answer and the reference; may be
            async. One that raises, or returns anything but a number in [0, 1]
            or None, leaves the quality open, and the answer to be graded again.

    Raises:
        ConfigurationError: It cannot be called with those three.
    """

    needs_reference = False
    paid = False

    def __init__(self, function: QualityFunction) -> None:
        self._function = function
        place = getattr(function, "__module__", "")
        name = getattr(function, "__qualname__", type(function).__qualname__)
        self.name = f"{place}:{name}"
        code = getattr(unwrap(function), "__code__", None)
        self.identity = self.name if code is None else f"{self.name} {_digest(code)}"
        _check_signature(function, self.name)

    def grade(self, case: Case) -> Steps[list[Grade]]:
        """Call the function on every answer."""
        grades: list[Grade] = []
        for _, draft in case.drafts:
            grades.append(Grade() if draft is None else (yield from self._one(case, draft)))
        return grades

    def _one(self, case: Case, draft: Draft) -> Steps[Grade]:
        answer = written(draft.text, draft.tool_calls)
        reply = yield Compute(self._function, (case.text, answer, case.reference))
        if isinstance(reply, Failed):
            raised = f"{type(reply.error).__name__}{_place(reply.error, self._function)}"
            quality, problem = None, f"{self.name} raised {raised}"
        else:
            quality, odd = as_reading(reply.value)
            if odd is None:
                return Grade(quality)
            problem = f"{self.name} returned {odd} instead of a number in [0, 1]"
        yield Note("quality", f"{problem}; the answers are kept, to be graded once it is mended")
        return Grade(quality, problem)


def _digest(code: CodeType) -> str:
    """Digest what a function does, so that a mended one is known for another."""
    parts = [code.co_code.hex(), repr(code.co_names)]
    parts += [_digest(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return sha256("\n".join(parts).encode()).hexdigest()[:12]


def _check_signature(function: QualityFunction, name: str) -> None:
    try:
        found = signature(function)
    except (TypeError, ValueError):  # some that are written in C do not tell
        return
    try:
        found.bind("request", "answer", None)
    except TypeError:
        # Names only: a default may hold a key.
        names = [f"{_STARS.get(p.kind, '')}{p.name}" for p in found.parameters.values()]
        msg = (
            f"quality {name} takes ({', '.join(names)}), and is called with three values, in this "
            "order: request, answer, reference (None where there is none)"
        )
        raise ConfigurationError(msg) from None


def _place(error: BaseException, function: QualityFunction) -> str:
    """Say where in the function's own file it was; deeper lines are those of libraries."""
    call = type(function).__call__ if callable(function) else function  # of an object of a class
    code = getattr(unwrap(function), "__code__", getattr(call, "__code__", None))
    passed = [(f.f_code.co_filename, line) for f, line in walk_tb(error.__traceback__)]
    own = [place for place in passed if code is not None and place[0] == code.co_filename]
    places = own or passed[1:]  # the first is who called the function
    if not places:
        return ""
    file, line = places[-1]
    return f" ({Path(file).name}, line {line})"
