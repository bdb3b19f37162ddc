"""Providers as LlamaIndex's integrations reach them: what each answers, and what it refuses."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integrations.llamaindex.wire import Json

TOOL = "weather"
ARGUMENTS = {"city": "Oslo"}


@dataclass(frozen=True)
class Provider:
    """A provider.

    Attributes:
        module: Of `llama_index.llms`, which may not be installed.
        make: Makes the model, given its class's module and the server's address.
        called: An answer that thinks and calls the tool.
        answered: An answer of text.
        refuses: What its API finds wrong with a request.
        own: What only it can read of what it wrote; "" where it is never sent back.
    """

    module: str
    make: Callable[[Any, str], Any]
    called: Json
    answered: Json
    refuses: Callable[[Json], list[str]]
    own: str = ""

    def model(self, url: str) -> Any:
        """Return the model; skips the test where its package is missing."""
        return self.make(pytest.importorskip(f"llama_index.llms.{self.module}"), url)


# --- what APIs refuse -----------------------------------------------------------------------------


def _openai_refuses(body: Json, ids: str = r".{1,40}", own: str = "") -> list[str]:
    problems = []
    known = {"role", "content", "tool_calls", "tool_call_id", "name"}
    waiting: set[str] = set()
    for message in body["messages"]:
        problems += [f"unknown field {key}" for key in message.keys() - known]
        if message["role"] not in ("system", "user", "assistant", "tool"):
            problems.append(f"role {message['role']}")
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                problems.append(
                    f"a result of {message.get('tool_call_id')!r}, which was not called"
                )
            waiting.discard(message.get("tool_call_id"))
        elif waiting:
            problems.append(f"no result for {waiting}")
        for call in message.get("tool_calls") or []:
            if not (isinstance(call["id"], str) and re.fullmatch(ids, call["id"])):
                problems.append(f"id {call['id']!r}")
            arguments = call["function"]["arguments"]
            if not isinstance(arguments, str) or json.loads(arguments) != ARGUMENTS:
                problems.append(f"arguments {arguments!r}")
            waiting.add(call["id"])
        if isinstance(message.get("content"), list):
            kinds = {part["type"] for part in message["content"]}
            allowed = {"text", "thinking"} if own else {"text", "image_url"}
            problems += [f"part {kind}" for kind in kinds - allowed]
    return problems


def _mistral_refuses(body: Json) -> list[str]:
    for message in body["messages"]:
        message.pop("prefix", None)
        for call in message.get("tool_calls") or []:
            if isinstance(call["function"]["arguments"], dict):  # as good as text, there
                call["function"]["arguments"] = json.dumps(call["function"]["arguments"])
    return _openai_refuses(body, r"[a-zA-Z0-9]{9}", "thoughts")


def _responses_refuses(body: Json) -> list[str]:  # noqa: C901, PLR0912 - a case a kind of item
    problems = []
    called: set[str] = set()
    if isinstance(body["input"], str):
        return []
    for item in body["input"]:
        match item.get("type"):
            case "function_call":
                called.add(item["call_id"])
                if not isinstance(item["call_id"], str):
                    problems.append(f"call_id {item['call_id']!r}")
                if item.keys() - {"type", "call_id", "name", "arguments"}:
                    problems.append(f"unknown field in {item}")
                if json.loads(item["arguments"]) != ARGUMENTS:
                    problems.append(f"arguments {item['arguments']!r}")
            case "function_call_output":
                if item["call_id"] not in called:
                    problems.append(f"a result of {item['call_id']!r}, which was not called")
            case "reasoning":
                if "responses" not in item["id"]:
                    problems.append(f"item {item['id']!r} not found")
            case None:
                if item.keys() - {"role", "content"}:
                    problems.append(f"unknown field in {item}")
            case other:
                problems.append(f"item type {other}")
    return problems


def _anthropic_refuses(body: Json) -> list[str]:  # noqa: C901 - a case a kind of block
    problems = []
    called: list[str] = []
    for message in body["messages"]:
        content = message["content"]
        if not content:
            problems.append("empty content")
        for block in content if isinstance(content, list) else []:
            match block["type"]:
                case "tool_use":
                    if not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]) or block["id"] in called:
                        problems.append(f"id {block['id']!r}")
                    if block["input"] != ARGUMENTS:
                        problems.append(f"input {block['input']!r}")
                    called.append(block["id"])
                case "tool_result":
                    if block["tool_use_id"] not in called:
                        problems.append(f"a result of {block['tool_use_id']!r}")
                case "thinking":
                    if block.get("signature") != "signed by anthropic":
                        problems.append(f"signature {block.get('signature')!r}")
                case "text":
                    if not block["text"]:
                        problems.append("empty text")
    return problems


def _bedrock_refuses(body: Json) -> list[str]:
    problems = []
    called: list[str] = []
    for message in body["messages"]:
        if not message["content"]:
            problems.append("empty content")
        for block in message["content"]:
            if use := block.get("toolUse"):
                if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", use["toolUseId"]):
                    problems.append(f"id {use['toolUseId']!r}")
                if use["input"] != ARGUMENTS:
                    problems.append(f"input {use['input']!r}")
                called.append(use["toolUseId"])
            if (result := block.get("toolResult")) and result["toolUseId"] not in called:
                problems.append(f"a result of {result['toolUseId']!r}")
            thought = block.get("reasoningContent", {}).get("reasoningText")
            if thought is not None and thought.get("signature") != "signed by bedrock":
                problems.append("a thought of another")
    return problems


def _ollama_refuses(body: Json) -> list[str]:
    calls = [call for m in body["messages"] for call in m.get("tool_calls") or []]
    given = [call["function"].get("arguments") for call in calls]
    return [f"arguments {each!r}" for each in given if each != ARGUMENTS]


def _google_refuses(body: Json) -> list[str]:
    problems = []
    for content in body["contents"]:
        if not content.get("parts"):
            problems.append("empty parts")
        for part in content.get("parts") or []:
            if (call := part.get("functionCall")) and call.get("args") != ARGUMENTS:
                problems.append(f"args {call.get('args')!r}")
            if (result := part.get("functionResponse")) and result["name"] != TOOL:
                problems.append(f"a result of {result['name']!r}")
    return problems


def _cohere_refuses(body: Json) -> list[str]:
    calls = [call for m in body.get("chat_history", []) for call in m.get("tool_calls") or []]
    calls += [result["call"] for result in body.get("tool_results") or []]
    wanted = {"name": TOOL, "parameters": ARGUMENTS}
    return [f"call {call}" for call in calls if call != wanted]


# --- what they answer -----------------------------------------------------------------------------


def openai_says(message: Json, finish: str) -> Json:
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


def _openai_calls(call_id: str, **message: Any) -> Json:
    function = {"name": TOOL, "arguments": json.dumps(ARGUMENTS)}
    call = {"id": call_id, "type": "function", "function": function}
    return openai_says({"content": None, "tool_calls": [call], **message}, "tool_calls")


_OPENAI_DONE = openai_says({"content": "It is sunny."}, "stop")


def responses_says(*output: Json) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": "completed",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 9,
            "output_tokens": 3,
            "total_tokens": 12,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 2},
        },
    }


_REASONING = {
    "id": "rs_responses",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "thought of responses"}],
    "encrypted_content": "signed by responses",
}
_FUNCTION_CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_of_responses_that_is_rather_longer_than_forty",
    "name": TOOL,
    "arguments": json.dumps(ARGUMENTS),
    "status": "completed",
}
_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "It is sunny.", "annotations": []}],
}


def anthropic_says(stop: str, *content: Json) -> Json:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 3},
    }


def _bedrock_says(stop: str, *content: Json) -> Json:
    return {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop,
        "usage": {"inputTokens": 9, "outputTokens": 3, "totalTokens": 12},
        "metrics": {"latencyMs": 1},
    }


def ollama_says(message: Json) -> Json:
    return {
        "model": "m",
        "created_at": "2026-11-28T00:00:00Z",
        "message": {"role": "assistant", "content": "", **message},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 9,
        "eval_count": 3,
    }


def google_says(*parts: Json) -> Json:
    content = {"role": "model", "parts": list(parts)}
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}
    candidate = {"content": content, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}


def _cohere_says(text: str, calls: list[Json] | None) -> Json:
    meta = {"tokens": {"input_tokens": 9, "output_tokens": 3}}
    said = {"text": text, "generation_id": "g", "finish_reason": "COMPLETE", "meta": meta}
    return {**said, "tool_calls": calls, "chat_history": []}


# --- the providers --------------------------------------------------------------------------------


def _bedrock(module: Any, url: str) -> Any:
    return module.BedrockConverse(
        model="anthropic.claude-3-7-sonnet-20250219-v1:0",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        endpoint_url=url,
        max_retries=1,
    )


def _google(module: Any, url: str) -> Any:
    return module.GoogleGenAI(
        model="gemini-2.5-flash",
        api_key="x",
        http_options={"base_url": url},
        max_tokens=99,
        context_window=9999,
        max_retries=1,
    )


PROVIDERS = {
    "openai": Provider(
        "openai",
        lambda m, url: m.OpenAI(model="gpt-4o", api_key="x", api_base=url, max_retries=0),
        _openai_calls("call_of_openai"),
        _OPENAI_DONE,
        _openai_refuses,
    ),
    "responses": Provider(
        "openai",
        lambda m, url: m.OpenAIResponses(
            model="gpt-4o", api_key="x", api_base=url, max_retries=0, store=True
        ),
        responses_says(_REASONING, _FUNCTION_CALL),
        responses_says(_MESSAGE),
        _responses_refuses,
        "rs_responses",
    ),
    "anthropic": Provider(
        "anthropic",
        lambda m, url: m.Anthropic(
            model="claude-sonnet-4-0", api_key="x", base_url=url, max_retries=0
        ),
        anthropic_says(
            "tool_use",
            {
                "type": "thinking",
                "thinking": "thought of anthropic",
                "signature": "signed by anthropic",
            },
            {"type": "tool_use", "id": "toolu_01anthropic", "name": TOOL, "input": ARGUMENTS},
        ),
        anthropic_says("end_turn", {"type": "text", "text": "It is sunny."}),
        _anthropic_refuses,
        "signed by anthropic",
    ),
    "bedrock": Provider(
        "bedrock_converse",
        _bedrock,
        _bedrock_says(
            "tool_use",
            {
                "reasoningContent": {
                    "reasoningText": {
                        "text": "thought of bedrock",
                        "signature": "signed by bedrock",
                    }
                }
            },
            {"toolUse": {"toolUseId": "tooluse_of-bedrock", "name": TOOL, "input": ARGUMENTS}},
        ),
        _bedrock_says("end_turn", {"text": "It is sunny."}),
        _bedrock_refuses,
        "signed by bedrock",
    ),
    "ollama": Provider(
        "ollama",
        lambda m, url: m.Ollama(model="qwen3", base_url=url, context_window=999),
        ollama_says(
            {
                "thinking": "thought of ollama",
                "tool_calls": [{"function": {"name": TOOL, "arguments": ARGUMENTS}}],
            }
        ),
        ollama_says({"content": "It is sunny."}),
        _ollama_refuses,
        "thought of ollama",
    ),
    "mistral": Provider(
        "mistralai",
        lambda m, url: m.MistralAI(
            model="magistral-medium-latest", api_key="x", endpoint=url, max_retries=0
        ),
        _openai_calls(
            "D681PevKs",
            content=[
                {"type": "thinking", "thinking": [{"type": "text", "text": "thought of mistral"}]},
                {"type": "text", "text": "I look."},
            ],
        ),
        openai_says({"content": [{"type": "text", "text": "It is sunny."}]}, "stop"),
        _mistral_refuses,
        "thought of mistral",
    ),
    "google": Provider(
        "google_genai",
        _google,
        google_says(
            {
                "text": "thought of google",
                "thought": True,
                "thoughtSignature": "c2lnbmVkIGJ5IGdvb2dsZQ==",
            },
            {
                "functionCall": {"name": TOOL, "args": ARGUMENTS},
                "thoughtSignature": "c2lnbmVkIGJ5IGdvb2dsZSAy",
            },
        ),
        google_says({"text": "It is sunny."}),
        _google_refuses,
        "c2lnbmVkIGJ5IGdvb2dsZQ==",
    ),
    "cohere": Provider(
        "cohere",
        lambda m, url: m.Cohere(
            model="command-r", api_key="x", base_url=url, max_retries=1, max_tokens=99
        ),
        _cohere_says("", [{"name": TOOL, "parameters": ARGUMENTS}]),
        _cohere_says("It is sunny.", None),
        _cohere_refuses,
    ),
    "litellm": Provider(
        "litellm",
        lambda m, url: m.LiteLLM(model="openai/gpt-4o", api_key="x", api_base=url, max_retries=0),
        _openai_calls("call_of_litellm"),
        _OPENAI_DONE,
        _openai_refuses,
    ),
    "groq": Provider(
        "groq",
        lambda m, url: m.Groq(model="qwen3-32b", api_key="x", api_base=url, max_retries=0),
        _openai_calls("call_of_groq", reasoning="thought of groq"),
        _OPENAI_DONE,
        _openai_refuses,
    ),
    "deepseek": Provider(
        "deepseek",
        lambda m, url: m.DeepSeek(model="deepseek-chat", api_key="x", api_base=url, max_retries=0),
        _openai_calls("call_of_deepseek", reasoning_content="thought of deepseek"),
        _OPENAI_DONE,
        _openai_refuses,
    ),
}


def secrets_of(name: str) -> Iterator[str]:
    """Give what nobody but a provider may be sent of what it wrote."""
    yield from (f"thought of {name}", f"signed by {name}", f"rs_{name}", "cascade_author")
    if name == "google":
        yield "c2lnbmVkIGJ5"


def importable(module: str) -> bool:
    """Tell whether an integration is installed."""
    try:
        importlib.import_module(f"llama_index.llms.{module}")
    except ImportError:
        return False
    return True
