"""Histories as tiers read them; what real integrations send of them is in `tests/integrations`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.llms.openai import OpenAI, OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from cascade_core.integrations.histories import READS, reads_of
from llamaindex_cascade import CascadeLLM
from llamaindex_cascade.asking.authors import MARK, author_of, marked
from llamaindex_cascade.asking.history import Reader, for_tier, reads
from llamaindex_cascade.asking.tiers import LLMTier
from tests.llamaindex.fakes import SURE, UNSURE, FakeLLM, Say, cheap, strong

ARGUMENTS = {"city": "Oslo"}
ANTHROPIC = re.compile(r"[a-zA-Z0-9_-]+")
MISTRAL = re.compile(r"[a-zA-Z0-9]{9}")


def tier_of(name: str) -> Reader:
    """A tier of a class of this name, which is all that is known of an integration here."""
    return LLMTier(type(name, (FakeLLM,), {"__module__": __name__})()).reader


def called(
    call_id: str | None = "call_1", arguments: Any = ARGUMENTS, **kwargs: Any
) -> ChatMessage:
    block = ToolCallBlock(tool_call_id=call_id, tool_name="weather", tool_kwargs=arguments)
    return ChatMessage(role="assistant", blocks=[block], additional_kwargs=kwargs)


def result(call_id: str | None) -> ChatMessage:
    kwargs = {} if call_id is None else {"tool_call_id": call_id}
    return ChatMessage(role="tool", content="sunny", additional_kwargs=kwargs)


def blocks_of(message: ChatMessage) -> list[ToolCallBlock]:
    return [block for block in message.blocks if isinstance(block, ToolCallBlock)]


# --- calls ----------------------------------------------------------------------------------------

IN_KWARGS = ["AI21", "AzureAICompletionsModel", "DashScope", "DeepInfraLLM", "LiteLLM"]
IN_KWARGS += ["SiliconFlow", "WatsonxLLM", "ZhipuAI"]
OPENAI_FORM = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)},
}
FORMS = {
    **dict.fromkeys(IN_KWARGS, OPENAI_FORM),
    "OCIGenAI": {"toolUseId": "call_1", "name": "weather", "input": json.dumps(ARGUMENTS)},
    "Vertex": {"name": "weather", "args": ARGUMENTS},
    "Gemini": {"function_call": {"name": "weather", "args": ARGUMENTS}},
}


@pytest.mark.parametrize("name", list(FORMS))
def test_integrations_that_refuse_blocks_get_calls_in_their_own_words(name: str) -> None:
    (sent,) = for_tier([called()], tier_of(name))
    assert blocks_of(sent) == []
    assert sent.additional_kwargs == {"tool_calls": [FORMS[name]]}


def test_integrations_that_want_objects_get_some() -> None:
    (cohere,) = for_tier([called()], tier_of("Cohere"))
    (hugging,) = for_tier([called()], tier_of("HuggingFaceInferenceAPI"))
    (call,) = cohere.additional_kwargs["tool_calls"]
    assert vars(call) == {"name": "weather", "parameters": ARGUMENTS}
    (call,) = hugging.additional_kwargs["tool_calls"]
    assert (call.id, call.function.arguments) == ("call_1", json.dumps(ARGUMENTS))


BLOCKS = [name for name, row in READS.items() if row.calls == "blocks"]


@pytest.mark.parametrize("arguments", [json.dumps(ARGUMENTS), ARGUMENTS], ids=["text", "mapping"])
@pytest.mark.parametrize("name", BLOCKS)
def test_integrations_that_read_blocks_get_arguments_that_they_read(
    name: str, arguments: Any
) -> None:
    message = called("aB3dE6gH9", arguments, tool_calls=[OPENAI_FORM])
    (sent,) = for_tier([message], tier_of(name))
    (block,) = blocks_of(sent)
    if READS[name].only_text:
        assert block.tool_kwargs == json.dumps(ARGUMENTS), "early releases would send a mapping"
    else:
        assert block.tool_kwargs == (arguments if READS[name].text_arguments else ARGUMENTS)
    assert sent.additional_kwargs == {}, "an integration that reads both would send the call twice"


def test_a_block_that_can_be_read_goes_on_as_it_is() -> None:
    message = called(arguments='{"city":"Oslo"}')
    (sent,) = for_tier([message], LLMTier(OpenAI(model="gpt-4o", api_key="x")).reader)
    assert sent.blocks == message.blocks, "the provider's cache would not find it again"


def test_arguments_that_are_cut_off_are_sent_as_the_agent_read_them() -> None:
    for name, read in (("OpenAI", json.dumps(ARGUMENTS)), ("Anthropic", ARGUMENTS)):
        (sent,) = for_tier([called("toolu_1", '{"city": "Oslo"')], tier_of(name))
        assert blocks_of(sent)[0].tool_kwargs == read


def test_an_unknown_integration_is_judged_by_what_its_module_knows() -> None:
    class Early(FakeLLM):
        pass

    assert reads(Early()).calls == "blocks"
    assert reads(object()).calls == "openai"
    assert reads_of(Early()) is None
    assert reads_of(OpenAILike(model="m", api_key="x")) == READS["OpenAI"]
    mistral = OpenAILike(model="mistral-small", api_key="x")
    assert reads_of(mistral) == READS["OpenAI"]._replace(ids=READS["MistralAI"].ids)


# --- ids ------------------------------------------------------------------------------------------

ODD_IDS = [None, "", "functions.weather:0", "call " + "x" * 80]


@pytest.mark.parametrize(("name", "accepted"), [("Anthropic", ANTHROPIC), ("MistralAI", MISTRAL)])
@pytest.mark.parametrize("odd", ODD_IDS)
def test_a_call_and_its_result_have_one_valid_id(
    odd: str | None, name: str, accepted: re.Pattern[str]
) -> None:
    history = [called(odd), result(odd or "weather"), called("kept12345"), result("kept12345")]
    first, second = (for_tier(history, tier_of(name)) for _ in range(2))
    assert first == second
    (block,) = blocks_of(first[0])
    assert accepted.fullmatch(block.tool_call_id or "")
    assert first[1].additional_kwargs["tool_call_id"] == block.tool_call_id
    assert blocks_of(first[2])[0].tool_call_id == "kept12345"
    assert first[3].additional_kwargs["tool_call_id"] == "kept12345"


@pytest.mark.parametrize("told", ["weather", None, "made-up"])
def test_results_without_the_id_of_a_call_are_told_apart_by_their_order(told: str | None) -> None:
    both = ChatMessage(
        role="assistant",
        blocks=[
            ToolCallBlock(tool_name="weather", tool_kwargs={"city": city})
            for city in ("Oslo", "Rome", "Oslo")
        ],
    )
    sent = for_tier([both, result(told), result(told), result(told)], tier_of("OpenAI"))
    ids = [block.tool_call_id for block in blocks_of(sent[0])]
    assert len(set(ids)) == 3, "also of calls that are alike"
    assert [message.additional_kwargs["tool_call_id"] for message in sent[1:]] == ids


def test_the_tools_name_in_place_of_ids_is_made_unique_where_it_must_be() -> None:
    step = [called("weather"), result("weather")]
    sent = for_tier([*step, *step], tier_of("Anthropic"))
    ids = [blocks_of(sent[0])[0].tool_call_id, blocks_of(sent[2])[0].tool_call_id]
    assert ids[0] == "weather" != ids[1]
    assert [sent[k].additional_kwargs["tool_call_id"] for k in (1, 3)] == ids


@pytest.mark.parametrize("call_id", ["weather", None])
def test_a_call_that_goes_back_to_its_author_keeps_its_id_and_so_does_the_result(
    call_id: str | None,
) -> None:
    tier = tier_of("GoogleGenAI")
    message = called(call_id, thought_signatures=[b"s"])
    step = [marked(message, tier.author or ""), result("weather")]
    sent = for_tier([*step, *step], tier)
    assert [blocks_of(sent[k])[0].tool_call_id for k in (0, 2)] == [call_id] * 2
    assert [sent[k].additional_kwargs["tool_call_id"] for k in (1, 3)] == ["weather"] * 2


def test_a_longer_conversation_gives_the_same_ids() -> None:
    history = [called(None), result("weather"), called(None), result("weather")]
    short, long = (for_tier(history[:end], tier_of("OpenAI")) for end in (2, 4))
    assert long[:2] == short


# --- what only the author reads -------------------------------------------------------------------


def thought(**information: Any) -> ChatMessage:
    blocks = [ThinkingBlock(content="hm", additional_information=information), TextBlock(text="hi")]
    return ChatMessage(role="assistant", blocks=blocks)


@pytest.mark.parametrize(
    ("name", "information", "reads_it"),
    [
        ("Anthropic", {"signature": "s"}, True),
        ("Anthropic", {"signature": ""}, False),
        ("Anthropic", {"thought_signature": b"s"}, False),
        ("BedrockConverse", {}, False),
        ("GoogleGenAI", {"thought_signature": b"s"}, True),
        ("GoogleGenAI", {"signature": "s"}, False),
        ("OpenAIResponses", {"id": "rs_1"}, True),
        ("OpenAIResponses", {}, False),
        ("LiteLLM", {}, False),
        ("MistralAI", {}, False),
        ("Nobody", {}, True),
    ],
)
def test_a_thought_of_nobody_goes_to_who_can_read_it(
    name: str, information: dict[str, Any], *, reads_it: bool
) -> None:
    (sent,) = for_tier([thought(**information)], tier_of(name))
    assert any(isinstance(block, ThinkingBlock) for block in sent.blocks) == reads_it
    assert sent.content == "hi"


@pytest.mark.parametrize("name", ["Ollama", "Anthropic", "MistralAI"])
def test_a_marked_thought_goes_to_its_author_only(name: str) -> None:
    author = tier_of(name)
    other = author._replace(author=f"{name}:another")
    history = [marked(thought(signature="s"), author.author or "")]
    (sent,) = for_tier(history, author)
    assert sent.blocks == history[0].blocks
    (sent,) = for_tier(history, other)
    assert [type(block) for block in sent.blocks] == [TextBlock]


OWN = [
    {"thought_signatures": [b"s"]},
    {"reference_audio_id": "a"},
    {"tool_calls": [{**OPENAI_FORM, "provider_specific_fields": {"thought_signature": "s"}}]},
    {"tool_calls": [{**OPENAI_FORM, "id": "call_1__thought__" + "s" * 200}]},
]


@pytest.mark.parametrize("kwargs", OWN, ids=["signatures", "sound", "beside a call", "in an id"])
def test_what_an_integration_keeps_beside_goes_back_to_it_only(kwargs: dict[str, Any]) -> None:
    author, other = tier_of("Someone"), tier_of("OpenAI")
    message = ChatMessage(role="assistant", content="hi", additional_kwargs=kwargs)
    history = [marked(message, author.author or ""), result("call_1")]
    assert history[0].additional_kwargs == {**kwargs, MARK: author.author}
    assert for_tier(history, author)[0].additional_kwargs == kwargs
    assert for_tier(history, other)[0].additional_kwargs == {}


@pytest.mark.parametrize("kwargs", [{}, {"tool_calls": [OPENAI_FORM]}, {"tool_call_id": []}])
def test_a_message_that_everybody_can_read_is_not_marked(kwargs: dict[str, Any]) -> None:
    message = ChatMessage(role="assistant", content="hi", additional_kwargs=kwargs)
    assert marked(message, "me") is message


def test_a_message_is_marked_once() -> None:
    message = marked(thought(), "inner")
    assert marked(message, "outer") is message
    assert author_of(message) == "inner"
    assert author_of(thought()) is None


def test_an_answer_that_was_only_a_thought_is_left_out_for_others() -> None:
    message = ChatMessage(role="assistant", blocks=[ThinkingBlock(content="hm")])
    assert for_tier([message], tier_of("Anthropic")) == []


# --- what some integrations do not know -----------------------------------------------------------

MARKED = ChatMessage(
    role="user",
    blocks=[
        CitableBlock(title="t", source="s", content=[TextBlock(text="cited")]),
        TextBlock(text="asked"),
        CachePoint(cache_control=CacheControl(type="ephemeral")),
    ],
    additional_kwargs={"cache_control": {"type": "ephemeral"}, "kept": 1},
)


@pytest.mark.parametrize(
    ("name", "kinds", "kwargs"),
    [
        ("Anthropic", [CitableBlock, TextBlock, CachePoint], {"cache_control", "kept"}),
        ("BedrockConverse", [TextBlock, TextBlock, CachePoint], {"cache_control", "kept"}),
        ("OpenAI", [TextBlock, TextBlock], {"kept"}),
        ("LiteLLM", [TextBlock, TextBlock], {"kept"}),
        ("Ollama", [TextBlock, TextBlock], {"kept"}),
    ],
)
def test_marks_for_a_cache_go_to_who_knows_them(
    name: str, kinds: list[type], kwargs: set[str]
) -> None:
    (sent,) = for_tier([MARKED], tier_of(name))
    assert [type(block) for block in sent.blocks] == kinds
    assert sent.additional_kwargs.keys() == kwargs


def test_sources_that_an_answer_cites_are_left_out_for_others() -> None:
    cited = CitationBlock(
        cited_content=TextBlock(text="c"), source="s", title="t", additional_location_info={}
    )
    message = ChatMessage(role="assistant", blocks=[TextBlock(text="hi"), cited])
    (sent,) = for_tier([message], tier_of("OpenAI"))
    assert [type(block) for block in sent.blocks] == [TextBlock]


def test_pictures_that_a_tier_drew_are_not_sent_to_others_as_their_own() -> None:
    blocks = [TextBlock(text="here"), ImageBlock(image=b"x")]
    author = tier_of("OpenAIResponses")
    message = marked(ChatMessage(role="assistant", blocks=blocks), author.author or "")
    assert [type(b) for b in for_tier([message], tier_of("Anthropic"))[0].blocks] == [TextBlock]
    assert len(for_tier([message], author)[0].blocks) == 2


def test_a_model_is_an_assistant_everywhere() -> None:
    (sent,) = for_tier([ChatMessage(role="model", content="hi")], tier_of("OpenAI"))
    assert sent.role == "assistant"


# --- whole requests -------------------------------------------------------------------------------


class Changing(FakeLLM):
    """Changes the messages it is sent, as Google's and Anthropic's integrations do."""

    def _say(self, method: str, messages: Any, kwargs: dict[str, Any]) -> Any:
        said = super()._say(method, messages, kwargs)
        for message in messages:
            message.additional_kwargs["cache_control"] = {"type": "ephemeral"}
            message.blocks.append(TextBlock(text="merged"))
        return said


def test_what_one_tier_does_to_its_messages_no_other_sees() -> None:
    last = strong()
    llm = CascadeLLM(tiers=[Changing(model="m0"), last], thresholds=1.0)
    asked = ChatMessage(role="user", content="hi")
    llm.chat([asked])
    (seen,) = last.seen
    for message in (asked, *seen.messages):
        assert (message.content, message.additional_kwargs) == ("hi", {})


def test_a_cascade_inside_reads_the_whole_history() -> None:
    first = cheap()
    outer = CascadeLLM(tiers=[CascadeLLM(tiers=[first, strong()]), strong()])
    message = marked(thought(signature="s"), LLMTier(first).reader.author or "")
    outer.chat([message, ChatMessage(role="user", content="and?")])
    assert first.seen[0].messages[0].blocks == message.blocks


@pytest.mark.parametrize("sent_by", ["chat", "complete"])
def test_a_completion_model_is_shown_no_marks(sent_by: str) -> None:
    author = tier_of("Someone")
    kwargs = {"thought_signatures": [b"s"]}
    message = ChatMessage(role="assistant", content="hi", additional_kwargs=kwargs)
    tier = LLMTier(cheap(chat_model=sent_by == "chat")).reader
    (sent,) = for_tier([marked(message, author.author or "")], tier)
    assert sent.additional_kwargs == {}


def test_openais_two_apis_send_each_others_calls() -> None:
    # The form in which the one keeps a call beside its block is refused by the other.
    history = [called(tool_calls=[OPENAI_FORM]), result("call_1")]
    for model in (
        OpenAI(model="gpt-4o", api_key="x"),
        OpenAIResponses(model="gpt-4o", api_key="x"),
    ):
        sent = for_tier(history, LLMTier(model).reader)
        assert "tool_calls" not in sent[0].additional_kwargs
        assert len(blocks_of(sent[0])) == 1


class Thinker(FakeLLM):
    """Thinks before it answers."""

    def _message(self, say: Any, text: str, share: float = 1.0) -> ChatMessage:
        message = super()._message(say, text, share)
        message.blocks.insert(0, ThinkingBlock(content="hm"))
        return message


@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat", "astream_chat"])
@pytest.mark.parametrize("accepted", [True, False])
async def test_an_answer_says_who_thought(way: str, *, accepted: bool) -> None:
    tiers = [Thinker(SURE if accepted else UNSURE, "m0"), Thinker(Say("strong"), "m1")]
    llm = CascadeLLM(tiers=tiers)
    asked = [ChatMessage(role="user", content="hi")]
    answer = getattr(llm, way)(asked)
    if way.startswith("a"):
        answer = await answer
    if way == "stream_chat":
        answer = list(answer)[-1]
    elif way == "astream_chat":
        answer = [part async for part in answer][-1]
    author = tiers[not accepted]
    assert author_of(answer.message) == f"Thinker:{author.model}"
    llm.chat([*asked, answer.message, *asked])
    for tier in tiers:
        if tier.seen:
            first, *_ = tier.seen[-1].messages[-2].blocks
            assert isinstance(first, ThinkingBlock) == (tier is author)
