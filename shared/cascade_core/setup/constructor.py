"""What the constructors of all cascades share: checked names, plain errors, whole docstrings."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from itertools import pairwise
from textwrap import TextWrapper, dedent
from typing import Any, Self, SupportsIndex, TypeVar

from pydantic import ValidationError

from cascade_core.errors import ConfigurationError
from cascade_core.integrations.classes import OF_MODELS
from cascade_core.invalid import first_problem, spell
from cascade_core.named_arguments import close_to

Class = TypeVar("Class", bound=type)

_WRAPPER = TextWrapper(
    width=96, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False
)


def configured(*keywords: type) -> Callable[[Class], Class]:
    """Return a class decorator for cascades, whose `__init__` is `(self, tiers, **settings)`.

    Names are checked before `__init__` runs, whatever pydantic raises in it is put in plain words,
    and the class's docstring and signature list all settings.

    Args:
        keywords: The `TypedDict`s of its settings.
    """

    def prepare(cls: Class) -> Class:
        init = cls.__init__  # type: ignore[misc]
        signature = _signature(init, keywords)
        known = signature.parameters.keys() - {"self"}

        @wraps(init)
        def checked(self: Any, *tiers: Any, **settings: Any) -> None:
            made, name = type(self), type(self).__name__
            if len(tiers) > 1:
                msg = f"{name} takes its tiers as one list: {name}([cheap, strong])"
                raise ConfigurationError(msg)
            given = {"tiers": tiers, **settings} if tiers else settings
            check_names(name, known | fields_of(made), given)
            with plain_errors(made):
                init(self, *tiers, **settings)

        checked.__signature__ = signature  # type: ignore[attr-defined]
        cls.__init__ = checked  # type: ignore[misc]
        cls.__doc__ = _WrittenOut(cls.__doc__, keywords)
        if hasattr(cls, "__signature__"):  # pydantic's: until it has built this class, a base's
            bound = [each for name, each in signature.parameters.items() if name in known]
            cls.__signature__ = signature.replace(parameters=bound)
        return cls

    return prepare


def _signature(init: Any, keywords: Collection[type]) -> inspect.Signature:
    """Return the signature of an `__init__` with every keyword spelled out."""
    own = inspect.signature(init).parameters.values()
    listed = {each.name: each for each in own if each.kind is not each.VAR_KEYWORD}
    for definition in keywords:
        for name, kind in definition.__annotations__.items():
            annotation = getattr(kind, "__forward_arg__", kind)
            listed[name] = inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=annotation
            )
    return inspect.Signature(list(listed.values()))


def check_names(owner: str, known: Collection[str], given: Mapping[str, Any]) -> None:
    """Refuse keyword arguments that a cascade does not have.

    Pydantic would drop them in silence, and a misspelt threshold with them.

    Args:
        owner: Its name.
        known: The names it has.
        given: The arguments.

    Raises:
        ConfigurationError: Names the argument, and the one probably meant.
    """
    for name in given:
        if name not in known and not name.startswith("_"):
            hint = close_to(name, known)
            if name in _OF_TIERS:
                hint = ": the models are one list, tiers=[cheap, strong]"
            if name in OF_MODELS:
                hint = ": it is a setting of a model; make each model in tiers=[…] with it"
            msg = f"{owner} has no argument {name}={hint}"
            raise ConfigurationError(msg)
    if "tiers" not in given:
        msg = f"{owner} needs tiers=[cheap, strong]"
        raise ConfigurationError(msg)


_OF_TIERS = frozenset(
    {
        *("cheap", "strong", "weak", "small", "large", "llm", "llms", "model", "models"),
        *("chain", "chains", "engine", "engines", "query_engines", "runnables", "fallbacks"),
    }
)
"""What tiers are called where they are not called so."""


def fields_of(cls: type) -> set[str]:
    """Return the names that a class takes because it is a pydantic model; none where it is none."""
    fields = getattr(cls, "model_fields", {}).items()
    return {name for key, field in fields for name in (key, field.alias) if name}


@contextmanager
def plain_errors(cls: type) -> Iterator[None]:
    """Turn pydantic's errors, which quote their input, into ones that do not.

    Raises:
        ConfigurationError: Names the argument and what is wrong with it.
    """
    try:
        yield
    except ValidationError as error:
        path, problem = first_problem(error, None)
        msg = f"{cls.__name__}: {spell(path)}=: {problem}"
        raise ConfigurationError(msg) from None


class _WrittenOut(str):  # noqa: SLOT000 - it holds what it is made of
    """A class's docstring and what its settings do, put together when somebody asks for it.

    Python keeps no text that stands under a key, so it is read from the source, where there is one.
    """

    _keywords: Collection[type]

    def __new__(cls, own: str | None, keywords: Collection[type]) -> Self:
        written = super().__new__(cls, inspect.cleandoc(own or ""))
        written._keywords = keywords
        return written

    def __get__(self, instance: object, owner: type | None = None) -> str:
        own = str.expandtabs(self)
        listed = [text for each in self._keywords for text in _said_under(each)]
        return "\n".join([own, "", "Settings:", *listed] if listed else [own])

    def expandtabs(self, tabsize: SupportsIndex = 8) -> str:
        """Return the whole: on pydantic's classes, `help()` takes the text itself and starts so."""
        del tabsize
        return self.__get__(None)


def _said_under(keywords: type) -> Iterator[str]:
    """Yield each key of a class with the text under it, as editors show it."""
    try:
        (definition,) = ast.parse(dedent(inspect.getsource(keywords))).body
    except OSError:  # an installation without sources
        return
    for key, text in pairwise(getattr(definition, "body", ())):
        match key, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(said))):
                yield _WRAPPER.fill(f"{name}: {' '.join(said.split())}")
