"""A request that a tier cannot serve is not sent there, in whatever way it is asked."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from llama_index.core.base.llms.types import AudioBlock, DocumentBlock, ImageBlock, TextBlock
from llama_index.core.llms import ChatMessage, LLMMetadata
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from cascade_core import Tier, collect_decisions
from langchain_cascade import ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain.fakes import FakeChat, ask
from tests.langchain.fakes import Say as ChatSay
from tests.llamaindex.fakes import FakeLLM, called
from tests.llamaindex.fakes import Say as LLMSay

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

PIXEL = "iVBORw0KGgo="
LONG = "word " * 2000  # some 2,500 tokens
TEXT_ONLY = {"image_inputs": False, "audio_inputs": False, "pdf_inputs": False}
FITS = {"max_input_tokens": 4000}
SMALL = {"max_input_tokens": 1000}


@tool
def look(place: str) -> str:
    """Look somewhere."""
    return place


class Found(BaseModel):
    """What was found."""

    name: str


BY_SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "found", "schema": Found.model_json_schema()},
}


def chat(profile: dict[str, Any] | None = None, **settings: Any) -> FakeChat:
    return FakeChat(ChatSay("sure answer"), profile=profile, **settings)


IMAGES: dict[str, list[Any]] = {
    "openai": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}],
    "anthropic": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    ],
    "standard": [{"type": "image", "base64": PIXEL, "mime_type": "image/png"}],
    "responses": [{"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}],
    "google": [{"type": "media", "mime_type": "image/png", "data": PIXEL}],
}
OTHERS: dict[str, list[Any]] = {
    "audio": [{"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}}],
    "file": [{"type": "file", "base64": PIXEL, "mime_type": "application/pdf"}],
}


async def lacking_of_chat(cascade: Any, given: Any, way: str) -> tuple[str, list[Any]]:
    with collect_decisions() as seen:
        await ask(way, cascade, given=given)
    (record,) = seen
    return record["reason"], record.get("unable", [])


CHAT_CASES: list[Any] = [
    *(pytest.param(TEXT_ONLY, parts, ["image"], id=name) for name, parts in IMAGES.items()),
    *(pytest.param(TEXT_ONLY, parts, [name], id=name) for name, parts in OTHERS.items()),
    pytest.param(SMALL, LONG, ["max_input_tokens"], id="long"),
    pytest.param(FITS, LONG, [], id="long enough"),
    pytest.param({"image_inputs": True}, IMAGES["openai"], [], id="reads images"),
    pytest.param(None, IMAGES["openai"], [], id="not known"),
    pytest.param({"max_output_tokens": 5}, LONG, [], id="length not known"),
    pytest.param(TEXT_ONLY, "hi", [], id="text"),
]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize(("profile", "content", "missing"), CHAT_CASES)
async def test_a_profile_says_what_a_chat_model_can_take(
    profile: dict[str, Any] | None, content: Any, missing: list[str], way: str
) -> None:
    cheap, strong = chat(profile, model_name="a"), chat(model_name="b")
    asked = [HumanMessage(content)]
    reason, unable = await lacking_of_chat(ChatCascade([cheap, strong]), asked, way)
    assert unable == ([{"tier": 0, "missing": missing}] if missing else [])
    assert reason == ("unable" if missing else "confident")
    assert (len(cheap.calls), len(strong.calls)) == ((0, 1) if missing else (1, 0))


async def test_the_callers_word_goes_before_a_profile() -> None:
    image = [HumanMessage(IMAGES["openai"])]
    for said, missing in (
        (Tier(chat(model_name="a"), modalities=["text"]), ["image"]),
        (Tier(chat(TEXT_ONLY, model_name="a"), modalities=["image"]), []),
    ):
        cascade = ChatCascade([said, chat(model_name="b")])
        _, unable = await lacking_of_chat(cascade, image, "invoke")
        assert [each["missing"] for each in unable] == ([missing] if missing else [])


def test_a_window_that_the_answer_has_to_share_is_told_from_a_limit_of_the_request() -> None:
    cheap = chat({"max_input_tokens": 2700}, model_name="a", max_tokens=500)
    with collect_decisions() as seen:
        ChatCascade([cheap, chat(model_name="b")]).invoke(LONG)
        said = Tier(cheap, max_input_tokens=2700)
        ChatCascade([said, chat(model_name="b")]).invoke(LONG)
    assert [record["reason"] for record in seen] == ["unable", "confident"]


@pytest.mark.parametrize(
    ("profile", "ask", "missing"),
    [
        ({"tool_calling": False}, lambda c: c.bind_tools([look]), "tools"),
        (
            {"structured_output": False},
            lambda c: c.bind(response_format=BY_SCHEMA),
            "structured_output",
        ),
        (
            {"tool_calling": False},
            lambda c: c.with_structured_output(Found, method="function_calling"),
            "structured_output",
        ),
    ],
    ids=["tools", "schema", "object"],
)
def test_what_is_asked_besides_reading_is_not_asked_of_who_cannot(
    profile: dict[str, Any], ask: Any, missing: str
) -> None:
    cheap, strong = chat(profile, model_name="a"), chat(model_name="b")
    with collect_decisions() as seen:
        ask(ChatCascade([cheap, strong], on_exhausted="best_draft")).invoke("hi")
    (record,) = seen
    assert record["unable"] == [{"tier": 0, "missing": [missing]}]
    assert not cheap.calls


def test_several_answers_are_not_asked_of_who_gives_one() -> None:
    cheap, strong = Tier(chat(model_name="a"), n=False), chat(model_name="b")
    with collect_decisions() as seen:
        ChatCascade([cheap, strong]).invoke("hi", n=2)
        ChatCascade([cheap, strong]).invoke("hi", n=1)
    assert [record["reason"] for record in seen] == ["unable", "confident"]


def test_chains_take_what_their_caller_says() -> None:
    tiers = [Tier(lambda _given: "cheap", max_input_tokens=50), lambda _given: "strong"]
    cascade = RunnableCascade(tiers, signals=[lambda _request, _draft: 1.0])
    with collect_decisions() as seen:
        cascade.invoke("hi")
        cascade.invoke(LONG)
        cascade.invoke({"question": LONG})
    assert [record["reason"] for record in seen] == ["confident", "unable", "unable"]


# --- LlamaIndex -----------------------------------------------------------------------------------


class Small(FakeLLM):
    """A model whose metadata know its window."""

    @property
    def metadata(self) -> LLMMetadata:
        return super().metadata.model_copy(update={"context_window": 1000})


def llm(name: str, kind: type[FakeLLM] = FakeLLM, **settings: Any) -> FakeLLM:
    return kind(LLMSay("sure answer"), name, **settings)


def image() -> ChatMessage:
    return ChatMessage(blocks=[TextBlock(text="what is it"), ImageBlock(image=PIXEL.encode())])


async def lacking_of_llm(cascade: CascadeLLM, messages: Any, way: str) -> tuple[str, list[Any]]:
    with collect_decisions() as seen:
        await called(way, cascade, messages)
    (record,) = seen
    return record["reason"], record.get("unable", [])


LLM_CASES: list[Any] = [
    pytest.param(lambda: llm("a", Small), [ChatMessage(content=LONG)], ["max_input_tokens"]),
    pytest.param(lambda: llm("a", Small), [ChatMessage(content="hi")], []),
    pytest.param(lambda: llm("a"), [ChatMessage(content=LONG * 3)], []),
    pytest.param(lambda: llm("a"), [image()], []),
    pytest.param(lambda: Tier(llm("a"), modalities=["text"]), [image()], ["image"]),
    pytest.param(
        lambda: Tier(llm("a"), modalities=["image"]),
        [
            ChatMessage(
                blocks=[
                    AudioBlock(audio=b"aaaa", format="wav"),
                    DocumentBlock(data=b"%PDF", document_mimetype="application/pdf"),
                ]
            )
        ],
        ["audio", "file"],
    ),
    pytest.param(lambda: Tier(llm("a"), max_input_tokens=10), [ChatMessage(content="hi")], []),
    pytest.param(lambda: llm("a", chat_model=False), [image()], ["image"]),
]


@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat", "astream_chat"])
@pytest.mark.parametrize(("cheap", "messages", "missing"), LLM_CASES)
async def test_metadata_and_its_caller_say_what_an_llm_can_take(
    cheap: Any, messages: list[ChatMessage], missing: list[str], way: str
) -> None:
    cascade = CascadeLLM([cheap(), llm("b")], signals=[lambda _request, _draft: 1.0])
    reason, unable = await lacking_of_llm(cascade, messages, way)
    assert unable == ([{"tier": 0, "missing": missing}] if missing else [])
    assert reason == ("unable" if missing else "confident")


def test_tools_are_offered_to_who_calls_them() -> None:
    tools = [FunctionTool.from_defaults(lambda place: place, name="look")]
    cascade = CascadeLLM([Tier(llm("a"), tools=False), llm("b")])
    with collect_decisions() as seen:
        cascade.chat_with_tools(tools, "hi")
    assert seen[0]["unable"] == [{"tier": 0, "missing": ["tools"]}]


def test_what_is_said_of_an_llm_survives_its_description() -> None:
    cascade = CascadeLLM([Tier(llm("a"), max_input_tokens=10, tools=False), llm("b")])
    written = cascade.to_dict()
    assert written["tiers"][0]["tier"] == {"max_input_tokens": 10, "tools": False}
    bare = CascadeLLM([llm("a"), llm("b")]).to_dict()
    assert written["identity"] != bare["identity"]
