"""What a policy holds about one tier: how readings become a confidence, as plain data.

Everything here is JSON that people can read and nothing has to be trusted: no code
is stored and nothing is unpickled. `cascade_core.fitted.scorer` puts it to use;
this module imports no numpy, so that loading a policy stays quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

Finite: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Index: TypeAlias = Annotated[int, Field(strict=True, ge=-1)]

SOURCES = ("signal", "logit", "request", "draft", "class")
"""What an input can be: a signal's reading or the logit of it, a feature of the request's or
the draft's text, or 1 for requests of a class; written `signal:NAME`, `request:FEATURE`, …"""

LEAF = -1
"""Stands for the feature and the children of a node that has none."""


class Artefact(BaseModel):
    """Frozen plain data; an unknown field is an error."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class Platt(Artefact):
    """A curve: `sigmoid(slope * logit(score) + intercept)`, the score clipped off 0 and 1.

    Platt (1999), on the score's logit; slope 1 and intercept 0 change nothing.
    """

    kind: Literal["platt"] = "platt"
    slope: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
    intercept: Finite


class Isotonic(Artefact):
    """A curve: straight lines between points, level outside them.

    Attributes:
        x: Scores, increasing.
        y: The confidence at each, never falling.
    """

    kind: Literal["isotonic"] = "isotonic"
    x: Annotated[tuple[Finite, ...], Field(min_length=1)]
    y: tuple[Share, ...]

    @model_validator(mode="after")
    def _ordered(self) -> Isotonic:
        _same_length(self, "x", ("y",))
        if any(after <= before for before, after in pairwise(self.x)):
            raise ValueError("x must increase from point to point")
        if any(after < before for before, after in pairwise(self.y)):
            raise ValueError("y must not fall from point to point")
        return self


FittedCurve: TypeAlias = Annotated[Platt | Isotonic, Field(discriminator="kind")]


class SignalScore(Artefact):
    """A score: one signal's reading as it is."""

    kind: Literal["signal"] = "signal"
    signal: Annotated[str, Field(min_length=1)]


class Words(Artefact):
    """Weights of the request's words, hashed so that no word of any prompt is kept.

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
    """A score: `sigmoid(intercept + Σ weight * value + Σ missing + words)`.

    Attributes:
        inputs: What is read, as `source:name`; the sources are `SOURCES`.
        low: Lower end of what each input may be; less is raised to it.
        high: Upper end of what each input may be; more is lowered to it.
        fill: Stands in for each input that has no reading.
        weights: Weight of each input.
        missing: Added, in logits, where an input has no reading.
        intercept: The logit with everything at 0.
        words: Weights of the request's words.
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

    @field_validator("inputs")
    @classmethod
    def _known(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        return _check_inputs(inputs)

    @model_validator(mode="after")
    def _sizes(self) -> Logistic:
        _same_length(self, "inputs", ("low", "high", "fill", "weights", "missing"))
        if any(low > high for low, high in zip(self.low, self.high, strict=True)):
            raise ValueError("low must not be above high")
        return self


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
    threshold: tuple[Finite, ...]
    missing_left: tuple[bool, ...]
    left: tuple[Index, ...]
    right: tuple[Index, ...]
    value: tuple[Finite, ...]

    @field_validator("inputs")
    @classmethod
    def _known(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        return _check_inputs(inputs)

    @model_validator(mode="after")
    def _trees(self) -> Boosting:
        _same_length(self, "feature", ("threshold", "missing_left", "left", "right", "value"))
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


Score: TypeAlias = Annotated[SignalScore | Logistic | Boosting, Field(discriminator="kind")]


class CurvedScore(Artefact):
    """How readings become one number in [0, 1] that says something of a tier's draft.

    Attributes:
        score: What orders the drafts.
        curve: Turns the score into the number; None where it already is one.
        class_curves: Used in place of `curve` for requests of these classes.
    """

    score: Score
    curve: FittedCurve | None = None
    class_curves: dict[str, FittedCurve] = Field(default_factory=dict)

    @property
    def parts(self) -> tuple[CurvedScore, ...]:
        """This one, and those that go with it."""
        return (self,)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Everything that is read, as `source:name`."""
        read = (name for part in self.parts for name in _read_by(part.score))
        return tuple(dict.fromkeys(read))

    @property
    def signals(self) -> tuple[str, ...]:
        """The names of the signals that are read."""
        return tuple(dict.fromkeys(names_of(self.inputs, "signal", "logit")))

    @property
    def reads_text(self) -> bool:
        """Whether the text of the request or the draft is looked at."""
        return self.reads_request or self.reads_draft

    @property
    def reads_request(self) -> bool:
        """Whether the text of the request is looked at."""
        words = any(isinstance(p.score, Logistic) and p.score.words for p in self.parts)
        return words or bool(names_of(self.inputs, "request"))

    @property
    def reads_draft(self) -> bool:
        """Whether the text of the draft is looked at."""
        return bool(names_of(self.inputs, "draft"))


class Benefit(Artefact):
    """What asking on would gain over a tier's draft, and how much that weighs.

    The benefit is the expected quality of what the later tiers would answer, less that of the
    draft, in [-1, 1]. It is the mean of what its two parts say, or what the one says that is
    there.

    Attributes:
        next: The expected quality of what the later tiers would answer: less the confidence, it
            is the benefit.
        keep: `(1 - benefit) / 2`, fitted as it is; high where the draft is better kept.
        weight: `w` in a draft's merit, `(1 - w) * confidence + w * (1 - benefit) / 2`.
    """

    next: CurvedScore | None = None
    keep: CurvedScore | None = None
    weight: Annotated[float, Field(strict=True, gt=0, le=1)]

    @model_validator(mode="after")
    def _says_something(self) -> Benefit:
        if self.next is None and self.keep is None:
            raise ValueError("a benefit needs next, keep or both")
        return self


class ExtraCost(CurvedScore):
    """What asking on is expected to cost, so that a dear answer needs more of a gain.

    The number that is worked out is a share of `most_usd`.

    Attributes:
        most_usd: USD that the number 1 stands for.
        least: The share of it below which all is taken for equally cheap.
        power: How much costs count: a gain is divided by `(share / least) ** power`.
    """

    most_usd: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
    least: Annotated[float, Field(strict=True, gt=0, le=1)]
    power: Annotated[float, Field(strict=True, gt=0, le=1)]


class Calibrator(CurvedScore):
    """How one tier's readings become the probability that its draft is good.

    Attributes:
        benefit: What asking on would gain, where thresholds go by that too; None where they go
            by the confidence alone.
        extra_cost: What asking on would cost, where thresholds go by that too.
    """

    benefit: Benefit | None = None
    extra_cost: ExtraCost | None = None

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not there: earlier versions know no such fields."""
        plain: dict[str, Any] = handler(self)
        for name in ("benefit", "extra_cost"):
            if getattr(self, name) is None:
                plain.pop(name, None)
        return plain

    @property
    def weighs(self) -> bool:
        """Whether a draft's merit is more than the confidence in it."""
        return self.benefit is not None or self.extra_cost is not None

    @property
    def parts(self) -> tuple[CurvedScore, ...]:
        """This one, and those that its benefit and extra cost are made of."""
        found = () if self.benefit is None else (self.benefit.next, self.benefit.keep)
        return (self, *(part for part in (*found, self.extra_cost) if part is not None))

    @property
    def alone(self) -> Calibrator:
        """What the confidence alone takes."""
        return self.model_copy(update={"benefit": None, "extra_cost": None})


def names_of(inputs: Sequence[str], *sources: str) -> tuple[str, ...]:
    """Return the names among `source:name` inputs that come from some sources."""
    return tuple(name for kind, _, name in (i.partition(":") for i in inputs) if kind in sources)


def _read_by(score: SignalScore | Logistic | Boosting) -> tuple[str, ...]:
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


def _same_length(artefact: Artefact, first: str, others: Sequence[str]) -> None:
    length = len(getattr(artefact, first))
    for other in others:
        found = len(getattr(artefact, other))
        if found != length:
            raise ValueError(f"{other} has {found} entries and {first} {length}")
