"""What cascades of synthesizers and of query engines share."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from llamaindex_cascade import CascadeQueryEngine, CascadeSynthesizer
from tests.llamaindex.fakes import UNSURE, cheap, strong
from tests.llamaindex.retrieval import QUESTION, facts, nodes


def query_engine() -> CascadeQueryEngine:
    index = facts()
    llms = cheap(UNSURE), strong()
    return CascadeQueryEngine(tiers=[index.as_query_engine(llm=llm) for llm in llms])


def synthesizer() -> CascadeSynthesizer:
    return CascadeSynthesizer(tiers=[cheap(UNSURE), strong()])


both = pytest.mark.parametrize("make", [query_engine, synthesizer])


def answered(engine: Any) -> dict[str, Any]:
    if isinstance(engine, CascadeSynthesizer):
        return engine.synthesize(QUESTION, nodes()).metadata["cascade"]
    return engine.query(QUESTION).metadata["cascade"]


@both
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_share_their_tiers_and_decide_alike(
    make: Callable[[], Any], copied: Callable[[Any], Any]
) -> None:
    engine = make()
    other = copied(engine)
    assert other is not engine
    assert other.tiers == engine.tiers
    assert answered(other)["reason"] == answered(engine)["reason"] == "low_confidence"


@both
def test_pickles_are_refused_in_one_sentence(make: Callable[[], Any]) -> None:
    with pytest.raises(pickle.PicklingError, match="make it where it is used"):
        pickle.dumps(make())
