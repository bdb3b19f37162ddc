"""The embedded models by name: `demo:desk-small`, wherever a model's name is taken."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("langchain_openai")
pytest.importorskip("llama_index.llms.openai_like")

from cascade_core.errors import ConfigurationError
from cascade_demo import named
from langchain_cascade import ChatCascade
from llamaindex_cascade import CascadeLLM

EASY = "How do I cancel my plan?"
NAMES = ("demo:desk-small", "demo:desk-large")


def test_both_frameworks_take_the_names() -> None:
    message = ChatCascade.from_models(*NAMES, temperature=0).invoke(EASY)
    response = CascadeLLM.from_models(*NAMES).complete(EASY)
    assert message.text == response.text == "Your plan ends after this month."
    for record in (message.response_metadata["cascade"], response.additional_kwargs["cascade"]):
        assert (record["model"], record["reason"]) == ("desk-small", "confident")


def test_one_server_serves_all_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = {
        str(model.openai_api_base)
        for name in ("desk-small", "desk-large", "desk-small")
        for model in (named.chat_model(name, "tiers[0]"),)
    }
    assert len(urls) == 1


@pytest.mark.parametrize("cascade", [ChatCascade, CascadeLLM])
@pytest.mark.parametrize("name", ["demo:desk-medium", "demo:"])
def test_another_name_of_the_demos_is_refused_with_those_there_are(cascade: Any, name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        cascade.from_models(name, "demo:desk-large")
    assert str(refused.value) == (
        f"tiers[0]={name!r}: the demo has no such model; use demo:desk-small or demo:desk-large"
    )


@pytest.mark.parametrize(
    ("make", "extra"), [(named.chat_model, "demo"), (named.llm, "demo-llamaindex")]
)
def test_what_the_models_need_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, make: Any, extra: str
) -> None:
    def missing() -> str:
        raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")

    monkeypatch.setattr(named, "_base_url", missing)
    with pytest.raises(ConfigurationError) as refused:
        make("desk-small", "--tier")
    assert str(refused.value) == (
        "--tier='demo:desk-small' needs uvicorn, which is not installed: "
        f"pip install 'model-cascade[{extra}]'"
    )


def test_its_server_ends_after_the_audits_of_a_program_that_ends() -> None:
    program = (
        "import cascade_demo.server\n"
        "from cascade_core.telemetry.worker import first_at_exit\n"
        "class Server:\n"
        "    __enter__ = lambda self: self\n"
        "    __exit__ = lambda *_: print('server')\n"
        "cascade_demo.server.spawn = lambda _: Server()\n"
        "first_at_exit(lambda: print('audits'))\n"
        "cascade_demo.start()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (ended.stdout.split(), ended.stderr) == (["audits", "server"], "")
