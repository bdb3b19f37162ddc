"""`cascade check`: what it finds out about real integrations, and what it advises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain.chat_models import init_chat_model
from typer.testing import CliRunner

from cascade_core.cli import make_app
from cascade_core.costs.prices import Prices
from cascade_core.errors import ConfigurationError
from langchain_cascade.commands import check as module
from langchain_cascade.commands.check import Findings, advise, findings_of
from tests.langchain.fakes import FakeChat, ProviderError, Say, ToollessChat
from tests.running import in_process

MINI, LARGE = "openai:gpt-4o-mini", "openai:gpt-4o"
CLAUDE, LLAMA = "anthropic:claude-sonnet-4-5", "groq:llama-3.1-8b-instant"
LOCAL = "ollama:llama3.1"

SAVE = {"name": "SavedWord", "args": {"word": "yes"}, "id": "1"}

runner = CliRunner()


@pytest.fixture(autouse=True)
def _fake_keys(_no_keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI", "ANTHROPIC", "GROQ"):
        monkeypatch.setenv(f"{name}_API_KEY", "k")
        monkeypatch.delenv(f"{name}_BASE_URL", raising=False)


def check(*arguments: str, status: int = 0) -> str:
    ran = runner.invoke(make_app(), ["check", *arguments], env={"COLUMNS": "200"})
    assert ran.exit_code == status, ran.output
    return ran.stdout


def found(*arguments: str, status: int = 0) -> dict[str, Any]:
    return json.loads(check(*arguments, "--json", status=status))


# --- what is known without a call -----------------------------------------------------------------


def test_a_pair_of_openai_models_is_ready_as_it_is() -> None:
    said = found(MINI, LARGE)
    cheap, strong = said["cheap"], said["strong"]
    assert (cheap["model"], strong["model"]) == ("gpt-4o-mini", "gpt-4o")
    assert cheap["integration"] == "ChatOpenAI"
    assert cheap["logprobs"] is True
    assert "SequenceLogprob" in cheap["signals"]
    assert 0 < cheap["input_usd"] < strong["input_usd"]
    assert 0 < cheap["output_usd"] < strong["output_usd"]
    assert "genai-prices" in cheap["price_source"]
    assert cheap["tools"]
    assert cheap["structured_output"]
    assert cheap["tried"] is None
    (line,) = said["advice"]
    assert "ChatCascade(tiers=[cheap, strong])" in line


def test_a_cheap_model_without_logprobs_needs_another_signal() -> None:
    said = found(CLAUDE, LARGE)
    assert said["cheap"]["logprobs"] is False
    assert "SequenceLogprob" not in said["cheap"]["signals"]
    assert "SelfConsistency" in said["cheap"]["signals"]
    assert any("no logprobs" in line and "SelfConsistency()" in line for line in said["advice"])


def test_a_strong_model_without_logprobs_is_nothing_to_worry_about() -> None:
    said = found(MINI, CLAUDE)
    assert said["strong"]["logprobs"] is False
    assert not any("logprobs" in line for line in said["advice"])


def test_groq_and_ollama_give_logprobs() -> None:
    pytest.importorskip("langchain_ollama")
    said = found(LOCAL, LLAMA)
    assert said["cheap"]["integration"] == "ChatOllama"
    assert said["strong"]["integration"] == "ChatGroq"
    assert said["cheap"]["logprobs"] is True
    assert said["strong"]["logprobs"] is True
    assert said["strong"]["input_usd"] > 0


def test_an_unpriced_model_is_said_to_be_unpriced_and_never_free() -> None:
    said = found(MINI, "openai:house-model-1")
    assert said["strong"]["input_usd"] is None
    assert said["strong"]["price_source"] is None
    assert any(line.startswith("Unpriced: house-model-1;") for line in said["advice"])
    assert "unpriced" in check(MINI, "openai:house-model-1")


def test_models_in_the_wrong_order_are_noticed() -> None:
    assert any("in order" in line for line in found(LARGE, MINI)["advice"])


def test_one_model_twice_is_noticed() -> None:
    (line,) = found(MINI, MINI)["advice"]
    assert line == "Both are gpt-4o-mini: one model twice is no cascade."


def test_a_cheap_model_without_tools_is_noticed() -> None:
    plain = findings_of(ToollessChat(model_name="a"), Prices())
    able = findings_of(FakeChat(model_name="b"), Prices())
    assert (plain.tools, able.tools) == (False, True)
    assert any("straight to it" in line for line in advise(plain, able))
    assert not any("straight to it" in line for line in advise(able, plain))


def test_the_table_for_people_says_the_same_and_the_advice() -> None:
    shown = check(MINI, CLAUDE)
    for text in ("gpt-4o-mini", "claude-sonnet-4-5", "ChatAnthropic", "0.15 / 0.6", "logprobs"):
        assert text in shown
    assert "These two make a cascade as they are" in shown


def test_brackets_in_a_models_name_are_shown_as_they_are() -> None:
    assert "house[bold]model" in check(MINI, "openai:house[bold]model")


def test_without_a_key_everything_is_said_that_needs_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_keys = found(MINI, CLAUDE)
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.delenv(f"{name}_API_KEY")
    assert found(MINI, CLAUDE) == with_keys


UNKNOWN = "unknown until --live"


@pytest.mark.parametrize(
    ("name", "logprobs", "tools", "schema"),
    [
        (MINI, True, True, True),
        ("openai:o3", None, True, True),  # reasoning models refuse to give any
        ("groq:openai/gpt-oss-20b", None, True, True),
        ("openai:house-model-1", True, None, None),
        (LOCAL, True, None, None),  # its server says which of its models can
        (CLAUDE, False, True, True),
    ],
)
def test_what_only_an_answer_can_tell_is_unknown(
    name: str, logprobs: bool | None, tools: bool | None, schema: bool | None
) -> None:
    if name == LOCAL:
        pytest.importorskip("langchain_ollama")
    if tools and getattr(init_chat_model(name), "profile", None) is None:
        pytest.skip("this version of the integration tells nothing of its models")
    said = found(name, LARGE)
    cheap = said["cheap"]
    assert (cheap["logprobs"], cheap["tools"], cheap["structured_output"]) == (
        logprobs,
        tools,
        schema,
    )
    assert (UNKNOWN in check(name, LARGE)) is (None in (logprobs, tools, schema))
    assert any(UNKNOWN in line for line in said["advice"]) is (logprobs is None)


def test_behind_another_url_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    cheap = found(MINI, LARGE)["cheap"]
    assert (cheap["logprobs"], cheap["tools"], cheap["structured_output"]) == (None, None, None)


# --- prices of one's own --------------------------------------------------------------------------


def test_a_price_table_wins_over_published_prices(tmp_path: Path) -> None:
    table = tmp_path / "prices.json"
    table.write_text(json.dumps({"gpt-4o-mini": {"input": 1, "output": "2.5"}}))
    cheap = found(MINI, LARGE, "--prices", str(table))["cheap"]
    assert (cheap["input_usd"], cheap["output_usd"]) == (1.0, 2.5)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ('{"gpt-4o-mini": {"input": -1, "output": 2}}', ("gpt-4o-mini", "input")),
        ('{"gpt-4o-mini": {"input": 1, "ouput": 2}}', ("gpt-4o-mini", "ouput")),
        ("not JSON", ("prices.json",)),
    ],
)
def test_a_wrong_price_table_is_refused_by_model_and_key(
    tmp_path: Path, table: str, named: tuple[str, ...]
) -> None:
    path = tmp_path / "prices.json"
    path.write_text(table)
    ran = runner.invoke(make_app(), ["check", MINI, LARGE, "--prices", str(path)])
    assert isinstance(ran.exception, ConfigurationError)
    assert all(name in str(ran.exception) for name in named)


# --- as a command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "env", "named"),
    [
        (["nonsense", LARGE], {}, "CHEAP='nonsense'"),
        ([MINI, LARGE, "--live"], {"OPENAI_API_KEY": ""}, "OPENAI_API_KEY"),
        ([MINI, LARGE, "--prices", "absent.json"], {}, "absent.json"),
    ],
    ids=["bad name", "no key", "no table"],
)
def test_what_is_wrong_is_one_line_and_status_2(
    given: list[str],
    env: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    ran = in_process(monkeypatch, capfd)("check", *given)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert named in ran.err


# --- live -----------------------------------------------------------------------------------------


@pytest.fixture
def demo_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = pytest.importorskip("cascade_demo.server")
    with server.DemoServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        yield running.base_url


def test_a_live_request_shows_logprobs_and_usage(demo_url: str) -> None:
    said = found("openai:desk-small", "openai:desk-large", "--live")
    tried = said["cheap"]["tried"]
    assert tried["logprobs"] is True
    assert tried["model"] == "desk-small"
    assert tried["usage"]["output_tokens"] > 0
    shown = check("openai:desk-small", "openai:desk-large", "--live")
    assert "logprobs sent" in shown
    assert "by desk-large" in shown


def test_a_live_request_that_fails_is_a_finding_and_its_text_is_not_quoted(demo_url: str) -> None:
    said = found("openai:desk-small", "openai:no-such-model", "--live", status=1)
    assert said["strong"]["tried"]["error"].endswith("(HTTP 404)")
    assert any("strong model's request failed" in line for line in said["advice"])


def tried(says: Any) -> Findings:
    return findings_of(FakeChat(says, model_name="m"), Prices(), live=True)


def test_logprobs_that_never_come_are_noticed() -> None:
    silent = tried(Say("yes", p=None))
    assert silent.tried is not None
    assert silent.tried["logprobs"] is False
    assert any("sent none" in line for line in advise(silent, silent))


def test_a_refusal_of_logprobs_is_told_from_a_failure() -> None:
    class Refusing(FakeChat):
        def _say(self, messages: Any, stop: Any, kwargs: Any, *, streamed: bool) -> Say:
            if self.logprobs:
                raise ProviderError("logprobs are not supported", 400)
            return super()._say(messages, stop, kwargs, streamed=streamed)

    finding = findings_of(Refusing("yes", model_name="m"), Prices(), live=True)
    assert finding.tried is not None
    assert finding.tried["logprobs"] == "refused"
    assert any("refuses" in line for line in advise(finding, finding))


def test_a_failed_request_says_nothing_about_logprobs() -> None:
    failed = tried(Say(error=ProviderError("secret", 401)))
    assert failed.tried == {"error": "ProviderError (HTTP 401)"}
    lines = advise(failed, failed)
    assert any("request failed: ProviderError (HTTP 401)" in line for line in lines)
    assert not any("logprobs" in line for line in lines)
    module._print([failed, failed], lines)


@pytest.mark.parametrize(
    ("tools", "schema", "seen", "status"),
    [
        (Say(tool_calls=[SAVE]), Say(tool_calls=[SAVE]), (True, True), 0),
        (Say("yes"), Say("yes"), (False, False), 0),
        (ProviderError(status_code=400), ProviderError(status_code=422), ("refused",) * 2, 0),
        (
            ProviderError(status_code=500),
            Say(tool_calls=[SAVE]),
            ("ProviderError (HTTP 500)", True),
            1,
        ),
        (
            Say(tool_calls=[SAVE]),
            ProviderError(status_code=429),
            (True, "ProviderError (HTTP 429)"),
            1,
        ),
    ],
)
def test_a_tool_call_and_a_schema_are_asked_for_and_a_failure_is_told_from_a_refusal(
    monkeypatch: pytest.MonkeyPatch, tools: Any, schema: Any, seen: Any, status: int
) -> None:
    answers = {"yes": Say("yes"), "tools": tools, "schema": schema}

    def reply(kind: str) -> Say:
        said = answers[kind]
        return Say(error=said) if isinstance(said, Exception) else said

    class Scripted(FakeChat):
        def _say(self, messages: Any, stop: Any, kwargs: Any, *, streamed: bool) -> Say:
            by_tool = "tool" in messages[-1].text
            return reply("tools" if by_tool else "schema" if kwargs.get("tools") else "yes")

    models = {name: Scripted(model_name=name) for name in ("a:one", "a:two")}
    monkeypatch.setattr("langchain_cascade.tiers.load_model", lambda name, *_: models[name])
    said = found("a:one", "a:two", "--live", status=status)
    tried = said["cheap"]["tried"]
    assert (tried["tool_call"], tried["schema"]) == seen
    assert said["cheap"]["tools"] is (seen[0] is True or status == 1)
    assert any("request failed" in line for line in said["advice"]) is (status == 1)
    shown = check("a:one", "a:two", "--live", status=status)
    for word in seen:
        assert {True: "came", False: "did not come"}.get(word, word) in shown
