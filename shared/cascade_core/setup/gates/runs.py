"""A gate for drafts that hold code: it parses, compiles, and passes the caller's check."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request
from cascade_core.setup.gates.code_blocks import CodeBlock, code_blocks, code_language
from cascade_core.setup.gates.code_parsers import PARSED, parses_as

CodeCheck: TypeAlias = Callable[[str, Request], bool | Awaitable[bool]]
"""A function of the code and the request, sync or async: does the code do what it should?"""

_LONGEST = 100_000
"""Characters of code that are parsed: more is no answer, and takes long."""


@names_checked
class Runs:
    """Fails drafts whose code does not parse, does not compile, or fails your check.

    For `gates=[Runs()]`; the reason in records is `gate_runs`. The code of an answer is what
    stands in its fenced blocks. Each block that names Python, JSON, TOML, XML or YAML (where
    PyYAML has its fast parser) is parsed, and Python is compiled as well; blocks in other
    languages are for your check alone. An answer without code passes, unless code is required.

    Nothing is executed here. A check that executes code runs what a model wrote with all that
    your process may do, unless you run it elsewhere: in a container without a network, with a
    time limit of its own. The check is called outside of event loops' threads.

    Args:
        check: A function `(code, request) -> bool`, sync or async, that sees the code of all blocks
            that count, one after the other; one that raises has not passed.
        language: The language that counts: blocks in another one are left out, and those that
            name none count where no other does. None has every block count.
        required: Whether an answer without code fails. Then one without a fenced block is code
            as a whole.
        name: What it is called in warnings.

    Raises:
        ConfigurationError: An argument is not one of the above.
    """

    is_gate = True
    """Tells it from a signal, which is called with the same."""

    def __init__(
        self,
        check: CodeCheck | None = None,
        *,
        language: str | None = None,
        required: bool = False,
        name: str = "Runs",
    ) -> None:
        if check is not None and not callable(check):
            msg = f"Runs(check=…) takes a function (code, request) -> bool, not {_kind(check)}"
            raise ConfigurationError(msg)
        named = code_language(language) if isinstance(language, str) else None
        if language is not None and named is None:
            msg = f"Runs(language={language!r}): give a name such as 'python', or leave it out"
            raise ConfigurationError(msg)
        if not isinstance(required, bool):
            raise ConfigurationError(f"Runs(required={required!r}): give True or False")
        if named is not None and named not in PARSED and check is None and not required:
            msg = (
                f"Runs(language={language!r}) would check nothing: {', '.join(sorted(PARSED))} are "
                "parsed here; other code is for check=, a function (code, request) -> bool"
            )
            raise ConfigurationError(msg)
        self.check = check
        self.language = named
        self.required = required
        self.__name__ = name
        self.__qualname__ = repr(self)
        """Tells gates apart that do not check alike, where they go by their names."""

    def __call__(self, request: Request, draft: Draft) -> bool | Awaitable[bool]:
        """Tell whether a draft passes; what has to be awaited for that is not begun here."""
        if draft.tool_calls:
            return True
        blocks = self.blocks(draft.text)
        code = "\n\n".join(block.code for block in blocks)
        if not code.strip():
            return not self.required
        if len(code) > _LONGEST or not all(self._reads(block) for block in blocks):
            return False
        if self.check is None:
            return True
        passed = self.check(code, request)
        return _awaited(passed) if inspect.isawaitable(passed) else bool(passed)

    def blocks(self, text: str) -> list[CodeBlock]:
        """Return the blocks of an answer that count.

        Args:
            text: The answer.
        """
        blocks = code_blocks(text)
        if not blocks and self.required:
            return [CodeBlock(self.language, text)]
        if self.language is None:
            return blocks
        own = [block for block in blocks if block.language == self.language]
        unnamed = [CodeBlock(self.language, b.code) for b in blocks if b.language is None]
        return own or unnamed

    def _reads(self, block: CodeBlock) -> bool:
        return parses_as(block.language, block.code) is not False

    def __repr__(self) -> str:
        """Show the settings."""
        check = None if self.check is None else _kind(self.check)
        return f"Runs(check={check}, language={self.language!r}, required={self.required})"


async def _awaited(passed: Awaitable[bool]) -> bool:
    return bool(await passed)


def _kind(value: object) -> str:
    return getattr(value, "__qualname__", type(value).__qualname__)
