"""An exhausted cascade's error is of its last cause's class too, wherever that can be."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
from typing import Any, Self, final

import openai
import pytest
from pydantic import BaseModel, ValidationError

from cascade_core import CascadeError, CascadeExhausted
from cascade_core import kin as kin_module
from cascade_core.errors import error_name, http_status


class PlainError(Exception):
    pass


class OddError(Exception):
    """Wants to know more than a message, in both constructors."""

    def __new__(cls, code: int, *, detail: str) -> Self:
        return super().__new__(cls, code)

    def __init__(self, code: int, *, detail: str) -> None:
        super().__init__(f"secret {code}")
        self.code, self.detail = code, detail

    def __str__(self) -> str:
        return f"secret {self.detail}"


class SlottedError(Exception):
    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


class LoudError(Exception):
    @property
    def causes(self) -> str:
        return "its own"


class NoHeirsError(Exception):
    def __init_subclass__(cls, *, wanted: int) -> None:
        raise AssertionError


@final
class LastError(Exception):
    pass


class Meta(type):
    def __call__(cls, *args: Any) -> Any:
        return super().__call__(*args)


class WithMetaError(Exception, metaclass=Meta):
    pass


class Word(BaseModel):
    number: int


def _rate_limit() -> Exception:
    import httpx

    request = httpx.Request("POST", "https://x")
    response: Any = httpx.Response(429, request=request)
    return openai.RateLimitError("secret", response=response, body={"code": "rate"})


def _validation() -> Exception:
    try:
        Word(number="secret")  # type: ignore[arg-type]
    except ValidationError as error:
        return error
    raise AssertionError


def exhausted(cause: BaseException) -> CascadeExhausted:
    return CascadeExhausted([("tier 0", PlainError("first")), ("tier 1", cause)], ["a call"])


KIN: list[tuple[Any, dict[str, Any]]] = [
    (PlainError("secret"), {}),
    (OddError(7, detail="x"), {"code": 7, "detail": "x"}),
    (SlottedError(7), {"code": 7}),
    (OSError(2, "secret", "file"), {"errno": 2, "strerror": "secret", "filename": "file"}),
    (TimeoutError("secret"), {}),
    (UnicodeDecodeError("utf-8", b"secret", 0, 1, "why"), {"reason": "why", "object": b"secret"}),
    (KeyError("secret"), {}),
    (WithMetaError("secret"), {}),
    (_rate_limit(), {"status_code": 429, "body": {"code": "rate"}, "message": "secret"}),
]
kin = pytest.mark.parametrize(("cause", "fields"), KIN, ids=lambda k: type(k).__name__)

STRANGERS = [
    LoudError("x"),
    NoHeirsError("x"),
    LastError("x"),
    _validation(),
    StopIteration("x"),
    StopAsyncIteration("x"),
    ExceptionGroup("x", [PlainError("y")]),
    CascadeError("x"),
    KeyboardInterrupt("x"),
    asyncio.CancelledError("x"),
]


@kin
def test_it_is_caught_as_the_last_cause_would_be_and_has_its_attributes(
    cause: Any, fields: dict[str, Any]
) -> None:
    with pytest.raises(type(cause)) as caught:
        raise exhausted(cause)
    error = caught.value
    assert isinstance(error, CascadeExhausted)
    assert {name: getattr(error, name) for name in fields} == fields
    assert error.causes[1][1] is cause
    assert "secret" not in f"{error} {error!r} {error.args}"
    assert str(error).startswith(
        "no tier of the cascade gave an answer (tier 0: PlainError; tier 1: "
    )
    assert type(error).__name__ == "CascadeExhausted"


@pytest.mark.parametrize("cause", STRANGERS, ids=lambda cause: type(cause).__name__)
def test_it_stays_what_it_is_where_there_can_be_no_such_class(cause: BaseException) -> None:
    error = exhausted(cause)
    assert type(error) is CascadeExhausted
    assert error.causes[1][1] is cause


def test_a_strangers_attributes_are_kept_all_the_same() -> None:
    cause = LastError("x")
    cause.response = "a response"  # type: ignore[attr-defined]
    assert exhausted(cause).response == "a response"  # type: ignore[attr-defined]


@kin
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_a_copy_is_of_the_same_kind(cause: Any, fields: dict[str, Any], again: Any) -> None:
    copied = again(exhausted(cause))
    assert isinstance(copied, type(cause))
    assert str(copied) == str(exhausted(cause))
    assert {name: getattr(copied, name) for name in fields} == fields


@kin
def test_it_crosses_to_another_process_with_what_can_cross(
    cause: Any, fields: dict[str, Any]
) -> None:
    again = pickle.loads(pickle.dumps(exhausted(cause)))
    assert isinstance(again, type(cause))
    assert str(again) == str(exhausted(cause))
    assert again.trail == ("a call",)
    lost = {"code"} if isinstance(cause, SlottedError) else set()
    assert {k: getattr(again, k, None) for k in fields if k not in lost} == {
        k: v for k, v in fields.items() if k not in lost
    }


def test_a_cause_that_cannot_be_pickled_comes_back_as_its_nearest_relative() -> None:
    class LocalError(OSError):
        pass

    again = pickle.loads(pickle.dumps(exhausted(LocalError("x"))))
    assert type(again.causes[1][1]) is OSError


def test_of_a_cascade_in_a_cascade_it_is_of_the_innermost_cause() -> None:
    inner = exhausted(_rate_limit())
    with pytest.raises(openai.RateLimitError) as caught:
        raise exhausted(inner)
    assert caught.value.causes[1][1] is inner
    assert http_status(caught.value) == 429
    assert error_name(caught.value) == "CascadeExhausted (HTTP 429)"


def test_classes_are_made_once_and_forgotten_with_their_instances() -> None:
    class RareError(Exception):
        pass

    error = exhausted(RareError())
    assert type(error) is type(exhausted(RareError()))
    before = len(kin_module._made)
    del error
    gc.collect()
    assert len(kin_module._made) < before
    assert len(RareError.__subclasses__()) == 0
