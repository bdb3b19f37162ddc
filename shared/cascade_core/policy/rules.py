"""The rules of a policy: what is done otherwise with some requests, and how they are told.

What a document may say is here, and what is wrong with it; `matching` asks it of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import iscoroutinefunction
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    field_validator,
    model_serializer,
    model_validator,
)

from cascade_core.fitted.score_forms import Share
from cascade_core.likeness import likeness
from cascade_core.policy.languages import check_language
from cascade_core.policy.patterns import check_pattern
from cascade_core.policy.rule_parts import (
    Hours,
    OneText,
    RulePart,
    Size,
    SomeValues,
    Texts,
    TierIndex,
    keys_of,
)


class Match(RulePart):
    """Which requests a rule is about; where several keys are given, all have to hold.

    Attributes:
        tag: One of the caller's tags.
        class_name: The request's class: what an earlier rule named, else the caller's.
        metadata: SomeValues of the caller's metadata, by key.
        tool: Name of a tool that is offered.
        input_tokens: How long the request is.
        language: Code of the language of the last user message, as in ISO 639-1.
        regex: A pattern that is found in the last user message.
        time: When it is asked.
        all: Matches that all hold.
        any: Matches of which one holds.
        not_: A match that does not hold.
    """

    tag: Texts | None = None
    class_name: Texts | None = Field(None, alias="class")
    metadata: Annotated[dict[str, SomeValues], Field(min_length=1)] | None = None
    tool: Texts | None = None
    input_tokens: Size | None = None
    language: Texts | None = None
    regex: OneText | None = None
    time: Hours | None = None
    all: Annotated[tuple[Match, ...], Field(min_length=1)] | None = None
    any: Annotated[tuple[Match, ...], Field(min_length=1)] | None = None
    not_: Match | None = Field(None, alias="not")

    _predicate: Callable[[Any], Any] | None = PrivateAttr(None)

    @field_validator("language")
    @classmethod
    def _languages(cls, codes: Sequence[str] | None) -> Sequence[str] | None:
        return codes if codes is None else tuple(map(check_language, codes))

    @field_validator("regex")
    @classmethod
    def _pattern(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            check_pattern(pattern)
        return pattern

    @model_validator(mode="wrap")
    @classmethod
    def _or_function(cls, given: Any, read: Callable[[Any], Self]) -> Self:
        """Take a function of Python code as the whole of a match."""
        if not callable(given) or isinstance(given, BaseModel):
            return read(given)
        if iscoroutinefunction(given):
            msg = "must be a plain function, not an async one: rules are asked before any waiting"
            raise ValueError(msg)
        made = cls.model_construct()
        made._predicate = given  # noqa: SLF001 - it is ours
        return made

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self._predicate is None and not self.said():
            msg = f"says nothing of a request; give one or more of {', '.join(keys_of(Match))}"
            raise ValueError(msg)
        return self

    @model_serializer(mode="wrap")
    def _in_its_words(self, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        if self._predicate is not None:  # told apart, and never read again
            return {"predicate": likeness(self._predicate)}
        return super()._in_its_words(dump)

    @property
    def predicate(self) -> Callable[[Any], Any] | None:
        """The function `(request) -> bool` that it is, if it is one."""
        return self._predicate

    def parts(self) -> Iterator[Match]:
        """Yield it and every match in it."""
        yield self
        for part in (*(self.all or ()), *(self.any or ()), *([self.not_] if self.not_ else [])):
            yield from part.parts()


class Action(RulePart):
    """What is done with the requests that a rule is about.

    Attributes:
        class_name: The class that they are of.
        bypass: Indexes of tiers that are not asked, counted from 0; true = all but the last.
        pin: TierIndex of the only tier that may see them, counted from 0.
        thresholds: What confidences have to reach, one for every tier but the last; one more is
            the last tier's, as in the policy. Without it, the policy's holds.
        escalate: False = the first draft is the answer.
        audit: Probability with which an answer is audited.
        log_content: Whether the log holds prompts and answers.
    """

    class_name: OneText | None = Field(None, alias="class")
    bypass: Annotated[tuple[TierIndex, ...], Field(min_length=1)] | Literal[True] | None = None
    pin: TierIndex | None = None
    thresholds: Annotated[tuple[Share, ...], Field(min_length=1)] | None = None
    escalate: Literal[False] | None = None
    audit: Share | None = None
    log_content: StrictBool | None = None

    @field_validator("bypass", mode="before")
    @classmethod
    def _all_or_some(cls, given: object) -> object:
        if given is None or given is True or isinstance(given, list | tuple):
            return given
        msg = "must be true, or a list of tiers counted from 0"
        raise ValueError(msg)

    @field_validator("escalate", mode="before")
    @classmethod
    def _only_not(cls, given: object) -> object:
        if given is None or given is False:
            return given
        msg = (
            "must be false: the first draft is the answer; leave it out where drafts may be sent on"
        )
        raise ValueError(msg)

    @model_validator(mode="after")
    def _together(self) -> Self:
        if not self.said():
            msg = f"says nothing to do; give one or more of {', '.join(keys_of(Action))}"
            raise ValueError(msg)
        if problem := self._contradiction():
            raise ValueError(problem)
        return self

    def _contradiction(self) -> str | None:
        if self.pin is not None:
            if isinstance(self.bypass, tuple) and self.pin in self.bypass:
                return f"pin asks tier {self.pin} alone and bypass leaves it out: take one away"
            if self.thresholds is not None:
                return "pin takes what the tier says, so thresholds have no use: take one away"
            if self.audit:
                return (
                    "pin keeps a request from every other tier and audit sends it to the last: "
                    "take one away"
                )
        if self.thresholds is not None and self.escalate is False:
            return (
                "escalate: false returns the first draft whatever its confidence, so thresholds "
                "have no use: take one away"
            )
        if self.thresholds is not None and self.bypass is True:
            return "bypass leaves no draft to hold against thresholds: take one away"
        return None

    @property
    def only_names(self) -> bool:
        """Whether it names a class and does nothing else: the search for a rule goes on."""
        return self.said() == ["class"]


class Rule(BaseModel):
    """What is done with some requests.

    Attributes:
        name: What records call it.
        match: Which requests it is about; in Python also a function `(request) -> bool`.
        then: What is done with them.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    name: OneText
    match: Match
    then: Action

    @property
    def in_python(self) -> bool:
        """Whether it asks a function, which no file can hold."""
        return any(part.predicate is not None for part in self.match.parts())
