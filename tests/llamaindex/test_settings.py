"""Settings that cannot work are refused when the cascade is made, in words that help."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

from cascade_core.errors import CascadeError, CascadeWarning, ConfigurationError
from cascade_core.signals import Judge, SequenceLogprob
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import SURE, UNSURE, FakeLLM, Say, cheap, strong

A, B = cheap(), strong()
NAN = float("nan")


def names(value: Any) -> str | None:
    """The settings a case is about; what they hold has no stable name."""
    return "+".join(value) or "nothing" if isinstance(value, dict) else None


def ab(**settings: Any) -> dict[str, Any]:
    return {"tiers": [A, B], **settings}


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, r"CascadeLLM needs tiers=\[cheap, strong\]"),
    ({"tiers": []}, "is empty: give at least a cheap and a strong one of your LLMs"),
    ({"tiers": None}, "takes a list of LLMs, cheapest first, not NoneType"),
    ({"tiers": "gpt-4o"}, "takes a list of LLMs, cheapest first, not str"),
    ({"tiers": A}, "takes a list of LLMs, cheapest first, not FakeLLM"),
    ({"tiers": {0: A}}, "takes a list of LLMs, cheapest first, not dict"),
    ({"tiers": iter([A, B])}, "takes a list of LLMs"),
    ({"tiers": [A, None]}, r"tiers\[1\] is not a LlamaIndex LLM but NoneType"),
    ({"tiers": [A, 7]}, r"tiers\[1\] is not a LlamaIndex LLM but int"),
    ({"tiers": ["gpt-4o", A]}, r"tiers\[0\].*but str; give an LLM such as OpenAI\(model=…\)"),
    ({"tiers": [A, FakeLLM]}, r"tiers\[1\] is the class FakeLLM; make one: FakeLLM\(…\)"),
    ({"tiers": [None, A]}, r"tiers\[0\] is not .* but NoneType; give an LLM such as OpenAI"),
    ({"tiers": [[A, A]]}, r"tiers\[0\] is a list; give the tiers one by one, cheapest first"),
    ({"llms": [A, A]}, r"no argument llms=: the models are one list, tiers=\[cheap, strong\]"),
    (
        {"tiers": [ChatOpenAI(api_key="x"), A]},
        r"tiers\[0\].*but ChatOpenAI; for LangChain there is ChatCascade .* wrap it: LangChainLLM",
    ),
    ({"tiers": [A, OpenAI(model="not-a-model")]}, r"tiers\[1\]: OpenAI.metadata.*use OpenAILike"),
    (ab(thresholds=[]), "2 tiers need 1"),
    (ab(thresholds=[0.5] * 3), "one for every tier but the last"),
    (ab(thresholds=[1.5]), r"thresholds\[0\] is 1.5: give a number in \[0, 1\]"),
    (ab(thresholds=[-0.1]), r"give a number in \[0, 1\]"),
    (ab(thresholds=80), r"give a number in \[0, 1\]"),
    (ab(thresholds=[NAN]), r"thresholds\[0\] is nan"),
    (ab(thresholds=NAN), "nan"),
    (ab(thresholds=[True]), "True"),
    (ab(thresholds="0.8"), "not str"),
    (ab(thresholds={0: 0.5}), "not dict"),
    (ab(signals=["logprob"]), "unknown signal 'logprob'.*sequence_logprob"),
    (ab(signals=["judge"]), r"Judge\(model\)"),
    (ab(signals=[]), "leaves nothing to judge a draft by"),
    (ab(signals="sequence_logprob"), "takes a list of signals"),
    (ab(signals=[SequenceLogprob]), "got the class SequenceLogprob"),
    (ab(signals=[SequenceLogprob(), SequenceLogprob()]), "two signals named"),
    (ab(signals=["sequence_logprob", "sequence_logprob"]), "two signals named"),
    (ab(signals=[7]), "got int"),
    (
        ab(signals=[Judge("gpt-4o")]),
        r"model of the signal 'judge' is not a LlamaIndex LLM but str; .*, or its name",
    ),
    (ab(signals=[Judge([A])]), "model of the signal 'judge' is a list; give one model$"),
    (ab(signals=7), "takes a list of signals, not int"),
    (ab(combine="max"), "give 'min', 'mean' or weights"),
    (ab(combine={"nothing": 1}), "unknown signal 'nothing'"),
    (ab(gates=[7]), "gates= got int"),
    (ab(gates=7), "gates="),
    (ab(gates=lambda _r, _d: True), "gates="),
    (ab(on_no_score="retry"), "choose one of 'escalate', 'accept'"),
    (ab(on_tool_call="yes"), "choose one of"),
    (ab(on_exhausted="ignore"), "choose one of"),
    (ab(streaming_policy="live"), "choose one of"),
    (ab(mode="dry"), "choose one of"),
    (ab(mode=7), "mode="),
    (ab(thresholdz=[0.5]), "no argument thresholdz=; did you mean thresholds="),
    (ab(callback_manger=None), "did you mean callback_manager="),
    (ab(model="x"), "no argument model="),
    (ab(temperature=0), "temperature=: it is a setting of a model; make each model in tiers="),
    (ab(xyzzy=1), "CascadeLLM has no argument xyzzy="),
    (ab(log=7), "log="),
    (ab(log="/no/such/folder/x.jsonl"), "does not exist; make it first"),
    (ab(log="/"), "is a folder"),
    (ab(log="redis://x"), "does not know redis"),
    (ab(log_content="perhaps"), "log_content="),
    (ab(policy="/no/such/policy.json"), "policy /no/such/policy.json cannot be read"),
    (ab(policy={"threshold": [0.5]}), "threshold"),
    ({"tiers": [A, B], "policy": {"thresholds": [0.5] * 3}}, "the policy's thresholds: 3 given"),
    (ab(policy=7), "policy="),
    (ab(prices={"m0": {"input": "a lot"}}), "m0"),
    (ab(prices={"m0": {"input": -1, "output": 1}}), "m0"),
    (ab(prices={"m0": {"input": NAN, "output": 1}}), "m0"),
    (ab(prices={"m0": {"input": 1}}), "'output' is missing"),
    (ab(prices={"m0": 3}), "m0"),
    (ab(prices=7), "prices"),
    (ab(prices="/no/such/prices.json"), "/no/such/prices.json"),
    (ab(pydantic_program_mode="nonsense"), "pydantic_program_mode="),
]


@pytest.mark.parametrize(("given", "words"), BAD, ids=names)
def test_what_cannot_work_is_refused_and_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        CascadeLLM(**given)
    assert isinstance(raised.value, CascadeError)
    assert isinstance(raised.value, ValueError)
    assert "\n" not in str(raised.value)


ASSIGNED = [case for case in BAD if set(case[0]) - {"tiers"} <= set(CascadeLLM.model_fields)]
ASSIGNED = [
    (given, words)
    for given, words in ASSIGNED
    if given and not given.keys() & {"log_content", "callback_manager", "pydantic_program_mode"}
]


@pytest.mark.parametrize(("given", "words"), ASSIGNED, ids=names)
def test_what_cannot_work_is_refused_when_it_is_assigned_and_nothing_changes(
    given: dict[str, Any], words: str
) -> None:
    own = {} if "policy" in given else {"thresholds": [0.4]}  # which go before the policy's
    cascade = CascadeLLM(tiers=[A, B], **own)
    before, engine = cascade.to_dict(), cascade._engine
    name = next((name for name in given if name != "tiers"), "tiers")
    with pytest.raises(ConfigurationError):
        setattr(cascade, name, given[name])
    assert cascade._engine is engine
    assert cascade.to_dict() == before
    assert cascade.complete("hi").text == "sure answer"


def test_an_unknown_field_cannot_be_assigned() -> None:
    cascade = CascadeLLM(tiers=[A, B])
    with pytest.raises(ValueError, match="thresholdz"):
        cascade.thresholdz = [0.5]


def test_tiers_may_be_a_tuple_and_thresholds_one_number() -> None:
    cascade = CascadeLLM(tiers=(A, B, cheap()), thresholds=0.5)
    assert cascade._engine.plan.thresholds == (0.5, 0.5)


def test_one_tier_is_a_cascade_too() -> None:
    assert CascadeLLM(tiers=[cheap(UNSURE)]).complete("hi").text == "unsure draft text"


def test_a_model_openai_does_not_know_works_as_openai_like() -> None:
    cascade = CascadeLLM(tiers=[OpenAILike(model="own", api_base="http://localhost:1/v1"), B])
    assert cascade.metadata.model_name == "cascade(own->m1)"


@pytest.mark.parametrize(
    ("name", "value", "answered"),
    [
        ("thresholds", [0.1], 0),
        ("thresholds", 0.2, 0),
        ("signals", [lambda _r, _d: 1.0], 0),
        ("gates", [lambda _r, _d: False], 1),
        ("policy", {"thresholds": [0.1]}, 0),
        ("tiers", [cheap(SURE), strong()], 0),
        ("mode", "shadow", 1),
    ],
)
def test_an_assigned_setting_takes_effect_at_once(name: str, value: Any, answered: int) -> None:
    cascade = CascadeLLM(tiers=[cheap(UNSURE), strong()])
    assert cascade.complete("hi").additional_kwargs["cascade"]["tier"] == 1
    setattr(cascade, name, value)
    assert cascade.complete("hi").additional_kwargs["cascade"]["tier"] == answered


def test_assigned_tiers_change_the_metadata() -> None:
    cascade = CascadeLLM(tiers=[A, B])
    assert cascade.metadata.is_function_calling_model
    cascade.tiers = [cheap(tools=False), strong(tools=False)]
    assert not cascade.metadata.is_function_calling_model
    assert not cascade._calls_tools


def test_the_policy_gives_what_no_argument_does() -> None:
    policy = {"name": "desk", "thresholds": [0.2], "defaults": {"on_no_score": "accept"}}
    cascade = CascadeLLM(tiers=[cheap([UNSURE, Say("x", p=None)]), B], policy=policy)
    first = cascade.complete("hi").additional_kwargs["cascade"]
    assert (first["tier"], first["policy"], first["threshold"]) == (0, "desk", 0.2)
    assert cascade.complete("hi").additional_kwargs["cascade"]["tier"] == 0
    strict = CascadeLLM(tiers=[cheap(UNSURE), B], policy=policy, thresholds=[0.9])
    assert strict.complete("hi").additional_kwargs["cascade"]["tier"] == 1


# --- the log --------------------------------------------------------------------------------------


def test_every_decision_is_a_line_of_the_log(tmp_path: Any) -> None:
    log = tmp_path / "decisions.jsonl"
    cascade = CascadeLLM(tiers=[cheap(UNSURE), strong()], log=str(log))
    records = [
        cascade.complete("private words").additional_kwargs["cascade"],
        list(cascade.stream_complete("private"))[-1].additional_kwargs["cascade"],
    ]
    assert [json.loads(line) for line in log.read_text().splitlines()] == records


def test_concurrent_writers_do_not_mix_their_lines(tmp_path: Any) -> None:
    log = tmp_path / "decisions.jsonl"
    cascades = [CascadeLLM(tiers=[cheap(UNSURE), strong()], log=str(log)) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: cascades[n % 2].complete("hi" * 50), range(300)))
    ids = [json.loads(line)["id"] for line in log.read_text().splitlines()]
    assert len(set(ids)) == 300


def test_a_log_that_cannot_be_written_costs_no_answer() -> None:
    class Broken:
        def write(self, record: Any) -> None:
            raise OSError

    cascade = CascadeLLM(tiers=[cheap(SURE), strong()], log=Broken())
    with pytest.warns(CascadeWarning, match="cannot be written"):
        assert cascade.complete("hi").text == "sure answer"
