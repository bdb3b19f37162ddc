"""Drafts accepted by their first tokens, as real integrations hand their log-probabilities on."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted
from cascade_core.signals import SequenceLogprob
from tests.core.loop.test_committing import policy_of, rule
from tests.integrations.classes import CLASSES, Class
from tests.integrations.test_races import asked
from tests.integrations.wire import GIVEN, REASONING, TEXT, WRITTEN, Ending, Wire

pytestmark = pytest.mark.filterwarnings("ignore")

SILENT = {
    *("ChatAnthropic", "ChatBedrockConverse", "ChatGoogleGenerativeAI", "ChatMistralAI"),
    *("ChatCohere", "ChatNVIDIA", "Anthropic", "BedrockConverse", "Cohere", "GoogleGenAI"),
    *("MistralAI", "Ollama", "Perplexity"),
}
"""Through which no log-probabilities come."""

WHOLE = {"ChatLiteLLM", "ChatTogether"}
"""Whose streams lose them: the drafts are asked for whole."""

SURE = (-0.01, -0.02)
PRICES = {
    name: {"input": 1, "output": 2}
    for name in ("m-1", "gpt-4o-mini", "accounts/fireworks/models/llama-v3p1-8b-instruct")
}
RULE = policy_of(rule(1))

SILENT_FORMS = {("ChatOpenAI", "completed")}
"""Where only one of a class's APIs sends none: by LangChain's class the Responses API."""

speaking = [
    c
    for c in CLASSES
    if c.installed and c.name not in SILENT and (c.name, c.words.good) not in SILENT_FORMS
]
every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in speaking])
streamed = pytest.mark.parametrize("how", ["stream", "astream"])


def cascade(cls: Class, url: str, **settings: Any) -> Any:
    """Return a cascade that commits after one token."""
    given = {"policy": RULE, "thresholds": 0.9, "prices": PRICES, **settings}
    if cls.framework == "langchain":
        from langchain_core.language_models import FakeListChatModel

        from langchain_cascade import ChatCascade

        strong = FakeListChatModel(responses=["strong answer"])
        return ChatCascade(**{"tiers": [cls.made(url), strong], **given})
    from llama_index.core.llms.mock import MockLLM

    from llamaindex_cascade import CascadeLLM

    return CascadeLLM(**{"tiers": [cls.made(url), MockLLM()], **given})


def is_live(cls: Class, how: str) -> bool:
    return "stream" in how and cls.name not in WHOLE


def installed(name: str) -> Class:
    found = next((cls for cls in speaking if cls.name == name), None)
    return found or pytest.skip(f"{name} is not installed")


@every
@pytest.mark.parametrize("how", ["whole", "awhole", "stream", "astream"])
async def test_a_sure_draft_is_committed_to(cls: Class, how: str, wire: Wire) -> None:
    wire.ending = Ending(cls.words.good, logprobs=SURE)
    shown, record = await asked(cls, cascade(cls, wire.url), how)
    assert shown == TEXT
    assert record["committed"] == {"tokens": 1, "live": is_live(cls, how)}
    (call,) = record["calls"]
    assert call["outcome"] == "accepted"
    if not cls.hides.get(f"usage {how.removeprefix('a')}"):
        written = WRITTEN + REASONING * cls.apart
        assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (GIVEN, written)
        assert record["cost_usd"] == pytest.approx((GIVEN + 2 * written) / 1e6)


@every
@pytest.mark.parametrize("how", ["whole", "stream", "astream"])
async def test_a_gate_that_fails_when_the_draft_is_out_is_an_error_of_it(
    cls: Class, how: str, wire: Wire
) -> None:
    wire.ending = Ending(cls.words.cut, logprobs=SURE)
    shown, record = await asked(cls, cascade(cls, wire.url), how)
    if is_live(cls, how):
        assert shown == TEXT
        assert record["committed"] == {"tokens": 1, "live": True, "error": "gate_truncated"}
        assert record["calls"][0]["note"] == "gate_truncated"
    else:
        assert record["tier"] == 1
        assert "committed" not in record


@every
@streamed
async def test_a_stream_that_is_lost_when_it_is_out_raises_and_nothing_follows(
    cls: Class, how: str, wire: Wire
) -> None:
    if not is_live(cls, how):
        pytest.skip("it is asked for whole")
    wire.ending = Ending(None, logprobs=SURE, breaks=True)
    with collect_decisions() as seen, pytest.raises(CascadeExhausted) as raised:
        await asked(cls, cascade(cls, wire.url), how)
    assert raised.value.__cause__ is not None
    (record,) = seen
    assert record["committed"] == {"tokens": 1, "live": True, "error": "failed"}
    assert [(call["tier"], call["outcome"]) for call in record["calls"]] == [(0, "failed")]
    assert record["calls"][0]["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("name", ["ChatOpenAI", "ChatTogether", "OpenAILike", "TogetherLLM"])
@pytest.mark.parametrize(("logprobs", "sure"), [(SURE, True), ((-0.01, -3.0), False)])
@streamed
async def test_numbers_alone_are_those_of_their_chunks(
    name: str, how: str, logprobs: Any, wire: Wire, *, sure: bool
) -> None:
    cls = installed(name)
    wire.ending = Ending(cls.words.good, logprobs=logprobs, alone=True)
    judged = cascade(cls, wire.url, policy=None, thresholds=0.8)
    _, record = await asked(cls, judged, how)
    assert record["tier"] == (0 if sure else 1)
    assert record["calls"][0]["outcome"] in {"accepted", "rejected", "aborted"}
    assert record["judged"][0]["reason"] == ("confident" if sure else "low_confidence")


@pytest.mark.parametrize("name", ["OpenAILike", "TogetherLLM"])
@streamed
async def test_a_token_that_was_certain_is_one(name: str, how: str, wire: Wire) -> None:
    cls = installed(name)
    wire.ending = Ending(cls.words.good, logprobs=(0, -0.02), alone=True)
    shown, record = await asked(cls, cascade(cls, wire.url), how)
    assert (shown, record["committed"]) == (TEXT, {"tokens": 1, "live": True})


@every
@pytest.mark.parametrize("how", ["whole", "awhole", "stream", "astream"])
async def test_every_token_is_read_once(cls: Class, how: str, wire: Wire) -> None:
    read: list[list[float]] = []

    def counted(request: Any, draft: Any) -> float:
        read.append(list(draft.logprobs.values))
        return 0.99

    wire.ending = Ending(cls.words.good, logprobs=SURE)
    signals = [SequenceLogprob(), counted]
    await asked(cls, cascade(cls, wire.url, policy=None, signals=signals), how)
    assert read == [list(SURE)]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "cls", [pytest.param(c, id=c.id) for c in speaking if c.framework != "langchain"]
)
def test_a_synthesizer_has_its_models_asked(cls: Class, wire: Wire, *, streaming: bool) -> None:
    from llama_index.core.llms.mock import MockLLM
    from llama_index.core.schema import NodeWithScore, TextNode

    from llamaindex_cascade import CascadeSynthesizer

    wire.ending = Ending(cls.words.good, logprobs=SURE)
    tiers = [cls.made(wire.url), MockLLM()]
    llm = CascadeSynthesizer(tiers, streaming=streaming, thresholds=0.9)
    with collect_decisions() as seen:
        answer = llm.synthesize("When?", [NodeWithScore(node=TextNode(text="a fact"), score=1.0)])
        assert str(answer) == TEXT
    assert seen[0]["reason"] == "confident"


async def test_what_a_caller_includes_is_asked_for_beside_log_probabilities(wire: Wire) -> None:
    from llama_index.core.llms import ChatMessage

    cls = installed("OpenAIResponses")
    wire.ending = Ending(cls.words.good, logprobs=SURE)
    llm = cascade(cls, wire.url, policy=None)
    model = llm.tiers[0]
    sent: list[Any] = []
    create = model._client.responses.create
    model._client.responses.create = lambda **kwargs: sent.append(kwargs) or create(**kwargs)
    told = "message.output_text.logprobs"
    for own, given in ((None, None), (None, ["x"]), (["y", told], None), (["y"], ["x", told])):
        model.include = own
        llm = cascade(cls, wire.url, policy=None, tiers=[model, *llm.tiers[1:]])
        llm.chat([ChatMessage("When?")], **({"include": given} if given else {}))
        (include,) = (kwargs["include"] for kwargs in sent[-1:])
        assert sorted(include) == sorted({*(given or own or []), told})
