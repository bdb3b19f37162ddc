"""What a policy holds about one tier: how readings become a confidence, as plain data.

Everything here is JSON that people can read and nothing has to be trusted: no code
is stored and nothing is unpickled. `cascade_core.fitted.scorer` puts it to use;
this module imports no numpy, so that loading a policy stays quick.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from cascade_core.fitted.score_forms import (
    LARGEST,
    Artefact,
    Finite,
    Positive,
    Score,
    Share,
    draft_words,
    names_of,
    read_by,
    request_words,
    same_length,
)


class Platt(Artefact):
    """A curve: `sigmoid(slope * logit(score) + intercept)`, the score clipped off 0 and 1.

    Platt (1999), on the score's logit; slope 1 and intercept 0 change nothing.
    """

    kind: Literal["platt"] = "platt"
    slope: Annotated[float, Field(strict=True, ge=0, le=LARGEST, allow_inf_nan=False)]
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
        same_length(self, "x", ("y",))
        if any(after <= before for before, after in pairwise(self.x)):
            raise ValueError("x must increase from point to point")
        if any(after < before for before, after in pairwise(self.y)):
            raise ValueError("y must not fall from point to point")
        return self


FittedCurve: TypeAlias = Annotated[Platt | Isotonic, Field(discriminator="kind")]


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
        read = (name for part in self.parts for name in read_by(part.score))
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
        words = any(request_words(part.score) for part in self.parts)
        return words or bool(names_of(self.inputs, "request"))

    @property
    def reads_draft(self) -> bool:
        """Whether the text of the draft is looked at."""
        words = any(draft_words(part.score) for part in self.parts)
        return words or bool(names_of(self.inputs, "draft"))


class Benefit(Artefact):
    """What asking on would gain over a tier's draft, and how much that weighs.

    The benefit is the expected quality of what the later tiers would answer, less that of the
    draft, in [-1, 1]. It is the mean of what its two parts say, or what the one says that is
    there.

    Attributes:
        next: The expected quality of what the later tiers would answer: less the confidence, it
            is the benefit.
        keep: `(1 - benefit) / 2`, fitted as it is; high where the draft is better kept.
        weight: `w` in what asking on is expected to gain,
            `(1 - w) * (usual - confidence) + w * benefit`.
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
        mean: The mean share.
        least: The share below which all is taken for equally cheap.
        power: How much costs count: what asking on is expected to gain is divided by
            `(share / mean) ** power`.
    """

    most_usd: Positive
    mean: Annotated[float, Field(strict=True, gt=0, le=1)]
    least: Annotated[float, Field(strict=True, gt=0, le=1)]
    power: Annotated[float, Field(strict=True, gt=0, le=1)]


class Foresight(CurvedScore):
    """What a draft's merit is expected to be before paid signals are read, to tell what they tell.

    Attributes:
        unread: Paid signals that are not read yet where it is asked, the next one first.
        price: What the next one costs, as a share of the mean cost of asking on.
        spread: How far readings move the merit from what is expected, as a share of how far they
            could: 0 where they tell nothing, 1 where each puts it at one of its ends.
    """

    unread: Annotated[tuple[str, ...], Field(min_length=1)]
    price: Positive
    spread: Share


class Calibrator(CurvedScore):
    """How one tier's readings become the probability that its draft is good.

    Attributes:
        benefit: What asking on would gain, where thresholds go by that too; None where they go
            by the confidence alone.
        extra_cost: What asking on would cost, where thresholds go by that too.
        foresight: What is expected before paid signals are read, where one is read only if what
            it may change is worth its price; one for each set of them that may be left.
        usual: The mean quality of what asking on gives. A draft's merit is this, less what asking
            on is expected to gain over it; it matters only where one of these is there.
    """

    benefit: Benefit | None = None
    extra_cost: ExtraCost | None = None
    foresight: tuple[Foresight, ...] = ()
    usual: Share = 1.0

    @model_validator(mode="after")
    def _foresees_what_it_reads(self) -> Calibrator:
        read = names_of(read_by(self.score), "signal", "logit")
        for place, each in enumerate(self.foresight):
            unknown = [name for name in each.unread if name not in read]
            if unknown:
                said = f"foresight[{place}]: unread names {unknown[0]!r}, which is not read at all"
                raise ValueError(said)
            early = [name for name in each.signals if name in each.unread]
            if early:
                raise ValueError(f"foresight[{place}] reads {early[0]!r}, which its unread names")
        return self

    @model_serializer(mode="wrap")
    def _plain(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not there: earlier versions know no such fields."""
        plain: dict[str, Any] = handler(self)
        for name in ("benefit", "extra_cost", "foresight"):
            if not getattr(self, name):
                plain.pop(name, None)
        if not (self.weighs or self.foresight):
            plain.pop("usual", None)
        return plain

    @property
    def weighs(self) -> bool:
        """Whether a draft's merit is more than the confidence in it."""
        return self.benefit is not None or self.extra_cost is not None

    @property
    def parts(self) -> tuple[CurvedScore, ...]:
        """This one, and those that its benefit, extra cost and foresight are made of."""
        found = () if self.benefit is None else (self.benefit.next, self.benefit.keep)
        kept = (part for part in (*found, self.extra_cost) if part is not None)
        return (self, *kept, *self.foresight)

    @property
    def alone(self) -> Calibrator:
        """What the confidence alone takes."""
        return self.model_copy(
            update=dict.fromkeys(("benefit", "extra_cost")) | {"foresight": (), "usual": 1.0}
        )
