"""Models that signals ask, through every real integration: what they say, and what that costs."""

from __future__ import annotations

from math import log
from typing import Any

import pytest

from cascade_core.signals import Agreement, Judge
from tests.integrations import wire as wires
from tests.integrations.classes import CLASSES, Class
from tests.integrations.test_commits import SILENT, SILENT_FORMS
from tests.integrations.test_races import asked
from tests.integrations.wire import GIVEN, REASONING, TEXT, WRITTEN, Ending, Wire

pytestmark = pytest.mark.filterwarnings("ignore")

every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in CLASSES if c.installed])


class Verdict(Ending):
    """A judge's letter, in the place of the answer."""

    def tokens(self, *pieces: str) -> list[dict[str, Any]]:
        del pieces
        both = [{"token": t, "logprob": log(p), "bytes": None} for t, p in (("A", 0.8), ("B", 0.2))]
        return [{**both[0], "top_logprobs": both}]


@pytest.fixture
def letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "PIECES", ["A"])
    monkeypatch.setattr(wires, "TEXT", "A")


def model(cls: Class, says: str, name: str) -> Any:
    if cls.framework == "langchain":
        from tests.langchain.fakes import FakeChat
        from tests.langchain.fakes import Say as ChatSay

        return FakeChat(ChatSay(says), model_name=name)
    from tests.llamaindex.fakes import FakeLLM, Say

    return FakeLLM(Say(says), name)


def tiers(cls: Class, says: str) -> list[Any]:
    return [model(cls, says, "cheap"), model(cls, "strong", "strong")]


def cascade(cls: Class, says: str, signal: Any, **settings: Any) -> Any:
    if cls.framework == "langchain":
        from langchain_cascade import ChatCascade as Cascade
    else:
        from llamaindex_cascade import CascadeLLM as Cascade
    return Cascade(tiers=tiers(cls, says), signals=[signal], **settings)


@every
@pytest.mark.parametrize(("how", "eager"), [("whole", False), ("stream", True), ("astream", True)])
async def test_it_agrees_and_is_paid_for(cls: Class, how: str, wire: Wire, *, eager: bool) -> None:
    wire.ending = Ending(cls.words.good)
    llm = cascade(cls, TEXT, Agreement(cls.made(wire.url), eager=eager))
    _, record = await asked(cls, llm, how)
    assert record["signals"] == {"agreement": 1.0}
    (call,) = [call for call in record["calls"] if call["purpose"] == "agree"]
    written = WRITTEN + REASONING * cls.apart
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (GIVEN, written)
    assert call["tokens_source"] == "provider"
    assert call["usage"].get("reasoning_tokens", 0) == (REASONING if cls.reasoning else 0)
    assert call["outcome"] == "used"


@pytest.mark.usefixtures("letter")
@every
@pytest.mark.parametrize("how", ["whole", "astream"])
async def test_a_judge_is_read_by_its_probability_where_that_comes(
    cls: Class, how: str, wire: Wire
) -> None:
    wire.ending = Verdict(cls.words.good, logprobs=(-0.1,))
    record = (await asked(cls, cascade(cls, TEXT, Judge(cls.made(wire.url))), how))[1]
    silent = cls.name in SILENT or (cls.name, cls.words.good) in SILENT_FORMS
    assert record["signals"]["judge"] == pytest.approx(1 if silent else 0.8)
    (call,) = [call for call in record["calls"] if call["purpose"] == "judge"]
    assert call["usage"]["input_tokens"] == GIVEN


@every
async def test_a_withheld_answer_is_left_out(cls: Class, wire: Wire) -> None:
    """Some classes make an error of it and some an answer; the reading is the same."""
    if cls.words.filtered is None:
        pytest.skip("it has no word for it")
    wire.ending = Ending(cls.words.filtered)
    partners = cls.made(wire.url), model(cls, TEXT, "other")
    _, record = await asked(cls, cascade(cls, TEXT, Agreement(*partners)), "whole")
    assert record["signals"] == {"agreement": 1.0}
    assert [call["purpose"] for call in record["calls"]] == ["draft", "agree", "agree"]
