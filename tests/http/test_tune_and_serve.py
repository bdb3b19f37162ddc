"""From traffic to a policy and back: collect, tune, serve, over real HTTP.

A policy is tuned on what the embedded models answered. The same tickets are then sent through
cascades that decide by it, and everything a cascade says is what the replay of the table says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from llama_index_instrumentation.dispatcher import instrument_tags

from cascade_core import Policy
from cascade_core.calibration import tune
from cascade_core.evaluation.replaying import Replay, replay
from cascade_core.signals import SequenceLogprob, TokenMargin
from cascade_demo.desk import grade, tickets
from langchain_cascade import ChatCascade
from langchain_cascade.collecting import collect
from llamaindex_cascade import CascadeLLM
from tests.http.asking import KEY, PRICES, client, record_of

SIGNALS = ("sequence_logprob", "token_margin")
TICKETS = tickets("tune", 50)
BY_TEXT = {ticket.text: ticket for ticket in TICKETS}


def as_the_desk_grades(request: str, answer: str, reference: str | None) -> float:
    return float(grade(answer, BY_TEXT[request]))


@dataclass(frozen=True)
class Tuned:
    """A policy on disk, and its replay on the table that it was tuned on."""

    path: Path
    policy: Policy
    replay: Replay


@pytest.fixture(scope="module")
def labels(desk: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "labels.csv"
    asked = [{"id": t.id, "request": t.text, "class": t.ticket_class} for t in TICKETS]
    found = collect(
        asked,
        [
            # Connections of an event loop end with it.
            client(desk, name, http_async_client=httpx.AsyncClient(trust_env=False))
            for name in ("desk-small", "desk-large")
        ],
        out,
        signals=SIGNALS,
        quality=as_the_desk_grades,
        prices=PRICES,
    )
    assert (found.n, found.failed, found.unpriced) == (len(TICKETS), 0, 0)
    return out


@pytest.fixture(scope="module", params=["auto", "logistic"])
def tuned(labels: Path, request: pytest.FixtureRequest) -> Tuned:
    """A policy; the logistic one reads both signals and the class."""
    policy = tune(labels, quality=0.97, method=request.param, name="night shift")
    path = labels.with_name(f"{request.param}.json")
    policy.save(path)
    return Tuned(path, policy, replay(labels, path))


def by_chat_cascade(server: Any, policy: Path) -> Iterator[dict[str, Any]]:
    tiers = [client(server, name) for name in ("desk-small", "desk-large")]
    llm = ChatCascade(tiers=tiers, signals=list(SIGNALS), policy=policy, prices=PRICES)
    for ticket in TICKETS:
        config = {"metadata": {"cascade_class": ticket.ticket_class}}
        yield record_of(llm.invoke(ticket.text, config))


def by_cascade_llm(server: Any, policy: Path) -> Iterator[dict[str, Any]]:
    tiers = [
        OpenAILike(
            model=name, api_base=server.base_url, api_key=KEY, temperature=0, max_retries=0,
            is_chat_model=True,
        )
        for name in ("desk-small", "desk-large")
    ]  # fmt: skip
    signals = [SequenceLogprob(), TokenMargin()]
    llm = CascadeLLM(tiers=tiers, signals=signals, policy=policy, prices=PRICES)
    for ticket in TICKETS:
        with instrument_tags({"cascade_class": ticket.ticket_class}):
            response = llm.chat([ChatMessage(content=ticket.text)])
        yield response.additional_kwargs["cascade"]


each_framework = pytest.mark.parametrize("serve", [by_chat_cascade, by_cascade_llm])


def test_the_policy_on_disk_is_the_one_that_was_tuned(tuned: Tuned) -> None:
    assert Policy.load(tuned.path) == tuned.policy
    assert tuned.policy.calibrators is not None
    assert tuned.policy.tuned is not None
    assert tuned.policy.tuned.models == ("desk-small", "desk-large")
    means = tuned.replay.means
    assert means.quality >= 0.9 * means.strong_quality
    assert means.cost_usd is not None
    assert means.strong_cost_usd is not None
    assert means.cost_usd < means.strong_cost_usd
    assert 0 < means.escalated < 1


@each_framework
def test_served_tickets_are_decided_as_the_replay_says_row_by_row(
    tuned: Tuned, desk: Any, serve: Any
) -> None:
    said, scored, table = tuned.replay.served, tuned.replay.scored, tuned.replay.table
    assert tuned.policy.thresholds is not None
    records = list(serve(desk, tuned.path))
    assert table.ids == [ticket.id for ticket in TICKETS]
    assert [record["tier"] for record in records] == said.tier.tolist()
    for row, record in enumerate(records):
        assert record["policy"] == "night shift"
        assert record["class"] == TICKETS[row].ticket_class
        assert record["cost_usd"] == pytest.approx(said.cost[row], rel=1e-9)
        if scored.skipped[row, 0]:
            assert (record["reason"], record["confidence"]) == ("difficult", None)
            continue
        readings = {name: values[row] for name, values in table.tiers[0].signals.items()}
        assert record["signals"] == pytest.approx(readings, abs=1e-9)
        assert set(readings) == set(SIGNALS)
        assert record["calibrated"] is True
        assert record["threshold"] == tuned.policy.thresholds[0]
        assert record["confidence"] == pytest.approx(scored.confidences[0][row], abs=1e-9)
        assert record["reason"] == ("low_confidence" if record["tier"] else "confident")
