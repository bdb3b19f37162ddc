"""What is written down of a request beside its verdict: its content, if anybody wants it."""

import asyncio
import threading
import warnings
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cascade_core.call import Call
from cascade_core.errors import CascadeExhausted, CascadeWarning
from cascade_core.loop.recording import asked_of
from cascade_core.loop.session import Session
from cascade_core.request import Request, ToolCall, Turn
from cascade_core.ruling import Ruling
from cascade_core.setup.plan import Plan
from cascade_core.usage import Usage
from tests.core.loop.test_feedback import Kept, engine
from tests.core.loop.test_session import SURE, Answer, Models, ProviderError

ASKED = "My address is anna@example.com. Where is my order?"
AT = datetime(2026, 1, 2, tzinfo=UTC)


def run(how, **settings):
    """Have a request decided; return what the log got of it."""
    log = Kept()
    asked = Session(
        engine(log, **settings), Request.of(ASKED, system="Be kind."), Models(SURE, SURE)
    )
    decided = asked.run() if how == "sync" else asyncio.run(asked.arun())
    (kept,) = log.records
    assert "request" not in decided.record
    return kept


both = pytest.mark.parametrize("how", ["sync", "async"])


@both
def test_content_is_logged_only_where_it_is_wanted(how):
    assert not {"request", "response"} & run(how).keys()
    assert not {"request", "response"} & run(how, redact=str.upper).keys()
    kept = run(how, log_content=True)
    assert kept["request"] == [
        {"role": "system", "text": "Be kind."},
        {"role": "user", "text": ASKED},
    ]
    assert kept["response"] == SURE.text


@both
def test_every_text_is_redacted_first_and_none_of_them_twice(how):
    seen = []

    def redact(text):
        seen.append(text)
        return text.replace("anna@example.com", "***").replace("order", "parcel")

    kept = run(how, log_content=True, redact=redact)
    assert [turn["text"] for turn in kept["request"]] == [
        "Be kind.",
        "My address is ***. Where is my parcel?",
    ]
    assert kept["response"] == "Your parcel ships on Monday."
    assert seen == ["Be kind.", ASKED, SURE.text]


def broken(text):
    raise ValueError(text)


@both
@pytest.mark.parametrize("redact", [broken, lambda _: None, lambda text: [text]])
def test_what_cannot_be_redacted_is_left_out_and_that_is_said_once(how, redact):
    log = Kept()
    made = engine(log, log_content=True, redact=redact)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            asked = Session(made, Request.of(ASKED), Models(SURE, SURE))
            _ = asked.run() if how == "sync" else asyncio.run(asked.arun())
    (said,) = [str(each.message) for each in caught if each.category is CascadeWarning]
    assert "left out of the log" in said
    assert "anna" not in said
    assert len(log.records) == 2
    assert not any({"request", "response"} & record.keys() for record in log.records)


def test_no_event_loop_waits_for_redacting():
    threads = []

    def redact(text):
        threads.append(threading.get_ident())
        return text

    run("async", log_content=True, redact=redact)
    assert threading.get_ident() not in threads


@both
@pytest.mark.parametrize(
    ("wanted", "ruled", "kept"),
    [(True, False, False), (False, True, True), (True, None, True), (False, None, False)],
)
def test_a_rule_holds_content_out_of_the_log_or_has_it_kept(how, wanted, ruled, kept, monkeypatch):
    monkeypatch.setattr(Plan, "ruling", lambda *_: Ruling(log_content=ruled))
    assert ("request" in run(how, log_content=wanted)) is kept


def test_a_file_that_a_rule_puts_content_into_is_its_owners_alone(tmp_path, monkeypatch):
    path = tmp_path / "decisions.jsonl"
    made = engine(path)
    for ruled in (None, True):
        monkeypatch.setattr(Plan, "ruling", lambda *_, ruled=ruled: Ruling(log_content=ruled))
        Session(made, Request.of(ASKED), Models(SURE, SURE)).run()
        assert bool(path.stat().st_mode & 0o077) is (ruled is None)


def test_what_nobody_answered_is_logged_without_content():
    log = Kept()
    down = Answer(error=ProviderError())
    asked = Session(engine(log, log_content=True), Request.of(ASKED), Models(down, down))
    with pytest.raises(CascadeExhausted):
        asked.run()
    assert not {"request", "response"} & log.records[0].keys()


# --- what is not known, or cannot be read ---------------------------------------------------------


def facts(request, calls=(), log=None):
    made = engine(log)
    return asked_of(made, made.plan, request, calls, at=AT, seconds=0.5)


def call(purpose="draft", tokens=None):
    usage = None if tokens is None else Usage(tokens, 1)
    return Call(0, "m0", purpose, usage, None, 0.1, "used")


def test_a_prompts_tokens_are_those_of_the_first_draft_that_says_them():
    calls = [call("judge", 5), call(), call(tokens=7), call(tokens=9)]
    assert facts(Request.of("x" * 400), calls).input_tokens == 7
    assert facts(Request.of("x" * 400), calls[:2]).input_tokens is None
    assert facts(Request.of("x" * 400), calls[:2], Kept()).input_tokens == 100


def test_a_prompt_that_cannot_be_read_costs_no_answer():
    def unreadable():
        raise ValueError(ASKED)

    with pytest.warns(CascadeWarning, match="digest of a request cannot be made") as said:
        found = facts(Request(unreadable), log=Kept())
    assert "anna" not in str(said[0].message)
    assert (found.digest, found.input_tokens) == (None, None)


def test_a_log_with_content_costs_no_answer_where_the_prompt_cannot_be_read():
    def unreadable():
        raise ValueError(ASKED)

    log = Kept()
    with pytest.warns(CascadeWarning):
        Session(engine(log, log_content=True), Request(unreadable), Models(SURE, SURE)).run()
    assert "request" not in log.records[0]


def test_a_conversations_words_are_bounded():
    asked = Request([Turn("user", "hi", (ToolCall("a"),))], thread="t" * 9999, tags=["x" * 9999])
    found = facts(asked)
    assert len(found.thread) == len(found.tags[0]) == 500
    assert replace(found, thread=None).latency_ms == 500
