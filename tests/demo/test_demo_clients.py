"""Real client libraries talk to the demo server as to the hosted API."""

from typing import Any

import pytest

from cascade_demo.server import DemoServer

openai = pytest.importorskip("langchain_openai")

QUESTION = "Where is my order 4711? You sent it with dhl."


def chat(server: DemoServer, **options: Any) -> Any:
    return openai.ChatOpenAI(
        base_url=server.base_url, api_key="x", model="desk-small", temperature=0,
        logprobs=True, **options,
    )  # fmt: skip


def test_chat_openai_gets_text_usage_and_logprobs(server: DemoServer) -> None:
    message = chat(server).invoke(QUESTION)
    tokens = message.response_metadata["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == message.content
    assert message.usage_metadata["output_tokens"] == len(tokens)
    assert message.response_metadata["model_name"] == "desk-small"
    assert message.response_metadata["finish_reason"] == "stop"


def test_chat_openai_streams_the_same_text(server: DemoServer) -> None:
    llm = chat(server, stream_usage=True)
    chunks = list(llm.stream(QUESTION))
    whole = llm.invoke(QUESTION)
    assert "".join(chunk.content for chunk in chunks) == whole.content
    total = sum(chunks[1:], chunks[0])
    assert total.usage_metadata == whole.usage_metadata
    assert (
        total.response_metadata["logprobs"]["content"]
        == whole.response_metadata["logprobs"]["content"]
    )


def test_chat_openai_is_told_what_the_models_cannot_do(server: DemoServer) -> None:
    import openai as sdk

    with pytest.raises(sdk.BadRequestError, match="json_object"):
        chat(server).bind(response_format={"type": "json_object"}).invoke(QUESTION)


async def _gather(llm: Any) -> list[str]:
    import asyncio

    orders = [f"Where is my order {number}? You sent it with dhl." for number in (4711, 9023, 1588)]
    return [message.content for message in await asyncio.gather(*map(llm.ainvoke, orders))]


def test_chat_openai_async_answers_belong_to_their_requests(server: DemoServer) -> None:
    import asyncio

    answers = asyncio.run(_gather(chat(server)))
    assert len(answers) == 3
    assert len(set(answers)) == 3
