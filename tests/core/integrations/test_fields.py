"""A field is read the same way of a mapping and of any kind of object."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from cascade_core.integrations.fields import field, getter, listed


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    usage: int


class Strict(BaseModel):
    usage: int


@dataclass
class Plain:
    usage: int


class Computed:
    @property
    def usage(self) -> int:
        return 3


@pytest.mark.parametrize(
    "source",
    [
        {"usage": 3},
        MappingProxyType({"usage": 3}),
        SimpleNamespace(usage=3),
        Loose(usage=3),
        Loose.model_construct(usage=3),
        Strict(usage=3),
        Plain(3),
        Computed(),
    ],
    ids=lambda source: type(source).__name__,
)
def test_a_field_is_found_and_a_missing_one_is_none(source: Any) -> None:
    assert getter(source)("usage") == 3
    assert getter(source)("missing") is None


def test_what_a_client_did_not_expect_is_found_too() -> None:
    extra = Loose(usage=3, done_reason="stop")
    assert getter(extra)("done_reason") == "stop"
    assert getter(extra)("usage") == 3


@pytest.mark.parametrize(
    "source", [None, "text", 3, object()], ids=["none", "text", "number", "object"]
)
def test_what_has_no_fields_gives_none(source: Any) -> None:
    assert getter(source)("usage") is None


def test_a_path_is_followed_as_far_as_it_leads() -> None:
    source = {"a": SimpleNamespace(b=[1])}
    assert field(source) is source
    assert field(source, "a", "b") == [1]
    assert field(source, "a", "c", "d") is None
    assert field(None, "a") is None


@pytest.mark.parametrize(("found", "items"), [([1], [1]), ((1,), (1,)), ({1: 2}, ()), (None, ())])
def test_only_a_list_is_gone_through(found: Any, items: Any) -> None:
    assert listed(found) == items
