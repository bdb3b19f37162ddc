"""A cascade written down is the same cascade when it is made again, or is not made at all."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager
from llama_index.core.extractors import SummaryExtractor, TitleExtractor
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.output_parsers.selection import SelectionOutputParser
from llama_index.core.schema import TextNode
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from cascade_core import Policy
from cascade_core.costs.prices import Prices
from cascade_core.errors import ConfigurationError
from cascade_core.signals import (
    BaseSignal,
    Grounding,
    Judge,
    SelfConsistency,
    SequenceLogprob,
    TokenMargin,
    Verbalized,
)
from llamaindex_cascade import CascadeLLM, parser_gate
from tests.llamaindex.fakes import PRICES, SURE, UNSURE, FakeLLM, cheap, strong


def names(value: Any) -> str | None:
    """The settings a case is about; what they hold has no stable name."""
    return "+".join(value) or "nothing" if isinstance(value, dict) else None


NODES = [TextNode(text="one"), TextNode(text="two")]


def openai(**kwargs: Any) -> OpenAI:
    return OpenAI(**{"model": "gpt-4o-mini", "temperature": 0.3, "max_tokens": 7, **kwargs})


def of(**settings: Any) -> CascadeLLM:
    return CascadeLLM(**{"tiers": [cheap(), strong(SURE)], **settings})


def known(request: Any, draft: Any) -> float:
    return 1.0


def passes(request: Any, draft: Any) -> bool:
    return True


def agrees(draft: str, sample: str) -> bool:
    return True


def unknown() -> Any:
    return lambda _request, _draft: 1.0


class Combiner:
    identity = "mine"

    def combine(self, readings: Any) -> float:
        return 1.0


class Log:
    def write(self, record: Any) -> None: ...


class Own(BaseSignal):
    name = "own"

    def __init__(self, at: float = 0.5) -> None:
        self.at = at

    def measure(self, request: Any, draft: Any, tier: Any) -> Any:
        return self.at
        yield


class Answer(BaseModel):
    answer: str


FREE: list[dict[str, Any]] = [
    {},
    {"thresholds": [0.25]},
    {"thresholds": 0.25},
    {"signals": ["sequence_logprob", "token_margin"], "combine": "mean"},
    {
        "signals": [SequenceLogprob("quantile", quantile=0.3, name="lp"), TokenMargin("min")],
        "combine": {"lp": 2, "token_margin": 0.5},
    },
    {"signals": [SelfConsistency(), Verbalized(name="says"), Grounding()]},
    {"policy": {"name": "desk", "thresholds": [0.2], "defaults": {"on_no_score": "accept"}}},
    {"policy": Policy(name="desk", thresholds=(0.2,))},
    {"prices": {"m0": {"input": Decimal("0.15"), "output": 1}}},
    {"prices": PRICES},
    {"mode": "shadow", "on_no_score": "accept", "on_tool_call": "escalate"},
    {"on_exhausted": "best_draft", "streaming_policy": "buffer", "log_content": True},
    {"system_prompt": "See https://example.org/a?page=1 and answer in one line."},
    {"pydantic_program_mode": "llm"},
    {"tiers": [openai(), openai(model="gpt-4o", additional_kwargs={"seed": 1}, timeout=9)]},
    {"tiers": [CascadeLLM(tiers=[cheap(), cheap()], thresholds=0.1), strong(SURE)]},
    {
        "tiers": [
            OpenAILike(model="a", api_base="http://localhost:1/v1", is_chat_model=True),
            openai(),
        ]
    },
]


@pytest.mark.parametrize("settings", FREE, ids=names)
def test_what_is_plain_survives_dict_and_json(settings: dict[str, Any]) -> None:
    first = of(**settings)
    written = first.to_dict()
    assert json.loads(json.dumps(written)) == written == first.model_dump() == first.dict()
    assert json.loads(first.to_json()) == written == json.loads(first.model_dump_json())
    assert written == first.model_dump(mode="json")
    kept = copy.deepcopy(written)
    for made in (CascadeLLM.from_dict(written), CascadeLLM.from_json(first.to_json())):
        assert made.to_dict() == kept
        assert made._engine.identity() == first._engine.identity()
        assert repr(made) == repr(first)
        assert made.metadata == first.metadata
    assert written == kept  # the caller's own dict is left alone


@pytest.mark.parametrize("settings", FREE, ids=names)
def test_what_is_plain_survives_pickling_and_decides_the_same(settings: dict[str, Any]) -> None:
    first = of(**settings)
    made = pickle.loads(pickle.dumps(first))
    assert made.to_dict() == first.to_dict()
    assert made._engine.identity() == first._engine.identity()


def test_paths_survive_as_texts(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"name": "desk", "thresholds": [0.2]}))
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(PRICES))
    first = of(policy=policy, prices=prices, log=tmp_path / "log.jsonl")
    for made in (CascadeLLM.from_json(first.to_json()), pickle.loads(pickle.dumps(first))):
        record = made.chat([]).additional_kwargs["cascade"]
        assert (record["policy"], record["threshold"]) == ("desk", 0.2)
        assert record["cost_usd"] is not None
        assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1]) == record


def test_a_description_is_not_followed_once_its_policy_file_has_changed(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"thresholds": [0.2]}))
    first = of(policy=policy)
    written = first.to_dict()
    policy.write_text(json.dumps({"thresholds": [0.9]}))
    with pytest.raises(ConfigurationError, match="policy changed since"):
        CascadeLLM.from_dict(written)
    assert CascadeLLM.from_dict(written, policy=policy).to_dict()["policy"] == str(policy)
    policy.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        CascadeLLM.from_dict(written)


UNWRITABLE: list[tuple[dict[str, Any], str]] = [
    ({"signals": [unknown()]}, r"signal 'lambda'.*give signals="),
    ({"signals": ["sequence_logprob", known]}, r"signal 'known'.*give signals="),
    ({"signals": [Judge(openai())]}, r"signal 'judge'.*give signals="),
    ({"signals": [Grounding(openai())]}, r"signal 'grounding'.*give signals="),
    ({"signals": [Own()]}, r"signal 'own'.*give signals="),
    ({"signals": [SelfConsistency(agreement=agrees)]}, "signal 'self_consistency'.*give signals="),
    ({"combine": Combiner()}, r"combine= was a Combiner.*give combine="),
    ({"gates": [passes]}, r"gates=.*give gates="),
    ({"gates": [unknown()]}, r"gates=.*give gates="),
    ({"gates": [parser_gate(SelectionOutputParser())]}, r"gates=.*give gates="),
    ({"log": Log()}, r"log= was a Log.*give log="),
    ({"prices": Prices(PRICES)}, r"prices= was a Prices.*give prices="),
    ({"output_parser": SelectionOutputParser()}, r"output_parser= cannot.*give output_parser="),
    ({"completion_to_prompt": str.upper}, "completion_to_prompt= cannot"),
    ({"messages_to_prompt": lambda _: "x"}, "messages_to_prompt= cannot"),
]


@pytest.mark.parametrize(("settings", "words"), UNWRITABLE, ids=names)
def test_what_is_code_has_to_be_given_again(settings: dict[str, Any], words: str) -> None:
    first = of(**settings)
    written = json.loads(first.to_json())
    with pytest.raises(ConfigurationError, match=words):
        CascadeLLM.from_dict(written)
    made = CascadeLLM.from_dict(written, **settings)
    assert made.to_dict() == first.to_dict()


def test_a_tier_that_would_come_back_another_has_to_be_given_again() -> None:
    import httpx

    changed: list[tuple[Any, str]] = [
        (openai(default_headers={"X-Route": "eu"}), "default_headers"),
        (openai(additional_kwargs={"extra_headers": {"X-Route": "eu"}}), "additional_kwargs"),
        (openai(additional_kwargs={"extra_query": {"key": "abc"}}), "additional_kwargs"),
        (openai(api_base="http://user:pass@localhost/v1"), "api_base"),
        (openai(api_base="http://localhost/v1?api_key=abc"), "api_base"),
        (openai(http_client=httpx.Client()), "http_client"),
        (openai(messages_to_prompt=lambda _: "x"), "messages_to_prompt"),
        (openai(output_parser=SelectionOutputParser()), "output_parser"),
        (cheap(UNSURE), "script"),
    ]
    for tier, lost in changed:
        first = of(tiers=[tier, openai()])
        with pytest.raises(ConfigurationError, match=rf"tiers\[0\].*{lost}.*give tiers="):
            CascadeLLM.from_dict(first.to_dict())
        made = CascadeLLM.from_dict(first.to_dict(), tiers=[tier, openai()])
        assert made.to_dict() == first.to_dict()


def test_a_tier_of_a_class_that_is_not_there_is_named() -> None:
    written = of().to_dict()
    written["tiers"][1]["class"] = "nowhere.Unknown"
    with pytest.raises(ConfigurationError, match=r"tiers\[1\]: no LLM class 'nowhere.Unknown'"):
        CascadeLLM.from_dict(written)


def test_a_tier_whose_settings_do_not_work_is_named() -> None:
    written = of(tiers=[openai(), openai()]).to_dict()
    written["tiers"][1]["temperature"] = "warm"
    with pytest.raises(ConfigurationError, match=r"tiers\[1\] \(OpenAI\) cannot be made"):
        CascadeLLM.from_dict(written)


@pytest.mark.parametrize("data", [{}, {"class_name": "CascadeLLM"}, openai().to_dict()])
def test_what_describes_no_cascade_makes_none(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="describes no CascadeLLM"):
        CascadeLLM.from_dict(data)


def test_settings_given_anew_go_before_the_description() -> None:
    written = of(thresholds=[0.9], signals=[known]).to_dict()
    made = CascadeLLM.from_dict(written, thresholds=[0.1], signals=["token_margin"])
    assert made._engine.plan.thresholds == (0.1,)
    assert [signal.name for signal in made._engine.plan.signals] == ["token_margin"]


def test_the_cascades_own_system_prompt_reaches_the_made_one() -> None:
    made = CascadeLLM.from_dict(of(system_prompt="Be brief.").to_dict())
    assert made.system_prompt == "Be brief."


# --- identity -------------------------------------------------------------------------------------


def test_everything_that_decides_is_in_the_ingestion_hash() -> None:
    others: list[dict[str, Any]] = [
        {},
        {"thresholds": [0.7]},
        {"signals": ["token_margin"]},
        {"signals": [SequenceLogprob("min")]},
        {"signals": [known]},
        {"signals": [unknown()]},
        {"signals": [Judge(openai())]},
        {"signals": [Judge(openai(model="gpt-4o"))]},
        {"signals": [Judge(openai(temperature=1))]},
        {"signals": [Judge(openai(), instructions="Strictly.")]},
        {"signals": [Own()]},
        {"signals": [Own(0.6)]},
        {"signals": ["sequence_logprob", "token_margin"], "combine": "mean"},
        {"signals": ["sequence_logprob", "token_margin"], "combine": "min"},
        {"combine": Combiner()},
        {"gates": [passes]},
        {"gates": [unknown()]},
        {"gates": [unknown(), unknown()]},
        {"refusals": ["no comment"]},
        {"refusals": ["no reply"]},
        {"refusals": ["no reply", lambda text: text == "-"]},
        {"policy": {"thresholds": [0.3]}},
        {"policy": {"defaults": {"on_no_score": "accept"}}},
        {"mode": "shadow"},
        {"on_no_score": "accept"},
        {"on_tool_call": "escalate"},
        {"on_exhausted": "best_draft"},
        {"system_prompt": "Be brief."},
        {"output_parser": SelectionOutputParser()},
        {"tiers": [cheap(), cheap()]},
        {"tiers": [cheap(), cheap(), strong()]},
        {"tiers": [cheap(max_tokens=5), strong(SURE)]},
        {"tiers": [cheap(system_prompt="Be kind."), strong(SURE)]},
        {"tiers": [openai(), openai()]},
        {"tiers": [openai(additional_kwargs={"seed": 1}), openai()]},
        {"tiers": [openai(additional_kwargs={"extra_headers": {"X-Route": "eu"}}), openai()]},
        {"tiers": [openai(additional_kwargs={"extra_headers": {"X-Route": "us"}}), openai()]},
        {"tiers": [openai(default_headers={"X-Route": "eu"}), openai()]},
        {"tiers": [openai(messages_to_prompt=lambda _: "x"), openai()]},
        {"tiers": [openai(messages_to_prompt=lambda _: "y"), openai()]},
    ]
    hashes = [get_transformation_hash(NODES, TitleExtractor(llm=of(**more))) for more in others]
    repeated = [others[i] for i, each in enumerate(hashes) if each in hashes[:i]]
    assert not repeated


def test_two_functions_of_one_name_are_two_identities() -> None:
    def longer_than(limit: int) -> Any:
        return lambda _request, draft: len(draft.text) > limit

    first, second = longer_than(1), longer_than(2)
    assert of(gates=[first]).to_dict() != of(gates=[second]).to_dict()
    assert of(gates=[first]).to_dict() == of(gates=[longer_than(1)]).to_dict()
    assert of(signals=[first]).to_dict() != of(signals=[second]).to_dict()


def test_a_changed_setting_changes_the_identity_and_a_changed_key_does_not() -> None:
    cascade = of(tiers=[openai(api_key="first-key"), openai()])
    before = cascade.to_dict()
    assert of(tiers=[openai(api_key="second-key"), openai()]).to_dict() == before
    cascade.thresholds = [0.4]
    assert cascade.to_dict()["identity"] != before["identity"]


# --- holders --------------------------------------------------------------------------------------


def test_holders_dump_the_cascade_and_load_with_it() -> None:
    cascade = of()
    for held in (SummaryExtractor(llm=cascade), TitleExtractor(llm=cascade)):
        dumped = held.to_dict()
        key = "llm" if "llm" in dumped else "llm_predictor"
        assert json.loads(json.dumps(dumped))[key] == cascade.to_dict()
        loaded = type(held).from_dict({**dumped, key: CascadeLLM.from_dict(dumped[key])})
        assert loaded.llm.to_dict() == cascade.to_dict()


def test_a_structured_llm_dumps_the_cascade_and_loads_with_it() -> None:
    held = of().as_structured_llm(Answer)
    dumped = held.model_dump()
    assert dumped["llm"] == of().to_dict()
    again = {"llm": CascadeLLM.from_dict(dumped["llm"]), "output_cls": Answer}
    loaded = StructuredLLM.from_dict({**dumped, **again})  # the class is not in the dump
    assert loaded.llm.to_dict() == of().to_dict()


def test_a_pickled_holder_brings_its_cascade_along() -> None:
    held = pickle.loads(pickle.dumps(SummaryExtractor(llm=of(thresholds=[0.3]))))
    assert held.llm._engine.plan.thresholds == (0.3,)


# --- pickling -------------------------------------------------------------------------------------

UNPICKLABLE: list[tuple[dict[str, Any], str]] = [
    ({"signals": ["sequence_logprob", unknown()]}, r"signals\[1\] \(function\) cannot be pickled"),
    ({"gates": [unknown()]}, r"gates\[0\] \(function\) cannot be pickled"),
    ({"signals": [Judge(cheap(UNSURE))]}, r"signals\[0\] \(FakeLLM\).*script"),
    ({"completion_to_prompt": lambda x: x}, "completion_to_prompt="),
    ({"tiers": [cheap(UNSURE), strong(SURE)]}, r"tiers\[0\] \(FakeLLM\).*without its script"),
    ({"tiers": [cheap(messages_to_prompt=lambda _: "")]}, r"tiers\[0\].*messages_to_prompt"),
    ({"tiers": [of(gates=[unknown()]), cheap()]}, r"tiers\[0\] \(CascadeLLM\).*gates\[0\]"),
]


@pytest.mark.parametrize(("settings", "words"), UNPICKLABLE, ids=names)
def test_what_cannot_be_pickled_is_named_and_nothing_is_dropped(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(pickle.PicklingError, match=words):
        pickle.dumps(of(**settings))


def test_functions_of_a_module_are_pickled_with_the_cascade() -> None:
    made = pickle.loads(
        pickle.dumps(of(signals=[known, Own(0.7)], gates=[passes], combine=Combiner()))
    )
    plan = made._engine.plan
    assert [signal.name for signal in plan.signals] == ["known", "own"]
    assert plan.signals[1].at == 0.7
    assert plan.custom_gates
    assert made.complete("hi").additional_kwargs["cascade"]["tier"] == 0


def test_a_callback_manager_stays_in_its_process() -> None:
    made = pickle.loads(pickle.dumps(of(callback_manager=CallbackManager([]))))
    assert made._manager is None


# --- copies ---------------------------------------------------------------------------------------

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda cascade: cascade.model_copy(),
    "deep model_copy": lambda cascade: cascade.model_copy(deep=True),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_asks_the_same_models_and_has_settings_of_its_own(how: str) -> None:
    first = of(tiers=[cheap(UNSURE), strong()], prices=PRICES, gates=[unknown()])
    first.complete("hi")  # everything that is made on use is made
    _ = first.metadata, first._object_engine, first._refining
    second = COPIES[how](first)
    assert second.to_dict() == first.to_dict()
    assert second.tiers[0] is first.tiers[0]
    for shared in ("_engine", "_refining"):
        assert getattr(second, shared) is not getattr(first, shared)
    second.thresholds = [0.1]
    assert second.complete("hi").additional_kwargs["cascade"]["tier"] == 0
    assert first.complete("hi").additional_kwargs["cascade"]["tier"] == 1
    second.thresholds = None
    second.tiers = [strong()]
    assert (second.metadata.context_window, first.metadata.context_window) == (8192, 4096)


def test_a_deep_copys_lists_are_its_own() -> None:
    first = of(thresholds=[0.5], prices={"m0": {"input": 1, "output": 1}})
    second = copy.deepcopy(first)
    second.thresholds.append(2)
    second.prices["m0"]["input"] = 7
    second.tiers.pop()
    assert (first.thresholds, len(first.tiers)) == ([0.5], 2)
    assert first.prices["m0"]["input"] == 1


def test_a_used_openai_model_does_not_keep_its_cascade_from_being_copied() -> None:
    tier = openai(api_key="x")
    tier._get_client()
    assert copy.deepcopy(of(tiers=[tier, tier])).tiers[0] is tier


def test_what_a_copy_changes_takes_effect_or_is_refused() -> None:
    first = of(tiers=[cheap(UNSURE), strong()])
    changed = first.model_copy(update={"thresholds": [0.1]})
    assert changed.complete("hi").additional_kwargs["cascade"]["tier"] == 0
    assert pickle.loads(pickle.dumps(of().model_copy(update={"thresholds": [0.1]}))).thresholds
    for bad, words in (
        ({"thresholds": [7]}, "give a number in"),
        ({"treshold": [0.5]}, "did you mean thresholds="),
        ({"tiers": []}, "is empty"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            first.model_copy(update=bad)
    assert first._engine.plan.thresholds == (0.9,)


def test_a_copy_reports_where_the_first_does(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = CallbackManager([])
    assert copy.deepcopy(of(callback_manager=manager))._manager is manager
    assert copy.copy(of())._manager is None
    assert of().model_copy(update={"callback_manager": manager})._manager is manager


def test_settings_hold_a_cascade() -> None:
    before = Settings._llm
    try:
        Settings.llm = of()
        assert isinstance(Settings.llm, CascadeLLM)
    finally:
        Settings._llm = before


def test_the_representation_names_tiers_and_thresholds() -> None:
    assert repr(of()) == str(of()) == "CascadeLLM(m0->m1, thresholds=[0.9])"
    assert (
        repr(of(tiers=[FakeLLM(model="")] * 2)) == "CascadeLLM(FakeLLM->FakeLLM, thresholds=[0.9])"
    )


def test_a_databases_password_is_not_written_down() -> None:
    llm = of(log="postgresql://ann:geheim@db/cascade")
    for said in (llm.to_json(), repr(llm), str(llm.model_dump())):
        assert "geheim" not in said
    with pytest.raises(ConfigurationError, match="log"):
        CascadeLLM.from_dict(llm.to_dict())
    again = CascadeLLM.from_dict(llm.to_dict(), log=llm.log)
    assert again.log == llm.log
