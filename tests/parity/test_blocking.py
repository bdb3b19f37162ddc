"""Nothing that an async request does blocks its event loop, from the first request on.

LangGraph's server runs graphs under BlockBuster, which raises where it would. Each case runs in a
process of its own, where nothing has been imported or read yet.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.guards.redis_server import RedisServer, needs_redis

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("blockbuster") is None, reason="blockbuster is not installed"
)

SETTINGS = """
    log={log!r}, log_content=True,
    signals=[SequenceLogprob(), Grounding(), judge_of({judge})],
    gates=[lambda request, draft: True],
"""

START = """
import asyncio, warnings
from blockbuster import blockbuster_ctx
from cascade_core import Budget, collect_decisions, flush_log
from cascade_core.signals import Grounding, Judge, SequenceLogprob
warnings.simplefilter("ignore")

def judge_of(model):
    return Judge(model)

async def main(ask):
    with blockbuster_ctx(), collect_decisions() as seen:
        for _ in range(2):
            await ask()
    while len(seen) < 2:
        await asyncio.sleep(0.01)
    print([record["reason"] for record in seen])
"""

LANGCHAIN = (
    START
    + """
from langchain_cascade import ChatCascade
from tests.langchain.fakes import FakeChat, Say

class Limited(FakeChat):
    max_tokens: int | None = 100

def model(p, name):
    return Limited(Say("An answer of words.", p=p, usage=False), model_name=name)

llm = ChatCascade(
    [model({p}, "gpt-4o-mini"), model(0.99, "gpt-4o")], mode={mode!r}, {settings}
)

async def whole():
    await llm.ainvoke("hi")

async def stream():
    async for _ in llm.astream("hi"):
        pass

asyncio.run(main({way}))
"""
)

LLAMAINDEX = (
    START
    + """
from llama_index.core.llms import ChatMessage
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import FakeLLM, Say

class OpenAI(FakeLLM):
    max_tokens: int | None = 100

def model(p, name):
    return OpenAI(lambda seen: Say("An answer of words.", p=p, usage=False), name)

llm = CascadeLLM([model({p}, "gpt-4o-mini"), model(0.99, "gpt-4o")], mode={mode!r}, {settings})

async def whole():
    await llm.achat([ChatMessage(content="hi")])

async def stream():
    async for _ in await llm.astream_chat([ChatMessage(content="hi")]):
        pass

asyncio.run(main({way}))
"""
)


@pytest.mark.parametrize("script", [LANGCHAIN, LLAMAINDEX], ids=["langchain", "llamaindex"])
@pytest.mark.parametrize(
    ("p", "mode", "way"),
    [(0.2, "serve", "whole"), (0.95, "serve", "stream"), (0.95, "shadow", "stream")],
)
def test_no_request_blocks_the_loop(
    script: str, p: float, mode: str, way: str, tmp_path: Path
) -> None:
    ask(script, p, mode, way, tmp_path)


@needs_redis
@pytest.mark.parametrize("script", [LANGCHAIN, LLAMAINDEX], ids=["langchain", "llamaindex"])
@pytest.mark.parametrize("way", ["whole", "stream"])
def test_no_request_waits_for_a_shared_budget_in_the_loop(
    script: str, way: str, tmp_path: Path
) -> None:
    server = RedisServer()
    try:
        shared = f"budget=Budget(tokens=10**9), store={server.url(lease=1.5)!r},"
        ask(script, 0.2, "serve", way, tmp_path, shared)
        (spent,) = server.client().keys("*:a:*")
        assert int(server.client().hget(spent, "t")) > 0
    finally:
        server.end()


def ask(script: str, p: float, mode: str, way: str, tmp_path: Path, more: str = "") -> None:
    """Ask twice in a process of its own, in which nothing may block."""
    log = tmp_path / "log.jsonl"
    settings = (
        SETTINGS.format(log=str(log), judge="model(0.99, 'gpt-4o')").replace("\n", " ") + more
    )
    for name, value in {"p": p, "way": way, "settings": settings}.items():
        script = script.replace(f"{{{name}}}", str(value))
    script = script.replace("{mode!r}", repr(mode))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(log.read_text().splitlines()) == 2, done.stdout
