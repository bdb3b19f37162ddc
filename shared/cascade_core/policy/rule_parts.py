"""What the rules of a policy are made of: texts, sizes and hours, as documents write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    field_validator,
    model_serializer,
    model_validator,
)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _listed(given: object) -> object:
    """Return one value as a list of it."""
    return [given] if isinstance(given, str | int | float) else given


OneText = Annotated[str, Field(strict=True, min_length=1)]
Texts = Annotated[tuple[OneText, ...], BeforeValidator(_listed), Field(min_length=1)]
"""One text or a list of them, of which any will do."""


def _plain(given: object) -> object:
    if given != "" and isinstance(given, str | int | float):
        return given
    msg = "must be a text, a number, true or false"
    raise ValueError(msg)


Value = Annotated[str | int | float | bool, PlainValidator(_plain)]
SomeValues = Annotated[tuple[Value, ...], BeforeValidator(_listed), Field(min_length=1)]
TierIndex = Annotated[int, Field(strict=True, ge=0)]


class RulePart(BaseModel):
    """A part of a rule, which is written under the words of the document."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _in_its_words(self, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            (fields[name].alias or name) if name in fields else name: value
            for name, value in dump(self).items()
        }

    def said(self) -> list[str]:
        """Return the keys that are given."""
        fields = type(self).model_fields.items()
        return [field.alias or name for name, field in fields if getattr(self, name) is not None]


class Size(RulePart):
    """How many input tokens a request has.

    Attributes:
        over: More than so many.
        under: Fewer than so many.
    """

    over: TierIndex | None = None
    under: TierIndex | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.over is None and self.under is None:
            msg = "give over, under or both"
            raise ValueError(msg)
        if self.over is not None and self.under is not None and self.under <= self.over + 1:
            msg = "no number is over the one and under the other"
            raise ValueError(msg)
        return self


def _clock(given: object) -> object:
    """Read a time of day as people write it; TOML has times of its own."""
    if isinstance(given, time):
        if given.tzinfo is None:
            return given
    elif isinstance(given, str):
        try:
            read = time.fromisoformat(given)
        except ValueError:
            pass
        else:
            if read.tzinfo is None and ":" in given:
                return read
    msg = 'must be a time of day such as "22:00"; the zone is a key of its own'
    raise ValueError(msg)


def _day(given: object) -> object:
    if isinstance(given, str):
        day = given.strip().lower()
        if day in _NAMED:
            return day[:3]
        if day in DAYS:
            return day
    msg = f"must be days of the week: {', '.join(DAYS)}"
    raise ValueError(msg)


Clock = Annotated[
    time, BeforeValidator(_clock), PlainSerializer(lambda t: t.isoformat("auto"), return_type=str)
]
Day = Annotated[str, BeforeValidator(_day)]


class Hours(RulePart):
    """When a request is asked.

    Attributes:
        start: From this time of day on; None = from midnight.
        end: Until this time of day, which is not in it; before `start`, on the next day.
            None = until midnight.
        days: Days of the week on which the hours begin; None = every day.
        zone: The zone of these times, as in `Europe/Berlin`.
    """

    start: Clock | None = Field(None, alias="from")
    end: Clock | None = Field(None, alias="to")
    days: Annotated[tuple[Day, ...], BeforeValidator(_listed), Field(min_length=1)] | None = None
    zone: OneText = "UTC"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - most policies have no hours

        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError):  # not found is a KeyError
            msg = "is no time zone that this machine knows; give one such as Europe/Berlin or UTC"
            raise ValueError(msg) from None
        return zone

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.start is None and self.end is None and self.days is None:
            msg = "give from, to, days or several of them"
            raise ValueError(msg)
        if self.start is not None and self.start == self.end:
            msg = "from and to are the same time: leave both out for whole days"
            raise ValueError(msg)
        return self


def keys_of(part: type[BaseModel]) -> list[str]:
    """Return the keys of a part as documents write them."""
    return [field.alias or name for name, field in part.model_fields.items()]
