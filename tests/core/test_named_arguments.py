"""A misspelt argument of a setting is refused in words."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from cascade_core import Audit, Breaker, Budget, Learn, RedisStore, Runs, Telemetry, Tier, signals
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Agreement, Judge

SETTINGS = [Audit, Breaker, Budget, Learn, RedisStore, Runs, Telemetry, Tier]
SIGNALS = [
    each
    for each in (getattr(signals, name) for name in signals.__all__)
    if inspect.isclass(each) and hasattr(each, "measure") and each is not signals.Signal
]


@pytest.mark.parametrize("cls", [*SETTINGS, *SIGNALS])
def test_an_unknown_argument_is_refused_names_checked(cls: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^{cls.__name__} has no argument thing=; "):
        cls(thing=1)


def test_what_was_probably_meant_is_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^Budget has no argument keys=; did you mean key=\?$"
    ):
        Budget(usd=5, keys="tenant")  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="; it has usd=, tokens=, per=, key="):
        Budget(limit=5)  # type: ignore[call-arg]


def test_a_missing_one_is_named_and_other_errors_stay_what_they_are() -> None:
    with pytest.raises(ConfigurationError, match=r"^Judge\(…\) needs model=$"):
        Judge()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Judge("openai:gpt-4o", 3)  # type: ignore[misc]
    with pytest.raises(TypeError, match="multiple values"):
        Budget(5, usd=5)  # type: ignore[misc]


def test_a_setting_is_otherwise_what_it_was() -> None:
    budget = Budget(usd=5, key="tenant")
    assert pickle.loads(pickle.dumps(budget)) == budget
    assert list(inspect.signature(Budget).parameters)[:2] == ["usd", "tokens"]
    assert Agreement("openai:gpt-4o", "openai:gpt-4.1", eager=True).eager
