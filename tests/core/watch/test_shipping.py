"""What a watch saves: what it decides is its own, and all else is as it was."""

from __future__ import annotations

import pytest

from cascade_core.policy.document import Policy
from cascade_core.watch.passes import LogWatch
from cascade_core.watch.shipping import NAME, strongest
from tests.core.watch.traffic import grow

HARM = 0.05
AS_IT_IS = {
    "score": {"kind": "signal", "signal": "a"},
    "curve": {"kind": "platt", "slope": 1.0, "intercept": 0.0},
}
FIRST_TOKENS = {"score": {"kind": "signal", "signal": "mean_so_far"}}
MINE = Policy.load(
    {
        "name": "desk",
        "calibrators": [AS_IT_IS, AS_IT_IS],
        "thresholds": [0.97, 0.3],
        "commit": [{"checkpoints": [{"tokens": 2, "calibrator": FIRST_TOKENS}]}],
        "defaults": {
            "mode": "shadow",
            "streaming_policy": "commit",
            "on_tool_call": "escalate",
            "on_no_score": "accept",
        },
        "rules": [{"name": "legal", "match": {"tag": "legal"}, "then": {"bypass": True}}],
    }
)
KEPT = {"mode": "shadow", "streaming_policy": "commit", "on_tool_call": "escalate"}


@pytest.mark.parametrize("rises", [False, True])
def test_what_is_not_its_to_decide_is_as_it_was(url: str, rises: bool) -> None:
    grow(url, 0, 300)
    store = LogWatch(url, harm=HARM).store
    number, _ = store.save(MINE)
    store.activate(number)
    LogWatch(url, harm=HARM).once()
    grow(url, 300, 400)
    assert "activated" in [event.kind for event in LogWatch(url, harm=HARM).once()]
    if rises:
        grow(url, 700, 400, worse=0.5)
        assert "withdrawn" in [event.kind for event in LogWatch(url, harm=HARM).once()]
    found = store.active().policy
    assert found.name == "desk"
    assert found.defaults == KEPT, "a cascade in shadow mode began to serve"
    assert found.rules[0].name == "legal"
    assert found.handoff(2) == 0.3
    assert found.calibrators is not None
    assert MINE.calibrators is not None
    assert found.calibrators[-1] == MINE.calibrators[-1]
    # Its rule was fitted beside other confidences: drafts are no longer committed to, and a
    # cascade that is set up to commit goes by the policy all the same.
    assert found.commit is not None
    assert [rule.checkpoints for rule in found.commit] == [()]


def test_without_a_policy_before_there_is_nothing_to_go_on_with() -> None:
    found = strongest(None, 3)
    assert (found.name, found.thresholds, found.defaults) == (NAME, (1.0, 1.0), {})
