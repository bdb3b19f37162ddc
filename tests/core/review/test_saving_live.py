"""What is activated on the page decides in cascades that are running, until it is taken back."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cascade_core.log.policies import PolicyStore
from cascade_core.loop.session import Session
from cascade_core.policy.document import Policy
from cascade_core.request import Request
from cascade_core.setup import live
from cascade_core.setup.engine import Engine
from cascade_core.setup.settings import CascadeSettings
from tests.core.loop.test_session import Models
from tests.core.making import Answer, make_tiers
from tests.core.review.test_saving import Page, over
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store


@pytest.fixture(params=["database", "file"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Page, str]:
    """A page, and what cascades have as policy=; a cascade looks when a test says so."""
    monkeypatch.setattr(live, "_SETTLE", 0)
    monkeypatch.setattr(live, "look_after", lambda _: None)
    log, old = f"sqlite:///{tmp_path / 'log.db'}", Policy.load({"name": "p", "thresholds": [0.2]})
    store([decision("d")], log)
    if request.param == "database":
        kept = PolicyStore(log)
        kept.activate(kept.save(old)[0])
        return over(log), log
    old.save(tmp_path / "policy.json")
    return over(log, str(tmp_path / "policy.json")), str(tmp_path / "policy.json")


def test_a_running_cascade_takes_what_is_activated_and_what_is_taken_back(
    place: tuple[Page, str],
) -> None:
    page, policy = place
    settings = {name: field.default for name, field in CascadeSettings.model_fields.items()}
    engine: Any = Engine(SimpleNamespace(**{**settings, "policy": policy}), make_tiers(2))
    models = Models(Answer(probs=[0.5] * 4), Answer())

    def asked() -> tuple[int, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            engine._live.look()
        record = Session(engine, Request.of("Where is my order?"), models).run().record
        return record["tier"], record["threshold"]

    assert asked() == (0, 0.2)
    page.send("threshold", tier="0", value="0.9")
    page.send("save", note="stricter")
    assert asked() == (0, 0.2)  # saving changes nothing for running cascades
    page.send("activate", number="2", instead_of=page.mark)
    assert asked() == (1, 0.9)
    page.send("activate", number="1", instead_of=page.mark, back="1")
    assert asked() == (0, 0.2)
    page.send("bypass", kind="class", value="x")
    page.send(
        "rules", rules='[{"name": "all", "match": {"not": {"tag": "x"}}, "then": {"bypass": true}}]'
    )
    page.send("save", note="")
    page.send("activate", number="3", instead_of=page.mark)
    assert asked() == (1, None)
