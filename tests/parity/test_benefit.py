"""Thresholds that go by what asking on would gain: alike in both frameworks, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core.fitted.artefact import Benefit, Calibrator, CurvedScore, Isotonic
from cascade_core.fitted.merits import Merits
from cascade_core.fitted.score_forms import SignalScore
from cascade_core.policy import Policy
from tests.parity import langchain_way, llamaindex_way
from tests.parity.scenarios import STRONG, Answer, Model, Scenario

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

READING = SignalScore(signal="sequence_logprob")
STRONG_ALONE = Isotonic(x=(0.5, 0.51), y=(0.1, 0.95))
"""What the strong model would answer is good but where the draft is doubtful: that is hard for it,
too."""
BENEFIT = Benefit(next=CurvedScore(score=READING, curve=STRONG_ALONE), weight=0.8)
CALIBRATOR = Calibrator(score=READING, benefit=BENEFIT)
DRAFT = "It ships on Monday morning."

WAYS = [(f, way) for f in (langchain_way, llamaindex_way) for way in f.WAYS]


def made_of(p: float) -> tuple[float, float, float]:
    """Return merit, confidence and benefit of a draft whose tokens all have a probability."""
    merit, confidence, gain = Merits(CALIBRATOR).one({"sequence_logprob": p})
    assert merit is not None
    assert confidence is not None
    assert gain is not None
    return merit, confidence, gain


THRESHOLD = (made_of(0.7)[0] + made_of(0.99)[0]) / 2


@pytest.mark.parametrize(
    ("framework", "way"), WAYS, ids=[f"{f.__name__.rpartition('.')[2]}-{w}" for f, w in WAYS]
)
@pytest.mark.parametrize(
    ("p", "tier"),
    [
        pytest.param(0.99, 0, id="sure"),
        pytest.param(0.7, 1, id="to be mended by asking on"),
        pytest.param(0.45, 0, id="hard for both"),
        pytest.param(0.55, 1, id="hardly better, to be mended"),
    ],
)
async def test_who_answers_and_what_the_record_says(
    framework: Any, way: str, p: float, tier: int
) -> None:
    row = Scenario(
        "a draft that is weighed",
        [Model(Answer(DRAFT, p=p)), STRONG],
        trail=[],
        reason="",
        settings={"policy": Policy(calibrators=(CALIBRATOR,), thresholds=(THRESHOLD,))},
    )
    outcome = await framework.run(row, way)
    assert outcome.record["tier"] == tier
    assert outcome.shown == (STRONG.draft.text if tier else DRAFT, [])
    (judged,) = outcome.record["judged"]
    assert judged["threshold"] == THRESHOLD
    for name, value in zip(("merit", "confidence", "benefit"), made_of(p), strict=True):
        assert judged[name] == pytest.approx(value)
        assert outcome.record[name] == judged[name]


GAIN_FALLS = Benefit(
    keep=CurvedScore(score=READING, curve=Isotonic(x=(0.2, 0.9), y=(0.2, 0.6))), weight=0.5
)
"""The surer a draft, the less asking on would gain: then first tokens may settle the matter."""


@pytest.mark.parametrize(
    ("framework", "way"), WAYS, ids=[f"{f.__name__.rpartition('.')[2]}-{w}" for f, w in WAYS]
)
async def test_a_stream_that_is_cut_was_sent_on_whole_as_well(framework: Any, way: str) -> None:
    calibrator = Calibrator(score=READING, benefit=GAIN_FALLS)
    merit, confidence, gain = Merits(calibrator).one({"sequence_logprob": 0.3})
    threshold = Merits(calibrator).one({"sequence_logprob": 0.8})[0]
    assert threshold is not None
    row = Scenario(
        "a draft that is hopeless",
        [Model(Answer(" ".join([DRAFT] * 4), p=0.3), max_tokens=20), STRONG],
        trail=[],
        reason="",
        settings={"policy": Policy(calibrators=(calibrator,), thresholds=(threshold,))},
    )
    outcome = await framework.run(row, way)
    assert (outcome.record["tier"], outcome.shown) == (1, (STRONG.draft.text, []))
    (judged,) = outcome.record["judged"]
    if "stream" not in way:
        assert outcome.trail[0] == "0 draft rejected:low_confidence"
        assert [judged[name] for name in ("merit", "confidence", "benefit")] == pytest.approx(
            [merit, confidence, gain]
        )
    else:  # what is known of it are bounds
        assert outcome.trail[0] == "0 draft aborted:low_confidence"
        assert (judged["confidence"], judged["benefit"]) == (None, None)
        assert merit is not None
        assert merit <= judged["merit"] < threshold
