"""Functions and objects of callers are told apart by what they do and hold."""

import re
import subprocess
import sys
from functools import partial

import pytest

from cascade_core.likeness import is_secret, likeness
from cascade_core.signals import BaseSignal, FunctionSignal

LIMIT = 3


def over(limit):
    def check(request, draft):
        return len(draft.text) > limit

    return check


def defaulted(request, draft, limit=5):
    return len(draft.text) > limit


def by_name(*, limit=5):
    return limit


class Checks:
    def __init__(self, limit, api_key="sk-one"):
        self.limit = limit
        self.api_key = api_key

    def longer(self, request, draft):
        return len(draft.text) > self.limit

    def shorter(self, request, draft):
        return len(draft.text) < self.limit

    def __call__(self, request, draft):
        return self.longer(request, draft)


class Slotted:
    __slots__ = ("limit",)

    def __init__(self, limit):
        self.limit = limit


def global_limit(value):
    space = {"LIMIT": value, "__name__": "somewhere"}
    exec("def check(request, draft):\n    return len(draft.text) > LIMIT", space)
    return space["check"]


def global_words(words):
    space = {"WORDS": words, "__name__": "somewhere"}
    exec(
        "def check(request, draft):\n    return any(w in WORDS for w in draft.text.split())", space
    )
    return space["check"]


ALIKE = [
    lambda: over(3),
    lambda: lambda r, d: d.text == "a",
    lambda: partial(over(3), 1, limit=2),
    lambda: Checks(3).longer,
    lambda: Checks(3),
    lambda: Slotted(3),
    lambda: global_limit(3),
    lambda: global_words({"a"}),
    lambda: re.compile("a+").search,
    lambda: {"b": 1, "a": [2, {3}]},
]


@pytest.mark.parametrize("make", ALIKE)
def test_what_is_made_alike_is_alike(make):
    assert likeness(make()) == likeness(make())


OTHER = [
    (over(3), over(4)),
    (global_words({"a"}), global_words({"b"})),
    (lambda r, d: d.text == "a", lambda r, d: d.text == "b"),
    (partial(over, 3), partial(over, 4)),
    (partial(over, limit=3), partial(over, limit=4)),
    (Checks(3).longer, Checks(4).longer),
    (Checks(3).longer, Checks(3).shorter),
    (Checks(3), Checks(4)),
    (Slotted(3), Slotted(4)),
    (global_limit(3), global_limit(4)),
    (re.compile("a+").search, re.compile("b+").search),
    (over(over(3)), over(over(4))),
    (object(), object()),
    ([1, 2], (1, 2)),
    (1, True),
]


@pytest.mark.parametrize(("one", "other"), OTHER, ids=lambda each: type(each).__name__)
def test_what_does_or_holds_something_else_is_another(one, other):
    assert likeness(one) != likeness(other)


def test_defaults_are_part_of_a_function(monkeypatch):
    before, named = likeness(defaulted), likeness(by_name)
    monkeypatch.setattr(defaulted, "__defaults__", (6,))
    monkeypatch.setattr(by_name, "__kwdefaults__", {"limit": 6})
    assert likeness(defaulted) != before
    assert likeness(by_name) != named


def test_another_key_makes_no_other():
    api_key = "sk-one-two-three"

    def asks(request, draft, *, api_key="sk-1"):
        return api_key

    def holds(request, draft):
        return api_key

    assert likeness(Checks(3, "sk-one")) == likeness(Checks(3, "sk-two"))
    first = likeness(asks), likeness(holds)
    asks.__kwdefaults__ = {"api_key": "sk-2"}
    holds.__closure__[0].cell_contents = "sk-four-five-six"
    assert (likeness(asks), likeness(holds)) == first


def test_what_holds_itself_or_no_end_of_things_has_a_likeness_too():
    ring = []
    ring.append(ring)
    assert likeness(ring)
    many = [[n] for n in range(100_000)]
    assert likeness(many) == likeness(many)


@pytest.mark.processes
def test_a_likeness_is_the_same_in_every_process():
    script = (
        "from tests.core.test_likeness import ALIKE, likeness\n"
        "print([likeness(make()) for make in ALIKE])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(filter(None, sys.path)), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


# --- signals --------------------------------------------------------------------------------------


class Mine(BaseSignal):
    name = "mine"

    def __init__(self, limit, **more):
        self._limit = limit
        vars(self).update(more)

    def measure(self, request, draft, tier):
        return 1.0
        yield


@pytest.mark.parametrize("name", ["api_key", "openai_api_key", "_token", "password", "auth"])
def test_a_signals_own_key_is_in_nothing_that_is_shown_or_kept(name):
    signal, other = Mine(3, **{name: "topsecret"}), Mine(3, **{name: "rotated"})
    assert "topsecret" not in repr(signal) + signal.identity
    if name != "_token":
        assert signal.identity == other.identity


def test_a_key_by_another_name_is_known_by_its_looks():
    assert "sk-proj" not in Mine(3, endpoint="sk-proj-abcdefgh1234").identity
    assert is_secret("url", "https://me:word@host/")
    assert not is_secret("key", "answer")
    assert "answer" not in Mine(3, key="answer").identity
    assert Mine(3, key="answer").identity != Mine(3, key="other").identity


def test_signals_of_one_name_are_told_apart_by_what_they_hold():
    assert Mine(3).identity != Mine(4).identity
    assert Mine(3).identity == Mine(3).identity
    one, other = FunctionSignal(over(3), "long"), FunctionSignal(over(4), "long")
    assert one.identity != other.identity
    assert one.identity == FunctionSignal(over(3), "long").identity
