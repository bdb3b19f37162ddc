"""Nothing that an async request does blocks its event loop, from the first request on.

LangGraph's server runs graphs under BlockBuster, which raises where it would. Each case runs in a
process of its own, where nothing is read yet, and nothing imported but what a program imports.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.guards.redis_server import RedisServer, needs_redis

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("blockbuster") is None, reason="blockbuster is not installed"
)

CASES = [(0.2, "serve", "whole"), (0.95, "serve", "stream"), (0.95, "shadow", "stream")]
"""The draft's probability, the mode and the way of asking."""

START = """
import asyncio, json, os, sys, traceback, warnings
from blockbuster import blockbuster_ctx
from cascade_core import Budget, collect_decisions, flush_log
from cascade_core.signals import Grounding, Judge, SequenceLogprob
warnings.simplefilter("ignore")

def settings(log, **more):
    return dict(
        log=log, log_content=True, gates=[lambda request, draft: True],
        signals=[SequenceLogprob(), Grounding(), Judge(model(0.99, "gpt-4o"))], **more
    )

async def ask_twice(ask):
    with blockbuster_ctx(), collect_decisions() as seen:
        for _ in range(2):
            await ask()
    while len(seen) < 2:
        await asyncio.sleep(0.01)

def ask_in_a_process(case):
    child = os.fork()  # all is imported, and nothing was asked or read
    if not child:
        said = ""
        try:
            p, mode, way, log, store = case
            more = dict(budget=Budget(tokens=10**9), store=store) if store else {}
            llm = cascade(p, mode, settings(log, **more))
            asyncio.run(ask_twice({"whole": whole, "stream": stream}[way](llm)))
            flush_log()
        except BaseException:
            said = traceback.format_exc()
        with open(log + ".said", "w") as file:
            file.write(said)
        os._exit(0)
    os.waitpid(child, 0)

def main():
    for case in json.loads(sys.argv[1]):
        ask_in_a_process(case)
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

def cascade(p, mode, settings):
    return ChatCascade([model(p, "gpt-4o-mini"), model(0.99, "gpt-4o")], mode=mode, **settings)

def whole(llm):
    return lambda: llm.ainvoke("hi")

def stream(llm):
    async def ask():
        async for _ in llm.astream("hi"):
            pass
    return ask

main()
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

def cascade(p, mode, settings):
    return CascadeLLM([model(p, "gpt-4o-mini"), model(0.99, "gpt-4o")], mode=mode, **settings)

def whole(llm):
    return lambda: llm.achat([ChatMessage(content="hi")])

def stream(llm):
    async def ask():
        async for _ in await llm.astream_chat([ChatMessage(content="hi")]):
            pass
    return ask

main()
"""
)


@pytest.mark.processes
@pytest.mark.parametrize("script", [LANGCHAIN, LLAMAINDEX], ids=["langchain", "llamaindex"])
def test_no_request_blocks_the_loop(script: str, tmp_path: Path) -> None:
    said = ask(script, [(*case, "") for case in CASES], tmp_path)
    assert said == dict.fromkeys(CASES, (2, ""))


@pytest.mark.processes
@needs_redis
@pytest.mark.parametrize("script", [LANGCHAIN, LLAMAINDEX], ids=["langchain", "llamaindex"])
def test_no_request_waits_for_a_shared_budget_in_the_loop(script: str, tmp_path: Path) -> None:
    cases = [(0.2, "serve", "whole"), (0.2, "serve", "stream")]
    servers = [RedisServer() for _ in cases]
    try:
        shared = [(*c, s.url(lease=1.5)) for c, s in zip(cases, servers, strict=True)]
        assert ask(script, shared, tmp_path) == dict.fromkeys(cases, (2, ""))
        for server in servers:
            (spent,) = server.client().keys("*:a:*")
            assert int(server.client().hget(spent, "t")) > 0
    finally:
        for server in servers:
            server.end()


def ask(
    script: str, cases: list[tuple[float, str, str, str]], tmp_path: Path
) -> dict[tuple[float, str, str], tuple[int, str]]:
    """Ask twice for each case in a process of its own, in which nothing may block.

    Returns:
        How many records there are of each case, and what was raised.
    """
    logs = {case[:3]: tmp_path / "-".join(map(str, case[:3])) for case in cases}
    told = [(*case[:3], str(logs[case[:3]]), case[3]) for case in cases]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", script, json.dumps(told)], env=environment, check=True)
    return {case: (_lines(log), Path(f"{log}.said").read_text()) for case, log in logs.items()}


def _lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0
