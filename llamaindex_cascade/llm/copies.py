"""Copies of a cascade, in this process and for another.

A copy has settings of its own and starts with nothing learned. Its models are
the same objects, deep copy or not: they hold connections, which have no copies.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.llms import LLM
from llama_index.core.schema import BaseComponent

from cascade_core.setup.constructor import check_names, fields_of
from cascade_core.signals.asking import models_asked, partners_of
from llamaindex_cascade.llm.portrait import OF_THIS_PROCESS, unkept

if TYPE_CHECKING:
    from cascade_core.setup.engine import Engine
    from cascade_core.setup.notices import Notices

MADE = ("_engine", "_object_engine", "_metadata", "_refining")
"""What a cascade makes of its settings, on use."""


class Copied:
    """The parts of an LLM that copy it, for `CascadeLLM`."""

    if TYPE_CHECKING:

        @property
        def _engine(self) -> Engine: ...
        def _new_engine(self, notices: Notices | None = None) -> Engine: ...

    def __copy__(self) -> Self:
        """Return a cascade of the same settings."""
        return self.model_copy()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a cascade whose settings can be changed without changing this one's."""
        return self.model_copy(deep=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a cascade of the same settings, but for some.

        Args:
            update: Settings to change.
            deep: Whether lists and mappings are copied too; models never are.

        Raises:
            ConfigurationError: A setting cannot work.
        """
        cls: Any = type(self)
        if update:
            check_names(cls.__name__, fields_of(cls), {"tiers": None, **update})
        copy: Self = super().__copy__()  # type: ignore[misc]
        fields = {name: vars(copy)[name] for name in cls.model_fields if name in vars(copy)}
        vars(copy).update({name: _contained(value) for name, value in fields.items() if deep})
        vars(copy).update(update or {})
        copy.model_fields_set.update(update or {})  # type: ignore[attr-defined]
        if update and "callback_manager" in update:
            vars(copy)["_reports"] = True
        for made in MADE:
            vars(copy).pop(made, None)
        vars(copy)["_engine"] = copy._new_engine(self._engine.plan.notices.of_setup())
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the settings, all of them or none.

        A pickle works where it is loaded, so it holds the tiers' keys, as every
        pickled LlamaIndex model does: it is for workers, not for storage.

        Raises:
            PicklingError: A setting, or one of a tier's, would not come back.
        """
        cls: Any = type(self)
        names = [name for name in cls.model_fields if name in self.model_fields_set]  # type: ignore[attr-defined]
        given = {name: getattr(self, name) for name in names if name not in OF_THIS_PROCESS}
        for where, value in _parts(given):
            _check(where, value, type(self).__name__)
        return made_again, (type(self), given)


def made_again(cls: type[Any], given: dict[str, Any]) -> Any:
    """Make a cascade again from its pickled settings; a policy file may have changed since.

    Raises:
        ConfigurationError: A setting does not work here.
    """
    return cls(**given)


def _contained(value: Any) -> Any:
    if type(value) in (list, tuple):
        return type(value)(_contained(each) for each in value)
    if type(value) is dict:
        return {key: _contained(each) for key, each in value.items()}
    return value


def _parts(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield from ((f"{name}[{place}]", each) for place, each in enumerate(value))
        else:
            yield f"{name}=", value


def _check(where: str, value: Any, cascade: str) -> None:
    """Refuse what would be lost on the way.

    LlamaIndex's models pickle what they can and drop the rest in silence.
    """
    for llm in (value, *models_asked(value), *partners_of(value)):
        if isinstance(llm, LLM) and type(llm).__setstate__ is BaseComponent.__setstate__:
            fields = {name: getattr(llm, name, None) for name in type(llm).model_fields}
            names = [name for name in fields if name not in OF_THIS_PROCESS]
            lost = [*unkept(llm), *(name for name in names if not _pickles(fields[name]))]
            if not isinstance(llm, Copied) and lost:
                msg = (
                    f"{where} ({type(llm).__name__}) would be unpickled without its "
                    f"{', '.join(lost)}; make the {cascade} where it is used"
                )
                raise pickle.PicklingError(msg)
    try:
        pickle.dumps(value)
    except Exception as error:  # noqa: BLE001 - an object may raise anything
        ours = isinstance(value, Copied) and isinstance(error, pickle.PicklingError)
        inner = f": {error}" if ours else ""
        msg = (
            f"{where} ({type(value).__name__}) cannot be pickled{inner}; use functions and classes "
            f"of a module, or make the {cascade} where it is used"
        )
        raise pickle.PicklingError(msg) from None


def _pickles(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - an object may raise anything
        return False
    return True
