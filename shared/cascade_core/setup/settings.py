"""The settings that every cascade takes, in whichever framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cascade_core.errors import ConfigurationError
from cascade_core.invalid import first_problem

DECIDING = (
    "signals",
    "combine",
    "thresholds",
    "gates",
    "policy",
    "prices",
    "mode",
    "on_no_score",
    "on_tool_call",
    "on_exhausted",
    "streaming_policy",
)
"""Settings that make the plan; see `plan.make_plan`."""


class CascadeSettings(BaseModel):
    """Keyword arguments that every cascade takes.

    Attributes:
        tiers: Models or chains, cheapest first.
        signals: What a draft is judged by: signals, functions
            `(request, draft) -> float | None`, or names. Default:
            `[SequenceLogprob()]`.
        combine: How readings become one confidence: `"min"` (default),
            `"mean"`, or weights by signal name.
        thresholds: One number in [0, 1] for every tier but the last, or one
            for all; default 0.9 on raw readings. Accept at or above it.
        gates: Further checks `(request, draft) -> bool`, after the built-in ones.
        policy: A `Policy`, a mapping, or the path of a JSON or TOML file.
        prices: USD per million tokens by model, or the path of a JSON file
            (also litellm's); it wins over genai-prices, and a model in neither
            is unpriced.
        log: Path of a `.jsonl` file, one decision a line.
        log_content: Whether the log also holds prompts and answers.
        mode: `"serve"`, or `"shadow"`: always serve the last tier and record
            what the cascade would have done.
        on_no_score: What a draft without any reading gets: `"escalate"`
            (default) or `"accept"`.
        on_tool_call: Whether tool calls without a reading are accepted when
            every gate passes (`"gates"`, default) or `"escalate"`.
        on_exhausted: When every tier failed: `"raise"` (default) or return the
            `"best_draft"`.
        streaming_policy: `"abort"` (default) cuts a draft's stream off as soon
            as it cannot pass; `"buffer"` lets it finish.
    """

    model_config = ConfigDict(defer_build=True)  # importing stays quick

    tiers: Any
    signals: Any = None
    combine: Any = "min"
    thresholds: Any = None
    gates: Any = None
    policy: Any = None
    prices: Any = Field(default=None, repr=False)
    log: Any = None
    log_content: bool = False
    mode: str | None = None
    on_no_score: str | None = None
    on_tool_call: str | None = None
    on_exhausted: str | None = None
    streaming_policy: str | None = None


def check_names(cls: type[BaseModel], given: Mapping[str, Any], name_of: str | None = None) -> None:
    """Refuse keyword arguments that a cascade does not have.

    Pydantic would drop them in silence, and a misspelt threshold with them.

    Raises:
        ConfigurationError: Names the argument, and the one probably meant.
    """
    known = _names(cls.model_fields.items())
    for name in given:
        if name not in known and not name.startswith("_"):
            close = get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}=?" if close else ""
            msg = f"{name_of or cls.__name__} has no argument {name}={hint}"
            raise ConfigurationError(msg)
    if "tiers" not in given:
        msg = f"{name_of or cls.__name__} needs tiers=[cheap, strong]"
        raise ConfigurationError(msg)


@contextmanager
def plain_errors(cls: type[BaseModel]) -> Iterator[None]:
    """Turn pydantic's errors, which quote their input, into ones that do not.

    Raises:
        ConfigurationError: Names the argument and what is wrong with it.
    """
    try:
        yield
    except ValidationError as error:
        where, problem = first_problem(error, None)
        msg = f"{cls.__name__}: {where}=: {problem}"
        raise ConfigurationError(msg) from None


def _names(fields: Iterable[tuple[str, Any]]) -> set[str]:
    return {name for key, field in fields for name in (key, field.alias) if name}
