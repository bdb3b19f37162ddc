"""What a class is given by `configured`, whatever framework it is for."""

from __future__ import annotations

import inspect
from typing import Any, TypedDict, Unpack

import pytest
from pydantic import BaseModel

from cascade_core.errors import ConfigurationError
from cascade_core.setup.constructor import configured


class Keywords(TypedDict, total=False):
    """Settings."""

    bar: float
    """How high the bar is; a sentence that is long enough
    to go over two lines of the source and over two lines of a docstring, which are shorter."""
    unsaid: int


class More(Keywords, total=False):
    """Further settings."""

    tags: list[str] | None
    """Whatever helps."""


@configured(Keywords, More)
class Desk:
    """A desk.

    Args:
        tiers: Who sits at it.
    """

    def __init__(self, tiers: list[str], *, lamp: bool = False, **settings: Unpack[More]) -> None:
        self.made = tiers, lamp, settings


def test_it_is_made_as_its_init_says() -> None:
    assert Desk(["a"], bar=0.5).made == (["a"], False, {"bar": 0.5})
    assert Desk(tiers=["a"], lamp=True).made == (["a"], True, {})


def test_its_docstring_ends_in_what_is_said_under_the_keys() -> None:
    assert inspect.getdoc(Desk) == (
        "A desk.\n\nArgs:\n    tiers: Who sits at it.\n\nSettings:\n"
        "    bar: How high the bar is; a sentence that is long enough to go over two lines of the "
        "source\n        and over two lines of a docstring, which are shorter.\n"
        "    tags: Whatever helps."
    )
    assert Desk(["a"]).__doc__ == Desk.__doc__


def test_without_sources_the_docstring_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: object) -> str:
        raise OSError

    monkeypatch.setattr(inspect, "getsource", gone)
    assert Desk.__doc__ == "A desk.\n\nArgs:\n    tiers: Who sits at it."


def test_its_signature_spells_the_keywords_out() -> None:
    signature = inspect.signature(Desk)
    assert list(signature.parameters) == ["tiers", "lamp", "bar", "unsaid", "tags"]
    assert signature.parameters["tags"].annotation == "list[str] | None"


def test_a_class_below_may_be_made_in_a_way_of_its_own() -> None:
    class Corner(Desk):
        def __init__(self, who: str) -> None:
            super().__init__([who], bar=1.0)

    assert list(inspect.signature(Corner).parameters) == ["who"]
    assert Corner("me").made == (["me"], False, {"bar": 1.0})
    assert Corner.__doc__ is None


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        ((), {}, r"^Desk needs tiers=\[cheap, strong\]$"),
        (("a", "b"), {}, r"^Desk takes its tiers as one list: Desk\(\[cheap, strong\]\)$"),
        ((["a"],), {"bra": 1}, r"^Desk has no argument bra=; did you mean bar=\?$"),
        ((["a"],), {"lump": 1}, "did you mean lamp="),
        ((["a"],), {"settings": {}}, r"^Desk has no argument settings=$"),
        ((["a"],), {"self": 1}, "multiple values for argument 'self'"),
        ((["a"],), {"tiers": 1}, "multiple values for argument 'tiers'"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: Any, settings: Any, words: str) -> None:
    with pytest.raises((ConfigurationError, TypeError), match=words):
        Desk(*given, **settings)


def test_what_pydantic_raises_is_said_without_the_value() -> None:
    class Lamp(BaseModel):
        watts: int

    @configured(Keywords)
    class Lit:
        """A lit desk."""

        def __init__(self, tiers: Any, **settings: Unpack[Keywords]) -> None:
            Lamp(watts="secret")

    with pytest.raises(ConfigurationError, match=r"^Lit: watts=: must be a whole number$"):
        Lit([])
