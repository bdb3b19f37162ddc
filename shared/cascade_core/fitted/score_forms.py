"""What orders a tier's drafts, as plain data: one signal, or a score learned from labels.

Everything here is JSON that people can read and nothing has to be trusted: no code
is stored and nothing is unpickled. `cascade_core.fitted.combiners` puts it to use;
this module imports no numpy, so that loading a policy stays quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    field_validator,
    model_serializer,
    model_validator,
)

LARGEST = 1e100
"""Beyond any number that is fitted; the product of two such numbers is one that can be written."""

Finite: TypeAlias = Annotated[
    float, Field(strict=True, ge=-LARGEST, le=LARGEST, allow_inf_nan=False)
]
Border: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number that readings are only compared with: trees put some beyond any reading there is."""
Share: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0, le=LARGEST, allow_inf_nan=False)]
Index: TypeAlias = Annotated[int, Field(strict=True, ge=-1)]

SOURCES = ("signal", "logit", "request", "draft", "class")
"""What an input can be: a signal's reading or the logit of it, a feature of the request's or
the draft's text, or 1 for requests of a class; written `signal:NAME`, `request:FEATURE`, …"""

LEAF = -1
"""Stands for the feature and the children of a node that has none."""


class Artefact(BaseModel):
    """Frozen plain data; an unknown field is an error."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class SignalScore(Artefact):
    """A score: one signal's reading as it is."""

    kind: Literal["signal"] = "signal"
    signal: Annotated[str, Field(min_length=1)]


class Words(Artefact):
    """Weights of a text's words, hashed so that no word of any prompt or draft is kept.

    Attributes:
        buckets: How many buckets the words fall into.
        weights: Weight by bucket; a bucket that is not named weighs 0.
    """

    buckets: Annotated[int, Field(strict=True, ge=1)]
    weights: dict[int, Finite]

    @model_validator(mode="after")
    def _within(self) -> Words:
        if any(not 0 <= bucket < self.buckets for bucket in self.weights):
            raise ValueError(f"every bucket of weights must lie in 0..{self.buckets - 1}")
        return self


class Logistic(Artefact):
    """A score: `sigmoid(intercept + Σ weight * value + Σ missing + words + draft_words)`.

    Attributes:
        inputs: What is read, as `source:name`; the sources are `SOURCES`.
        low: Lower end of what each input may be; less is raised to it.
        high: Upper end of what each input may be; more is lowered to it.
        fill: Stands in for each input that has no reading.
        weights: Weight of each input.
        missing: Added, in logits, where an input has no reading.
        intercept: The logit with everything at 0.
        words: Weights of the request's words.
        draft_words: Weights of the draft's words.
    """

    kind: Literal["logistic"] = "logistic"
    inputs: tuple[str, ...]
    low: tuple[Finite, ...]
    high: tuple[Finite, ...]
    fill: tuple[Finite, ...]
    weights: tuple[Finite, ...]
    missing: tuple[Finite, ...]
    intercept: Finite
    words: Words | None = None
    draft_words: Words | None = None

    @field_validator("inputs")
    @classmethod
    def _known(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        return _check_inputs(inputs)

    @model_validator(mode="after")
    def _sizes(self) -> Logistic:
        same_length(self, "inputs", ("low", "high", "fill", "weights", "missing"))
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("low must not be above high")
        return self

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out draft words that are not there: earlier versions know no such field."""
        plain: dict[str, Any] = handler(self)
        if self.draft_words is None:
            plain.pop("draft_words", None)
        return plain


class Boosting(Artefact):
    """A score: `sigmoid(base + Σ leaves reached)`, one leaf per tree.

    The nodes of all trees stand behind each other, children behind their parents.

    Attributes:
        inputs: As in `Logistic`.
        base: The logit before any tree.
        roots: Where each tree begins; the first begins at 0.
        feature: Position in `inputs` that a node asks about; -1 for a leaf.
        threshold: At most that much goes left; 0 for a leaf.
        missing_left: Whether no reading goes left.
        left: The node to go to on the left; -1 for a leaf.
        right: The same on the right.
        value: What a leaf adds, in logits; 0 for other nodes.
    """

    kind: Literal["boosting"] = "boosting"
    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    base: Finite
    roots: Annotated[tuple[Index, ...], Field(min_length=1)]
    feature: tuple[Index, ...]
    threshold: tuple[Border, ...]
    missing_left: tuple[StrictBool, ...]
    left: tuple[Index, ...]
    right: tuple[Index, ...]
    value: tuple[Finite, ...]

    @field_validator("inputs")
    @classmethod
    def _known(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        return _check_inputs(inputs)

    @model_validator(mode="after")
    def _trees(self) -> Boosting:
        same_length(self, "feature", ("threshold", "missing_left", "left", "right", "value"))
        ends = (*self.roots[1:], len(self.feature))
        if self.roots[0] != 0 or any(a >= b for a, b in zip(self.roots, ends, strict=True)):
            raise ValueError("roots must increase from 0 and stay within the nodes")
        for root, end in zip(self.roots, ends, strict=True):
            for node in range(root, end):
                self._check_node(node, end)
        return self

    def _check_node(self, node: int, end: int) -> None:
        if self.feature[node] == LEAF:
            if self.left[node] != LEAF or self.right[node] != LEAF:
                raise ValueError(f"node {node} is a leaf and must have no children")
        elif self.feature[node] >= len(self.inputs):
            raise ValueError(f"node {node} asks about an input that is not there")
        # Children behind their parent: no walk through a tree can go round in circles.
        elif not (node < self.left[node] < end and node < self.right[node] < end):
            raise ValueError(f"the children of node {node} must come behind it, in its tree")


class Mean(Artefact):
    """A score: `sigmoid(Σ weight * logit of each part)`.

    Attributes:
        parts: Learned scores.
        weights: Weight of each part's logit.
    """

    kind: Literal["mean"] = "mean"
    parts: Annotated[
        tuple[Annotated[Logistic | Boosting, Field(discriminator="kind")], ...],
        Field(min_length=1),
    ]
    weights: tuple[Positive, ...]

    @model_validator(mode="after")
    def _sizes(self) -> Mean:
        same_length(self, "parts", ("weights",))
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """Everything that any part reads, as `source:name`."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.inputs))


Learned: TypeAlias = Logistic | Boosting | Mean
"""A score that is learned from labels."""

Score: TypeAlias = Annotated[SignalScore | Learned, Field(discriminator="kind")]


def request_words(score: SignalScore | Learned) -> list[tuple[float, Words]]:
    """Return what the words of requests add to a score's logit, and times how much."""
    return [(times, part.words) for times, part in _regressions(score) if part.words is not None]


def draft_words(score: SignalScore | Learned) -> list[tuple[float, Words]]:
    """Return what the words of drafts add to a score's logit, and times how much."""
    return [
        (times, part.draft_words)
        for times, part in _regressions(score)
        if part.draft_words is not None
    ]


def _regressions(score: SignalScore | Learned) -> list[tuple[float, Logistic]]:
    if isinstance(score, Mean):
        parts = zip(score.weights, score.parts, strict=True)
        return [(times, part) for times, part in parts if isinstance(part, Logistic)]
    return [(1.0, score)] if isinstance(score, Logistic) else []


def names_of(inputs: Sequence[str], *sources: str) -> tuple[str, ...]:
    """Return the names among `source:name` inputs that come from some sources."""
    return tuple(name for kind, _, name in (i.partition(":") for i in inputs) if kind in sources)


def read_by(score: SignalScore | Learned) -> tuple[str, ...]:
    """Return everything that a score reads, as `source:name`."""
    return (f"signal:{score.signal}",) if isinstance(score, SignalScore) else score.inputs


def _check_inputs(inputs: tuple[str, ...]) -> tuple[str, ...]:
    for given in inputs:
        source, _, name = given.partition(":")
        if source not in SOURCES or not name:
            known = ", ".join(f"{source}:NAME" for source in SOURCES)
            raise ValueError(f"unknown input {given!r}; an input is one of {known}")
    if len(set(inputs)) < len(inputs):
        raise ValueError("an input must not be named twice")
    return inputs


def same_length(artefact: Artefact, first: str, others: Sequence[str]) -> None:
    """Raise `ValueError` where lists that go together are of different lengths."""
    length = len(getattr(artefact, first))
    for other in others:
        found = len(getattr(artefact, other))
        if found != length:
            raise ValueError(f"{other} has {found} entries and {first} {length}")
