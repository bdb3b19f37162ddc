"""Collecting over real HTTP, from the embedded models and from a server that misbehaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

from cascade_demo.desk import grade, tickets
from cascade_demo.server import DemoServer
from langchain_cascade.collecting import acollect
from langchain_cascade.commands.collect import collect
from tests.http.asking import KEY, PRICES
from tests.http.asking import client as any_client
from tests.http.stub import Say, Stub, refused

TICKETS = tickets("tune", 40)
ASKED = [
    {"id": t.id, "request": t.text, "reference": t.reference, "class": t.ticket_class}
    for t in TICKETS
]
BY_TEXT = {t.text: t for t in TICKETS}


def as_the_desk_grades(request: str, answer: str, reference: str | None) -> float:
    return float(grade(answer, BY_TEXT[request]))


def client(server: Any, model: str) -> Any:
    """Return a client with connections of its own: those of an event loop end with it."""
    return any_client(server, model, http_async_client=httpx.AsyncClient(trust_env=False))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_the_embedded_models_give_a_table_worth_tuning_on(
    desk: DemoServer, tmp_path: Path
) -> None:
    out = tmp_path / "labels.csv"
    found = await acollect(
        ASKED,
        [client(desk, "desk-small"), client(desk, "desk-large")],
        out,
        quality=as_the_desk_grades,
        prices=PRICES,
    )
    cheap, strong = found.tiers
    assert (found.n, found.failed, found.unpriced) == (40, 0, 0)
    assert cheap.quality is not None
    assert strong.quality is not None
    assert 0.2 < cheap.quality < strong.quality <= 1
    assert cheap.readings == {"sequence_logprob": 40}
    rows = rows_of(out)
    right = [float(r["t0_signal_sequence_logprob"]) for r in rows if float(r["t0_quality"])]
    wrong = [float(r["t0_signal_sequence_logprob"]) for r in rows if not float(r["t0_quality"])]
    assert sum(right) / len(right) > sum(wrong) / len(wrong), "the signal knows something"
    assert all(float(r["t0_cost_usd"]) < float(r["t1_cost_usd"]) for r in rows)
    assert KEY not in out.read_text()


@pytest.mark.parametrize(
    ("quality", "host", "status", "usable", "dearer"),
    # The small model's sentences are never those of the large one: nothing to tune, and so said.
    # The desk's model is no judge: it replies with a sentence, which grades nothing. Two hosts,
    # for langchain-openai keeps one pool of connections a host, and with it a closed event loop.
    [("agreement", "127.0.0.1", 1, 6, 1.0), ("judge", "localhost", 1, 0, 1.01)],
)
def test_the_command_does_all_of_it_with_models_by_name(
    desk: DemoServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    quality: str,
    host: str,
    status: int,
    usable: int,
    dearer: float,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", desk.base_url.replace("127.0.0.1", host))
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    requests, out = tmp_path / "requests.jsonl", tmp_path / "labels.csv"
    requests.write_text("".join(f"{json.dumps(asked)}\n" for asked in ASKED[:6]))
    app = typer.Typer()
    app.command()(collect)
    models = "--tier openai:desk-small --tier openai:desk-large"
    judge = " --judge openai:desk-large" if quality == "judge" else ""
    options = f"{models}{judge} --quality {quality} --max-cost 0.5 --json".split()
    files = [str(requests), "--prices", str(tmp_path / "prices.json"), "--out", str(out)]
    ran = CliRunner().invoke(app, [*files, *options])
    assert ran.exit_code == status, ran.output
    assert ("no row can be tuned on" in ran.stderr) == (usable == 0)
    said = json.loads(ran.stdout)
    assert (said["n"], said["complete"], said["failed"]) == (6, True, 0), ran.output
    assert said["usable"] == usable
    assert said["tiers"][0]["model"] == "desk-small"
    rows = rows_of(out)
    answers = sum(float(row["t0_cost_usd"]) + float(row["t1_cost_usd"]) for row in rows)
    assert said["cost_usd"] >= answers * dearer - 1e-9, "a judge is paid for too"
    assert KEY not in ran.output


async def test_self_consistency_samples_over_the_wire_and_is_priced(
    desk: DemoServer, tmp_path: Path
) -> None:
    out = tmp_path / "labels.jsonl"
    await acollect(
        ASKED[:4],
        [client(desk, "desk-small"), client(desk, "desk-large")],
        out,
        signals=["sequence_logprob", "self_consistency"],
        prices=PRICES,
    )
    text = out.read_text()
    assert text.count("t0_paid_self_consistency_usd") == 4
    assert "t1_paid_self_consistency_usd" not in text


async def test_what_a_provider_refuses_is_counted_and_its_text_is_not_kept(
    stub: Stub, tmp_path: Path
) -> None:
    def moody(body: dict[str, Any]) -> Any:
        bad = "5" in body["messages"][-1]["content"]
        return refused(429, "your secret quota is used up") if bad else Say("fine")

    stub.script("cheap", moody)
    stub.script("strong", "fine")
    out = tmp_path / "labels.csv"
    asked = [{"request": f"question {i}"} for i in range(10)]
    found = await acollect(
        asked, [client(stub, "cheap"), client(stub, "strong")], out, prices=PRICES
    )
    assert found.failed == 1
    (error,) = found.tiers[0].errors
    assert error.endswith("RateLimitError (HTTP 429)")
    rows = rows_of(out)
    assert [row["t0_quality"] for row in rows].count("") == 1
    assert rows[5]["t0_cost_usd"] == rows[5]["t0_response"] == ""
    assert "secret" not in out.read_text()


async def test_a_provider_that_refuses_logprobs_is_asked_without_from_then_on(
    stub: Stub, tmp_path: Path
) -> None:
    def strict(body: dict[str, Any]) -> Any:
        return refused(400, "logprobs are not supported") if body.get("logprobs") else Say("fine")

    stub.script("cheap", strict)
    stub.script("strong", "fine")
    asked = [{"request": f"question {i}"} for i in range(5)]
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    found = await acollect(asked, tiers, tmp_path / "labels.csv", prices=PRICES, concurrency=1)
    assert found.failed == 0
    assert found.tiers[0].cost_usd == pytest.approx(found.tiers[1].cost_usd / 10)  # type: ignore[operator]
    assert sum(bool(body.get("logprobs")) for body in stub.asked("cheap")) == 1


async def test_so_many_requests_are_in_flight_and_no_more(stub: Stub, tmp_path: Path) -> None:
    stub.script("cheap", Say("fine"), Say("fine", delay=0.05, beside=6))
    stub.script("strong", Say("fine", delay=0.05))
    asked = [{"request": f"question {i}"} for i in range(12)]
    tiers = [client(stub, "cheap"), client(stub, "strong")]
    await acollect(asked, tiers, tmp_path / "labels.csv", prices=PRICES, concurrency=6)
    assert stub.peak == 6
