"""Draws the pictures of docs/concepts.md that show figures, and prints the figures they show.

    python docs/pictures/concepts.py

The figures are kept beside the pictures, in `figures.txt`: what the page says of them stands there.
All of them are of the demo: its tickets, answered by both of its models. The first 1,000 are what
a policy is tuned on, and the others are what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from desk import labelled_tickets
from drawing import CASCADE, CHEAP, GREY, IMAGES, WRONG, picture

from cascade_core.arrays import Array
from cascade_core.calibration import tune
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import ece, ece_noise_floor, reliability, replay
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.signals import SequenceLogprob
from cascade_demo.asking import open_asking
from cascade_demo.desk import grade, tickets

SIGNAL = "sequence_logprob"
LIMIT, SURE = 0.05, 0.95
"""The promise that is drawn."""
LABELS = 600
"""Tickets that each promise is made from."""
CLEARLY, UNCLEARLY = 0.97, 0.8
"""Readings of the two drafts whose tokens are shown."""


def main(
    asked: Annotated[int, typer.Option(help="Tickets to ask both models about.")] = 6000,
    tuned: Annotated[int, typer.Option(help="How many of them a policy is tuned on.")] = 1000,
    draws: Annotated[int, typer.Option(help="Promises to make.")] = 100,
    out: Annotated[Path, typer.Option(help="Folder of the pictures.")] = IMAGES,
) -> None:
    """Draw the pictures and print what they show."""
    table = labelled_tickets(asked)
    policy = tune(table.take(np.arange(tuned)), harm=LIMIT, confidence=SURE)
    shown = table.take(np.arange(tuned, len(table)))
    said = [
        *draw_signal(out),
        *draw_confidence(shown, policy, out),
        *draw_threshold(shown, policy, out),
        *draw_harm(shown, policy, out),
        *draw_promise(table, min(LABELS, tuned), draws, out),
    ]
    text = "\n".join(said) + "\n"
    (out / "figures.txt").write_text(text, "utf-8")
    typer.echo(text, nl=False)


def draw_signal(out: Path) -> Iterator[str]:
    """Draw the probability of every token of two drafts: what the default signal reads."""
    sure, unsure = _two_drafts()
    with picture("signal", out, height=2.7) as figure:
        left, right = figure.subplots(
            1, 2, sharey=True, width_ratios=[len(_tokens(sure)), len(_tokens(unsure))]
        )
        for axes, draft, colour in ((left, sure, CHEAP), (right, unsure, WRONG)):
            tokens, values = _tokens(draft), np.exp(_values(draft))
            at = np.arange(len(tokens))
            axes.bar(at, values, color=colour, width=0.7)
            axes.set_xticks(at, tokens, rotation=50, ha="right", rotation_mode="anchor")
            axes.tick_params(length=0)
            axes.set(ylim=(0, 1.02), yticks=[0, 0.5, 1])
            reading = SequenceLogprob().read(_values(draft))
            rightly = "right" if colour == CHEAP else "wrong"
            axes.set_title(f"{rightly}: reading {reading:.2f}", color=colour, fontsize=11)
            yield f"signal: {draft.text!r} is {rightly} and reads {reading:.2f}"
        left.set_ylabel("token probability")


def _two_drafts() -> tuple[Draft, Draft]:
    """Return the cheap model's first draft that is right and sure, and first that is neither."""
    sure: Draft | None = None
    unsure: Draft | None = None
    with open_asking("langchain", None, None) as asking:
        for ticket in tickets("test", 100):
            draft, _ = asking.drafts(ticket.text)
            reading = SequenceLogprob().read(_values(draft))
            right = grade(draft.text, ticket)
            if right and reading > CLEARLY:
                sure = sure or draft
            elif not right and reading < UNCLEARLY:
                unsure = unsure or draft
            if sure and unsure:
                return sure, unsure
    raise AssertionError("a model that is never sure, or never wrong")


def _values(draft: Draft) -> Sequence[float]:
    assert draft.logprobs is not None  # noqa: S101 - the demo's server sends them
    return draft.logprobs.values


def _tokens(draft: Draft) -> list[str]:
    assert draft.logprobs is not None  # noqa: S101 - the demo's server sends them
    return [token.strip() for token in draft.logprobs.tokens]


def draw_confidence(shown: Table, policy: Policy, out: Path) -> Iterator[str]:
    """Draw what came true of raw readings and of fitted confidences, in ten bins each."""
    right = shown.tiers[0].quality
    said = {
        "raw reading": (GREY, shown.tiers[0].signals[SIGNAL]),
        "fitted confidence": (CHEAP, score(shown, policy).confidences[0]),
    }
    with picture("confidence", out, height=3.8, width=4.6) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
        for label, (colour, confidence) in said.items():
            bins = reliability(confidence, right)
            axes.plot(bins.confidence, bins.quality, "o-", color=colour, label=label, markersize=5)
            floor = ece_noise_floor(confidence)
            yield (
                f"confidence: {label}: misses by {ece(confidence, right):.3f} on average, "
                f"where true probabilities would miss by {floor:.3f}"
            )
        axes.set(xlabel="said", ylabel="share of right drafts", xlim=(0, 1), ylim=(0, 1.02))
        axes.set_aspect("equal")
        axes.legend(loc="upper left")


def draw_threshold(shown: Table, policy: Policy, out: Path) -> Iterator[str]:
    """Draw how confidences of right and of wrong drafts are spread, and the threshold."""
    confidence = score(shown, policy).confidences[0]
    right = shown.tiers[0].quality == 1
    threshold = _threshold(policy)
    edges = np.linspace(0, 1, 21)
    with picture("threshold", out) as figure:
        axes = figure.add_subplot()
        axes.hist(
            [confidence[right], confidence[~right]],
            bins=list(edges),
            log=True,  # most drafts are sure, and would hide the others
            color=[CHEAP, WRONG],
            label=["right drafts", "wrong drafts"],
        )
        axes.axvline(threshold, color=CASCADE, linewidth=2)
        axes.text(
            threshold - 0.01, axes.get_ylim()[1] * 0.7, "threshold", color=CASCADE, ha="right"
        )
        axes.set(xlabel="confidence", ylabel="drafts (log scale)", xlim=(0, 1), ylim=(1, None))
        axes.legend(loc="upper left")
    accepted = confidence >= threshold
    yield (
        f"threshold: {threshold:.3f} accepts {accepted.mean():.1%} of the drafts, "
        f"of which {right[accepted].mean():.1%} are right; "
        f"of the others {right[~accepted].mean():.1%} are"
    )


def draw_harm(shown: Table, policy: Policy, out: Path) -> Iterator[str]:
    """Draw harm as an area: quality lost, over the requests in order of confidence."""
    served = replay(shown, policy)
    scored = served.scored
    order = np.argsort(-np.nan_to_num(scored.confidences[0], nan=-1), kind="stable")
    lost = scored.losses()[0][order]
    accepted = float((served.served.tier == 0).mean())
    rate = _smooth(lost, len(lost) // 25)[:: max(1, len(lost) // 200)]
    share = (np.arange(len(rate)) + 0.5) / len(rate)
    with picture("harm", out) as figure:
        axes = figure.add_subplot()
        kept = share <= accepted
        axes.plot(share, rate, color=GREY, linewidth=1.5)
        axes.fill_between(share[kept], rate[kept], color=WRONG, alpha=0.55, linewidth=0)
        axes.axvline(accepted, color=CASCADE, linewidth=2)
        top = float(rate.max()) * 1.05
        axes.text(accepted - 0.01, top * 0.93, "accepted", color=CASCADE, ha="right")
        axes.text(accepted + 0.01, top * 0.93, "sent on", color=CASCADE, ha="left")
        axes.text(
            accepted * 0.6, top * 0.35, f"harm: {served.means.harm:.3f}", color=WRONG, ha="center"
        )
        axes.set(
            xlabel="share of all requests, most confident first",
            ylabel="quality the strong\nmodel would have added",
            xlim=(0, 1),
            ylim=(0, top),
        )
    yield f"harm: {served.means.harm:.3f} with {accepted:.1%} of the requests accepted"


def draw_promise(table: Table, labels: int, draws: int, out: Path) -> Iterator[str]:
    """Draw the harm, on all other tickets, of policies each tuned on a draw of its own."""
    harms = np.array(list(_harms(table, labels, draws)))
    kept = harms[~np.isnan(harms)]
    broken = int((kept > LIMIT).sum())
    with picture("promise", out, height=2.6) as figure:
        axes = figure.add_subplot()
        for colour, some in ((CASCADE, kept[kept <= LIMIT]), (WRONG, kept[kept > LIMIT])):
            at = np.sort(some)
            axes.plot(at, _stacked(at), "o", color=colour, markersize=5)
        axes.axvline(LIMIT, color=GREY, linewidth=1.5, linestyle="--")
        axes.set(xlabel="harm on fresh tickets", xlim=(0, LIMIT * 1.3), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.text(LIMIT * 1.01, axes.get_ylim()[1], f"{LIMIT} promised", color=GREY, va="top")
    yield (
        f"promise: harm at most {LIMIT} at {SURE} confidence, from {draws} draws of {labels} "
        f"tickets: {len(kept)} made, {draws - len(kept)} refused; {broken} broken, "
        f"mean harm {kept.mean():.3f}"
    )


def _harms(table: Table, labels: int, draws: int) -> Iterator[float]:
    """Tune on one draw after another; NaN where the rows do not carry the promise."""
    generator = np.random.default_rng(0)
    for _ in range(draws):
        order = generator.permutation(len(table))
        try:
            policy = tune(
                table.take(order[:labels]), harm=LIMIT, confidence=SURE, method="signal", skip=False
            )
        except ConfigurationError:
            yield math.nan
        else:
            yield replay(table.take(order[labels:]), policy).means.harm


def _threshold(policy: Policy) -> float:
    assert policy.thresholds is not None  # noqa: S101 - it was tuned
    return policy.thresholds[0]


def _smooth(values: Array, width: int) -> Array:
    """Return the mean of each value's neighbourhood; shorter at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, len(values))
    smooth: Array = (sums[high] - sums[low]) / (high - low)
    return smooth


def _stacked(at: Array) -> Array:
    """Put points that would lie on each other above each other."""
    bins = np.floor(at / (LIMIT / 40))
    return np.array([float((bins[:i] == bins[i]).sum()) for i in range(len(at))])


if __name__ == "__main__":
    typer.run(main)
