"""Models that signals ask, through every real integration: what they say, and what that costs."""

from __future__ import annotations

import asyncio
from functools import partial
from math import log
from typing import Any

import pytest

from cascade_core import collect_decisions
from cascade_core.signals import Agreement, Claims, Judge
from tests.integrations import wire as wires
from tests.integrations.classes import CLASSES, Class
from tests.integrations.scripted import PROTOCOLS, Called, Scripted
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


def forecast(city: str, hours: int, places: int = 1) -> str:
    """Say what the weather will be."""
    return f"{city} {hours} {places}"


CALL = Called("forecast", '{"city": "Oslo", "hours": 24, "places": 1}')


def chosen(cls: Class, tiers: list[Any], signal: Any, how: str) -> dict[str, Any]:
    """Offer a tool to a cascade, and return the record."""
    with collect_decisions() as seen:
        if cls.framework == "langchain":
            from langchain_core.tools import tool

            from langchain_cascade import ChatCascade

            chat = ChatCascade(tiers, signals=[signal]).bind_tools([tool(forecast)])
            _ = chat.invoke("When?") if how == "whole" else list(chat.stream("When?"))
        else:
            from llama_index.core.tools import FunctionTool

            from llamaindex_cascade import CascadeLLM

            llm, tools = CascadeLLM(tiers, signals=[signal]), [FunctionTool.from_defaults(forecast)]
            if how == "whole":
                llm.chat_with_tools(tools, "When?")
            else:
                list(llm.stream_chat_with_tools(tools, "When?"))
    return seen[0]


def calling(cls: Class, name: str) -> Any:
    """Return a model that makes the same call in other words."""
    arguments = {"hours": "24", "city": "Oslo"}
    if cls.framework == "langchain":
        from tests.langchain.fakes import FakeChat
        from tests.langchain.fakes import Say as ChatSay

        call = {"name": "forecast", "args": arguments, "id": "c"}
        return FakeChat(ChatSay("", tool_calls=[call]), model_name=name)
    from tests.llamaindex.fakes import FakeLLM, Say

    return FakeLLM(Say("", tool_calls=[("forecast", arguments)]), name)


@every
@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_a_call_of_a_tool_agrees_by_what_it_means(cls: Class, how: str, wire: Wire) -> None:
    if cls.name == "Cohere" or (how == "stream" and cls.name in {"ChatMistralAI", "MistralAI"}):
        pytest.skip("its protocol is not scripted; Mistral's streams have calls in one piece")
    cheap = cls.made(wire.url)
    if cls.framework == "llamaindex" and not cheap.metadata.is_function_calling_model:
        pytest.skip("it is made without tools")
    wire.ending = Scripted("I look.", calls=[CALL])
    tiers = [cheap, model(cls, "strong", "strong")]
    signal = Agreement(calling(cls, "other"))
    record = await asyncio.to_thread(chosen, cls, tiers, signal, how)
    assert record["signals"] == {"agreement": 1.0}
    assert (record["tier"], record["reason"]) == (0, "confident")


class InTurn:
    """Answers, one after another."""

    breaks = False

    def __init__(self, *said: Scripted) -> None:
        self._left = list(said)
        self.asked = 0

    @property
    def protocols(self) -> dict[str, Any]:
        return {mark: partial(self._next, protocol) for mark, protocol in PROTOCOLS.items()}

    def _next(self, protocol: Any, body: Any, _: Any) -> Any:
        self.asked += 1
        return protocol(body, self._left.pop(0))


@every
async def test_what_a_judge_leaves_out_is_asked_for_again_and_paid_for(
    cls: Class, wire: Wire
) -> None:
    if cls.name == "Cohere":
        pytest.skip("its first protocol is not scripted")
    thought = "1: B, I think. 3: B"
    wire.ending = turns = InTurn(  # type: ignore[assignment]
        Scripted("1: A\n3: C", thought=thought), Scripted("2: B", thought=thought, written=30)
    )
    says = "The tower is 330 m high. It was built in 1899. Shall I say more?"
    _, record = await asked(cls, cascade(cls, says, Claims(cls.made(wire.url))), "astream")
    assert record["judged"][0]["signals"] == {"claims": 0.5}
    assert turns.asked == 2
    used = [call["usage"] for call in record["calls"] if call["purpose"] == "judge"]
    assert [(u["input_tokens"], u["output_tokens"]) for u in used] == [(1000, 50), (1000, 30)]
