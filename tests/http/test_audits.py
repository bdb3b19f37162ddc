"""Audits over real HTTP: behind the answers of both frameworks' own clients, and from a log."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from cascade_core import Audit, flush_log
from cascade_core.collect.logged_requests import draw
from cascade_core.log.reading import read_events, read_records
from cascade_core.signals import Judge
from cascade_demo.desk import tickets
from cascade_demo.server import DemoServer
from langchain_cascade import ChatCascade
from langchain_cascade.commands.audit import audit
from tests.http import test_llamaindex as llamaindex
from tests.http.asking import KEY, PRICES, ask, client
from tests.http.stub import Say, Stub, refused

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
]

FRAMEWORKS = [("langchain", way) for way in ("invoke", "ainvoke", "stream", "astream")]
FRAMEWORKS += [("llamaindex", way) for way in ("chat", "achat", "stream", "astream")]


def fresh(desk: DemoServer) -> list[Any]:
    """Return clients with connections of their own: those of an event loop end with it."""
    return [
        client(desk, name, http_async_client=httpx.AsyncClient(trust_env=False))
        for name in ("desk-small", "desk-large")
    ]


async def asked(framework: str, how: str, stub: Stub, url: str, **audit: Any) -> None:
    """Ask a cascade of real clients once, and wait for its audit."""
    settings = {"log": url, "audit": Audit(1.0, **audit)}
    if framework == "langchain":
        tiers = [client(stub, "cheap"), client(stub, "strong")]
        cascade: Any = ChatCascade(tiers=tiers, prices=PRICES, **settings)
        await ask(cascade, how, "When is my invoice due?")
    else:
        cascade = llamaindex.cascade(stub, **settings)
        await llamaindex.ask(cascade, how)
    assert await asyncio.to_thread(flush_log, 120)


@pytest.mark.parametrize(("framework", "how"), FRAMEWORKS)
async def test_an_answer_is_compared_behind_it(
    framework: str, how: str, stub: Stub, tmp_path: Path
) -> None:
    stub.script("cheap", "On the first of May.")
    stub.script("strong", "On the first of May.")
    stub.script("judge", "A")
    url = f"sqlite:///{tmp_path}/decisions.db"
    make = llamaindex.client if framework == "llamaindex" else client
    await asked(framework, how, stub, url, compare=Judge(make(stub, "judge")))
    (record,), (event,) = list(read_records(url)), list(read_events(url))
    assert record["audit"] == {"probability": 1.0, "picked": True}
    assert (event["decision"], event["status"], event["harm"]) == (record["id"], "done", 0.0)
    assert event["compare"] == "judge:judge"
    assert [len(stub.asked(name)) for name in ("cheap", "strong", "judge")] == [1, 1, 2]
    (cheap,), (strong,) = stub.asked("cheap"), stub.asked("strong")
    assert cheap["messages"] == strong["messages"]
    assert not strong.get("logprobs"), "the strongest tier's answer is read by nobody"
    assert event["strong_cost_usd"] == next(
        call["cost_usd"] for call in event["calls"] if call["purpose"] == "audit"
    )
    assert event["cost_usd"] is None, "the judge has no price here"
    assert KEY not in str(event)


@pytest.mark.parametrize(("framework", "how"), FRAMEWORKS)
async def test_a_strong_model_that_refuses_costs_nobody_an_answer(
    framework: str, how: str, stub: Stub, tmp_path: Path
) -> None:
    stub.script("cheap", "On the first of May.")
    stub.script("strong", refused(429, "your secret quota is used up"))
    url = f"sqlite:///{tmp_path}/decisions.db"
    await asked(framework, how, stub, url)
    (event,) = read_events(url)
    assert (event["status"], event["harm"]) == ("failed", None)
    assert event["why"].endswith("RateLimitError (HTTP 429)")
    assert "secret" not in str(event)


async def test_many_at_a_time_have_each_its_own_audit(stub: Stub, tmp_path: Path) -> None:
    stub.script("cheap", Say("42"))
    stub.script("strong", Say("43", delay=0.05))
    url = f"sqlite:///{tmp_path}/decisions.db"
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    cascade = ChatCascade(tiers=tiers, prices=PRICES, log=url, audit=1.0)
    answers = await asyncio.gather(*(cascade.ainvoke(f"question {n}") for n in range(30)))
    assert {answer.content for answer in answers} == {"42"}
    assert await asyncio.to_thread(flush_log, 120)
    ids = {record["id"] for record in read_records(url)}
    events = list(read_events(url))
    assert {event["decision"] for event in events} == ids
    assert [event["harm"] for event in events] == [1.0] * 30
    assert sum(event["cost_usd"] for event in events) > 0


def dear(log: str, seed: int) -> int:
    """Return of how many requests that a seed picks the strong model is yet to be asked."""
    drawn = draw(read_records(log), [], rate=0.5, seed=seed, tiers=2, cascade=None)
    return sum(logged.record["tier"] == 0 for logged in drawn.todo)


@pytest.mark.parametrize("log", ["sqlite:///{}/kept.db", "{}/kept.jsonl"])
async def test_a_log_is_audited_later_and_goes_on_where_it_was_stopped(
    log: str, desk: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    source = log.format(tmp_path)
    tiers = [client(desk, "desk-small"), client(desk, "desk-large")]
    cascade = ChatCascade(tiers=tiers, prices=PRICES, log=source, log_content=True)
    for ticket in tickets("test", 30):
        await asyncio.to_thread(cascade.invoke, ticket.text)
    assert await asyncio.to_thread(flush_log, 120)
    app = typer.Typer()
    app.command()(audit)
    monkeypatch.setattr(sys.modules[__name__], "desk_models", lambda: fresh(desk), raising=False)
    options = [source, "--factory", f"{__name__}:desk_models", "--json"]
    options += ["--rate", "0.5", "--prices", str(tmp_path / "prices.json"), "--concurrency", "1"]
    # Chance goes by the ids, which are others every time: one that picks some that cost money.
    options += ["--seed", str(next(seed for seed in count() if dear(source, seed) >= 6))]

    async def run(*more: str) -> dict[str, Any]:
        ran = await asyncio.to_thread(CliRunner().invoke, app, [*options, *more])
        assert ran.exit_code == 0, ran.output
        assert KEY not in ran.output
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    first = await run("--max-usd", "0.0003")
    assert first["stopped"] == "cap"
    assert 0 < first["done"] < first["picked"]
    second = await run()
    assert (second["before"], second["left"], second["stopped"]) == (first["done"], 0, None)
    assert first["done"] + second["done"] == second["picked"] == first["picked"]
    assert (await run())["done"] == 0
    events = list(read_events(source))
    assert len(events) == second["picked"]
    assert {event["probability"] for event in events} == {0.5}
    assert {event["status"] for event in events} == {"done"}
    by_id = {record["id"]: record for record in read_records(source)}
    for event in events:
        assert {tier["tier"] for tier in event["tiers"]} == {0, 1}
        drawn = [tier["tier"] for tier in event["tiers"] if tier["drawn"]]
        assert drawn == [1 - by_id[event["decision"]]["tier"]]
