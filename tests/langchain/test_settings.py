"""Settings that cannot work are refused when the cascade is made, in words that help."""

from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from cascade_core import Policy
from cascade_core.errors import CascadeError, CascadeWarning, ConfigurationError
from cascade_core.signals import Judge, SequenceLogprob
from langchain_cascade import ChatCascade, RunnableCascade
from tests.langchain.fakes import SURE, UNSURE, FakeChat, Say, joined, pair, record_of

A, B = FakeChat(), FakeChat()
NAN = float("nan")

BAD: list[tuple[dict[str, Any], str]] = [
    ({"tiers": []}, "is empty: give at least a cheap and a strong one of your chat models"),
    ({"tiers": None}, "takes a list of chat models, cheapest first, not NoneType"),
    ({"tiers": "openai:gpt-4o"}, "takes a list of chat models"),
    ({"tiers": A}, "takes a list of chat models"),
    ({"tiers": [A, 7]}, r"tiers\[1\] is not a chat model but int"),
    ({"tiers": [A, lambda x: x]}, r"tiers\[1\] is not a chat model but function"),
    ({"tiers": [RunnableLambda(str), A]}, r"tiers\[0\].*use RunnableCascade"),
    ({"tiers": [A, FakeChat]}, r"tiers\[1\] is the class FakeChat; make one: FakeChat\(…\)"),
    ({"tiers": [[A, A], A]}, r"tiers\[0\] is a list; give the tiers one by one, cheapest first"),
    ({"tiers": A}, r"not FakeChat: tiers=\[cheap, strong\]"),
    ({"tiers": FakeChat}, r"not the class FakeChat: tiers=\[cheap, strong\]"),
    ({"models": [A, A]}, r"no argument models=: the models are one list, tiers=\[cheap, strong\]"),
    ({"cheap": A, "strong": A}, r"no argument cheap=: the models are one list, tiers="),
    ({"tiers": [A, B], "thresholds": []}, "2 tiers need 1"),
    ({"tiers": [A, B], "thresholds": [0.5] * 3}, "one for every tier but the last"),
    ({"tiers": [A, B], "thresholds": [1.5]}, r"thresholds\[0\] is 1.5: give a number in \[0, 1\]"),
    ({"tiers": [A, B], "thresholds": [-0.1]}, r"give a number in \[0, 1\]"),
    ({"tiers": [A, B], "thresholds": 80}, r"give a number in \[0, 1\]"),
    ({"tiers": [A, B], "thresholds": [NAN]}, "nan"),
    ({"tiers": [A, B], "thresholds": NAN}, "nan"),
    ({"tiers": [A, B], "thresholds": [True]}, "True"),
    ({"tiers": [A, B], "thresholds": True}, "not bool"),
    ({"tiers": [A, B], "thresholds": "0.8"}, "not str"),
    ({"tiers": [A, B], "thresholds": ["0.8"]}, "give a number"),
    ({"tiers": [A, B], "thresholds": {0: 0.5}}, "not dict"),
    ({"tiers": [A, B], "signals": ["logprob"]}, "unknown signal 'logprob'.*sequence_logprob"),
    ({"tiers": [A, B], "signals": ["judge"]}, r"Judge\(model\)"),
    ({"tiers": [A, B], "signals": []}, "leaves nothing to judge a draft by"),
    ({"tiers": [A, B], "signals": "sequence_logprob"}, "takes a list of signals"),
    ({"tiers": [A, B], "signals": [SequenceLogprob]}, "got the class SequenceLogprob"),
    ({"tiers": [A, B], "signals": [SequenceLogprob(), SequenceLogprob()]}, "two signals named"),
    ({"tiers": [A, B], "signals": [7]}, "got int"),
    ({"tiers": [A, B], "signals": [Judge("not a model object")]}, "judge"),
    ({"tiers": [A, B], "combine": "max"}, "give 'min', 'mean' or weights"),
    ({"tiers": [A, B], "combine": {"nothing": 1}}, "unknown signal 'nothing'"),
    ({"tiers": [A, B], "gates": [7]}, "gates="),
    ({"tiers": [A, B], "on_no_score": "retry"}, "choose one of 'escalate', 'accept'"),
    ({"tiers": [A, B], "on_tool_call": "yes"}, "choose one of"),
    ({"tiers": [A, B], "on_exhausted": "ignore"}, "choose one of"),
    ({"tiers": [A, B], "streaming_policy": "live"}, "choose one of"),
    ({"tiers": [A, B], "mode": "dry"}, "choose one of"),
    ({"tiers": [A, B], "thresholdz": [0.5]}, "no argument thresholdz=; did you mean thresholds="),
    ({"tiers": [A, B], "signal": []}, "did you mean signals="),
    ({"tiers": [A, B], "xyzzy": 1}, "no argument xyzzy="),
    ({}, r"needs tiers=\[cheap, strong\]"),
    ({"tiers": [A, B], "log": 7}, "log="),
    ({"tiers": [A, B], "log": "/no/such/folder/x.jsonl"}, "does not exist"),
    ({"tiers": [A, B], "policy": "/no/such/policy.json"}, "cannot be read"),
    ({"tiers": [A, B], "policy": {"threshold": [0.5]}}, "threshold"),
    ({"tiers": [A, B], "policy": 7}, "policy="),
    ({"tiers": [A, B], "prices": {"cheap": {"input": "a lot"}}}, "cheap"),
    ({"tiers": [A, B], "log_content": "perhaps"}, "log_content="),
    ({"tiers": [A, B], "temperature": "hot"}, "temperature="),
]


@pytest.mark.parametrize(("given", "words"), BAD, ids=range(len(BAD)))
def test_a_setting_that_cannot_work_is_refused_in_words_that_help(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        ChatCascade(**given)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, CascadeError)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tiers": []}, "is empty"),
        ({"tiers": [str, 7]}, r"tiers\[1\] is not a runnable but int"),
        ({"tiers": ["openai:gpt-4o", A]}, "but str; only ChatCascade takes models by name"),
        ({"tiers": [FakeChat, A]}, r"tiers\[0\] is the class FakeChat; make one"),
        ({"tiers": [[A, A]]}, r"tiers\[0\] is a list; give the tiers one by one"),
        ({"tiers": [RunnableLambda(str)] * 2, "thresholds": [2]}, "give a number"),
        ({"tiers": [RunnableLambda(str)] * 2, "treshold": [2]}, "did you mean thresholds"),
    ],
)
def test_a_cascade_of_runnables_refuses_what_cannot_work_too(
    given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        RunnableCascade(**given)


def test_tiers_may_be_a_tuple_and_thresholds_one_number() -> None:
    cascade = ChatCascade(tiers=(A, B, FakeChat()), thresholds=0.5)
    assert cascade._engine.plan.thresholds == (0.5, 0.5)


# --- standard parameters --------------------------------------------------------------------------


def test_standard_parameters_reach_every_tier() -> None:
    two = pair(UNSURE, temperature=0.1, max_tokens=50, stop=["END"])
    two.cascade.invoke("hi")
    tiers = [tier.inner for tier in two.cascade._chat_tiers]
    assert [(t.temperature, t.max_tokens) for t in tiers] == [(0.1, 50)] * 2
    assert two.cheap.temperature is None  # the caller's own object is left alone
    assert two.strong.calls[0].stop == ["END"]
    assert two.cascade._engine.plan.tiers[0].max_tokens == 50


@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
def test_a_parameter_that_cannot_be_set_on_a_tier_is_told() -> None:
    with pytest.warns(
        CascadeWarning, match=r"max_retries= has no effect on tiers\[0\] \(FakeChat\)"
    ):
        ChatCascade(tiers=[A, B], max_retries=3)


def test_parameters_go_to_models_given_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import langchain.chat_models

    made: list[tuple[str, dict[str, Any]]] = []

    def init(name: str, **kwargs: Any) -> FakeChat:
        made.append((name, kwargs))
        return FakeChat(SURE, model_name=name)

    monkeypatch.setattr(langchain.chat_models, "init_chat_model", init)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cascade = ChatCascade.from_models("a:cheap", "b:strong", temperature=0, max_retries=1)
    assert made == [
        (name, {"temperature": 0, "max_retries": 1}) for name in ("a:cheap", "b:strong")
    ]
    assert cascade.invoke("hi").response_metadata["model_name"] == "a:cheap"


def test_a_name_langchain_does_not_know_is_refused_by_place() -> None:
    with pytest.raises(ConfigurationError, match=r"tiers\[1\]='nobody:nothing'"):
        ChatCascade.from_models("openai:gpt-4o-mini", "nobody:nothing", api_key="fake")


@pytest.mark.parametrize("name", ["nobody:nothing", "openai:", "openai: ", ""])
def test_a_name_of_no_model_is_refused_with_how_to_write_one(name: str) -> None:
    with pytest.raises(ConfigurationError, match="write provider:model, such as") as refused:
        ChatCascade.from_models(name, "openai:gpt-4o", api_key="fake")
    assert "model_provider" not in str(refused.value)


# --- policy files ---------------------------------------------------------------------------------


def _files(tmp_path: Any) -> list[Any]:
    as_json = tmp_path / "policy.json"
    as_json.write_text(
        json.dumps(
            {
                "version": 1,
                "name": "desk",
                "thresholds": [0.2],
                "defaults": {"on_no_score": "accept"},
            }
        )
    )
    as_toml = tmp_path / "policy.toml"
    as_toml.write_text(
        'version = 1\nname = "desk"\nthresholds = [0.2]\n[defaults]\non_no_score = "accept"\n'
    )
    return [str(as_json), as_json, str(as_toml), as_toml, Policy.load(as_json)]


def test_a_policy_may_be_a_json_or_toml_file_or_an_object(tmp_path: Any) -> None:
    for policy in _files(tmp_path):
        two = pair(UNSURE, policy=policy)
        record = record_of(two.cascade.invoke("hi"))
        assert record["tier"] == 0
        assert record["policy"] == "desk"
        assert record["threshold"] == 0.2
        assert record_of(pair(Say("x", p=None), policy=policy).cascade.invoke("hi"))["tier"] == 0


def test_arguments_win_over_the_policy(tmp_path: Any) -> None:
    policy = _files(tmp_path)[0]
    assert (
        record_of(pair(UNSURE, policy=policy, thresholds=[0.9]).cascade.invoke("hi"))["tier"] == 1
    )


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 2}', '{"thresholds": [2]}'])
def test_a_policy_file_that_does_not_fit_is_named(tmp_path: Any, content: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError):
        pair(policy=file)


# --- the log --------------------------------------------------------------------------------------


def test_every_decision_is_a_line_of_the_log(tmp_path: Any) -> None:
    log = tmp_path / "decisions.jsonl"
    two = pair(UNSURE, log=str(log))
    records = [
        record_of(two.cascade.invoke("private words")),
        record_of(list(two.cascade.stream("x"))[-1]),
    ]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines == records
    assert "private" not in log.read_text()
    assert "draft text" not in log.read_text()


def test_content_is_logged_only_when_asked_for(tmp_path: Any) -> None:
    log = tmp_path / "decisions.jsonl"
    pair(UNSURE, log=log, log_content=True).cascade.invoke("private words")
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert line["request"] == [{"role": "user", "text": "private words"}]
    assert line["response"] == "strong answer of many words"


def test_concurrent_writers_do_not_mix_their_lines(tmp_path: Any) -> None:
    log = tmp_path / "decisions.jsonl"
    cascades = [pair(UNSURE, log=str(log)).cascade for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: cascades[n % 2].invoke("hi" * 50), range(300)))
    ids = [json.loads(line)["id"] for line in log.read_text().splitlines()]
    assert len(set(ids)) == 300


def test_a_log_that_cannot_be_written_costs_no_answer(tmp_path: Any) -> None:
    class Broken:
        def write(self, record: Any) -> None:
            raise OSError

    two = pair(SURE, log=Broken())
    with pytest.warns(CascadeWarning, match="cannot be written"):
        message = two.cascade.invoke("hi")
    assert message.content == "sure answer"
    assert joined(list(two.cascade.stream("hi"))).content == "sure answer"
