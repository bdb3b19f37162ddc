"""What a cascade says about itself: enough to tell two apart, and never a key."""

from __future__ import annotations

import json
import logging
import pickle
from typing import Any

import pytest
from langchain_core.load import dumpd, dumps, load
from langchain_openai import ChatOpenAI

from cascade_core.errors import CascadeExhausted
from cascade_core.signals import Judge
from langchain_cascade import ChatCascade, RunnableCascade
from tests.langchain.fakes import SURE, FakeChat, Say, pair, record_of

KEY = "sk-very-secret-key-0123456789"
HEADER = "Bearer header-secret-987"


def openai(**kwargs: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model="gpt-4o-mini", api_key=KEY, base_url="http://127.0.0.1:9/v1", max_retries=0, **kwargs
    )


def with_keys(**more: Any) -> ChatCascade:
    return ChatCascade(
        tiers=[openai(), openai().bind(default_headers={"Authorization": HEADER})],
        signals=["sequence_logprob", Judge(openai())],
        **more,
    )


def test_no_key_is_in_anything_a_cascade_says(tmp_path: Any, caplog: Any, recwarn: Any) -> None:
    log = tmp_path / "log.jsonl"
    cascade = with_keys(log=str(log), api_key=None)
    bound = cascade.bind_tools([{"type": "function", "function": {"name": "f", "parameters": {}}}])
    caplog.set_level(logging.DEBUG, logger="cascade_core")
    caplog.set_level(logging.DEBUG, logger="langchain_cascade")
    with pytest.raises(CascadeExhausted) as raised:
        cascade.invoke("hi")
    # The judge is out of reach too: without it, this draft would be sent on.
    served = {"tiers": [FakeChat(SURE), openai()], "on_no_score": "accept"}
    record = cascade.model_copy(update=served).invoke("hi")
    said = [
        repr(cascade),
        str(cascade),
        repr(cascade._identifying_params),
        json.dumps(cascade._identifying_params),
        cascade._get_llm_string(),
        cascade._get_llm_string(stop=["x"]),
        repr(cascade._get_ls_params()),
        repr(cascade.dict()),
        repr(dumpd(cascade)),
        dumps(cascade),
        repr(cascade.with_structured_output({"title": "T", "type": "object", "properties": {}})),
        str(raised.value),
        repr(raised.value),
        repr(raised.value.trail),
        repr(record_of(record)),
        repr(bound.kwargs),
        repr(cascade._engine.plan.tiers),
        log.read_text(),
        caplog.text,
        *(str(w.message) for w in recwarn),
    ]
    for text in said:
        assert KEY not in text
        assert HEADER not in text


def test_no_key_is_in_a_configuration_error() -> None:
    for bad in (
        {"tiers": [openai(), {"api_key": KEY}]},
        {"tiers": {"api_key": KEY}},
        {"tiers": [openai()], "api_key": [KEY]},
        {"tiers": [openai()], "api_key": {"a": KEY}},
        {"tiers": [openai()], "log": {"password": KEY}},
        {"tiers": [openai()], "signals": [{"k": KEY}]},
        {"tiers": [openai()], "policy": {"thresholds": KEY}},
        {"tiers": [openai()], "cache": KEY},
    ):
        with pytest.raises(ValueError) as raised:  # noqa: PT011
            ChatCascade(**bad)
        assert KEY not in str(raised.value)


def test_a_cascade_of_runnables_shows_no_key_either() -> None:
    chain = openai() | (lambda m: m.content)
    cascade = RunnableCascade(tiers=[chain, chain], signals=[lambda _r, _d: 1.0])
    assert KEY not in repr(cascade)
    assert KEY not in str(cascade)
    assert KEY not in repr(dumpd(cascade))


def test_the_representation_names_tiers_and_thresholds() -> None:
    cascade = pair(thresholds=[0.7]).cascade
    assert repr(cascade) == str(cascade) == "ChatCascade(cheap -> strong, thresholds=[0.7])"


def test_equal_cascades_have_equal_identities_and_others_do_not() -> None:
    def same(**more: Any) -> str:
        return pair(SURE, **more).cascade._get_llm_string()

    assert same() == same()
    others: list[dict[str, Any]] = [
        {"thresholds": 0.7},
        {"signals": ["token_margin"]},
        {"signals": ["sequence_logprob", "verbalized"]},
        {"signals": ["sequence_logprob", "verbalized"], "combine": "mean"},
        {"on_no_score": "accept"},
        {"on_tool_call": "escalate"},
        {"on_exhausted": "best_draft"},
        {"mode": "shadow"},
        {"temperature": 0.1},
        {"max_tokens": 7},
        {"stop": ["x"]},
        {"gates": [lambda _r, _d: True]},
    ]
    seen = [same(), *(same(**more) for more in others)]
    assert len(set(seen)) == len(seen)


def test_other_tiers_or_other_bound_arguments_are_another_identity() -> None:
    def of(*tiers: Any) -> str:
        return ChatCascade(tiers=list(tiers))._get_llm_string()

    a, b = FakeChat(model_name="a"), FakeChat(model_name="b")
    seen = {of(a, b), of(b, a), of(a), of(a, b, b), of(a.bind(top_k=3), b), of(a.bind(top_k=4), b)}
    assert len(seen) == 6


def test_langsmith_parameters_say_what_the_tiers_agree_on() -> None:
    def of(*tiers: Any) -> tuple[str, str]:
        params = ChatCascade(list(tiers))._get_ls_params()
        return params["ls_provider"], params["ls_model_name"]

    openai = ChatOpenAI(model="gpt-4o-mini", api_key="k")
    other = ChatOpenAI(model="gpt-4o", api_key="k")
    assert of(openai, other) == ("openai", "cascade(gpt-4o-mini -> gpt-4o)")
    assert of(openai, openai.bind(temperature=0)) == ("openai", "gpt-4o-mini")
    assert of(openai, FakeChat()) == ("model_cascade", "cascade(gpt-4o-mini -> fake)")
    assert of(ChatCascade([openai, other]), other)[0] == "openai"


def test_langsmith_parameters_name_the_cascade_or_the_model_asked_for() -> None:
    cascade = pair().cascade
    params = cascade._get_ls_params(stop=["x"])
    assert params["ls_model_name"] == "cascade(cheap -> strong)"
    assert params["ls_model_type"] == "chat"
    assert params["ls_stop"] == ["x"]
    assert cascade._get_ls_params(model="other")["ls_model_name"] == "other"
    set_up = pair(temperature=0.5, max_tokens=9, stop=["y"]).cascade._get_ls_params()
    assert (set_up["ls_temperature"], set_up["ls_max_tokens"], set_up["ls_stop"]) == (0.5, 9, ["y"])


@pytest.mark.filterwarnings("ignore:The function `load`", "ignore:The default value of `allowed")
def test_a_cascade_is_not_serialised_as_something_load_would_refuse() -> None:
    """`load` takes no classes outside LangChain's own list."""
    assert ChatCascade.is_lc_serializable() is False
    assert RunnableCascade.is_lc_serializable() is False
    written = dumpd(pair().cascade)
    assert written["type"] == "not_implemented"
    with pytest.raises(NotImplementedError):
        load(written)


def test_a_cascade_of_openai_models_cannot_be_pickled_because_they_cannot() -> None:
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(openai())


def test_the_error_of_a_refused_key_quotes_nothing_of_the_provider() -> None:
    two = pair(Say(error=ValueError(f"bad key {KEY}")), Say(error=ValueError(f"bad key {KEY}")))
    with pytest.raises(CascadeExhausted) as raised:
        two.cascade.invoke("hi")
    assert KEY not in str(raised.value)
