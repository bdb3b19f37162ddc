"""Makes every mistake that docs/troubleshooting.md explains, and hands back what was said.

One function a message. Those of the command line are in `provoking_commands`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.output_parsers import PydanticOutputParser, StrOutputParser
from langchain_core.tracers.base import BaseTracer
from langchain_openai import ChatOpenAI
from llama_index.core import Document, SummaryIndex
from llama_index.llms.openai import OpenAI

from cascade_core import Audit, Budget, Policy, Runs, Telemetry, flush_log
from cascade_core.calibration import tune
from cascade_core.errors import CascadeError, CascadeWarning
from cascade_core.log.policies import PolicyStore
from cascade_core.setup import live
from cascade_core.signals import Agreement, Claims, Judge, SelfConsistency, SequenceLogprob
from cascade_core.telemetry import watch
from cascade_core.telemetry.worker import ROOM_BEHIND, Worker
from langchain_cascade import ChatCascade, RunnableCascade, parser_gate
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine
from tests.core.commands.making import ladder
from tests.decisions import Scripted
from tests.langchain.fakes import FakeChat, ProviderError, Say
from tests.policies import by

Provoke = Callable[[Path], str]
PROVOKED: list[Provoke] = []

PRICES = {
    "gpt-4o-mini": {"input": 0.15, "output": 0.6},
    "gpt-4o": {"input": 2.5, "output": 10},
}


def provoked(mistake: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """Take a mistake that raises or warns."""

    def said(folder: Path) -> str:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                # The policies of earlier mistakes, whose folders are gone, say nothing now.
                with patch.object(live, "look_after", lambda _: None):
                    mistake(folder)
            except CascadeError as error:
                return str(error)
        ours = [str(one.message) for one in caught if issubclass(one.category, CascadeWarning)]
        return " AND ".join(ours)

    said.__name__ = mistake.__name__
    PROVOKED.append(said)
    return mistake


def cheap(says: Any = None, **given: Any) -> FakeChat:
    return FakeChat(says or Say(), model_name="gpt-4o-mini", **given)


def strong(says: Any = None) -> FakeChat:
    return FakeChat(says or Say(), model_name="gpt-4o")


def pair(first: Any = None, **settings: Any) -> ChatCascade:
    """A cascade of two models that answer."""
    return ChatCascade(tiers=[first or cheap(), strong()], prices=PRICES, **settings)


# --- tiers ----------------------------------------------------------------------------------------


@provoked
def no_tiers(_: Path) -> None:
    ChatCascade(tiers=[])


@provoked
def tiers_by_place(_: Path) -> None:
    ChatCascade(cheap(), strong())  # type: ignore[call-arg, arg-type]


@provoked
def a_name_for_a_list(_: Path) -> None:
    ChatCascade(tiers="openai:gpt-4o-mini")  # type: ignore[arg-type]


@provoked
def a_chain_as_a_model(_: Path) -> None:
    ChatCascade(tiers=[cheap() | StrOutputParser(), strong()])


@provoked
def a_class_as_a_model(_: Path) -> None:
    ChatCascade(tiers=[ChatOpenAI, strong()])  # type: ignore[list-item]


@provoked
def a_completion_model(_: Path) -> None:
    ChatCascade(tiers=[FakeListLLM(responses=["fine"]), strong()])  # type: ignore[list-item]


@provoked
def another_framework(_: Path) -> None:
    ChatCascade(tiers=[OpenAI(model="gpt-4o-mini", api_key="unused"), strong()])  # type: ignore[list-item]


@provoked
def a_name_without_a_provider(_: Path) -> None:
    ChatCascade.from_models("my-model", "openai:gpt-4o")


@provoked
def a_name_without_a_model(_: Path) -> None:
    ChatCascade.from_models("openai:", "openai:gpt-4o")


@provoked
def one_tier(_: Path) -> None:
    ChatCascade(tiers=[strong()])


@provoked
def one_model_twice(_: Path) -> None:
    model = strong()
    ChatCascade(tiers=[model, model])


@provoked
def dearest_first(_: Path) -> None:
    ChatCascade(tiers=[strong(), cheap()], prices=PRICES)


@provoked
def a_setting_without_effect(_: Path) -> None:
    pair(FakeListChatModel(responses=["fine"]), temperature=0)


@provoked
def langchain_model_for_llamaindex(_: Path) -> None:
    CascadeLLM(tiers=[ChatOpenAI(model="gpt-4o-mini", api_key="unused")] * 2)  # type: ignore[list-item, arg-type]


@provoked
def engine_for_llm(_: Path) -> None:
    model = OpenAI(model="gpt-4o-mini", api_key="unused")
    CascadeQueryEngine(tiers=[model, model])  # type: ignore[list-item]


@provoked
def index_for_engine(_: Path) -> None:
    index = SummaryIndex.from_documents([Document(text="one")])
    CascadeQueryEngine(tiers=[index, index])  # type: ignore[list-item]


@provoked
def unknown_to_openai(_: Path) -> None:
    model = OpenAI(model="my-own-model", api_key="unused")
    CascadeLLM(tiers=[model, OpenAI(model="gpt-4o", api_key="unused")])


@provoked
def unknown_provider(_: Path) -> None:
    CascadeLLM.from_models("my-model", "openai:gpt-4o")


@provoked
def integration_is_missing(_: Path) -> None:
    CascadeLLM.from_models("mistral:mistral-small-latest", "openai:gpt-4o")


@provoked
def other_models_than_tuned(_: Path) -> None:
    table = ladder(400, 40)
    names = {"t0_model": ["gpt-4.1-mini"] * 400, "t1_model": ["gpt-4o"] * 400}
    signal = {"t0_signal_sequence_logprob": table.pop("t0_signal_a")}
    pair(policy=tune({**table, **names, **signal}, harm=0.05, skip=False))


@provoked
def a_conversation_kept_elsewhere(_: Path) -> None:
    from llama_index.llms.openai import OpenAIResponses

    kept = OpenAIResponses(model="gpt-4o", api_key="unused", track_previous_responses=True)
    CascadeLLM(tiers=[OpenAI(model="gpt-4o-mini", api_key="unused"), kept])


# --- settings -------------------------------------------------------------------------------------


@provoked
def thresholds_for_every_tier(_: Path) -> None:
    pair(thresholds=[0.8, 0.7, 0.6])


@provoked
def a_percentage(_: Path) -> None:
    pair(thresholds=[80])


@provoked
def committing_without_a_rule(_: Path) -> None:
    pair(streaming_policy="commit")


@provoked
def an_argument_misspelt(_: Path) -> None:
    pair(threshold=0.8)


@provoked
def an_unknown_choice(_: Path) -> None:
    pair(on_no_score="strong")


@provoked
def no_signals(_: Path) -> None:
    pair(signals=[])


@provoked
def an_unknown_signal(_: Path) -> None:
    pair(signals=["logprobs"])


@provoked
def a_class_for_a_signal(_: Path) -> None:
    pair(signals=[SelfConsistency])


@provoked
def two_of_a_name(_: Path) -> None:
    pair(signals=[SequenceLogprob(), SequenceLogprob("min")])


@provoked
def a_judge_without_a_model(_: Path) -> None:
    pair(signals=[Judge(None)])


@provoked
def agreement_with_a_tier(_: Path) -> None:
    models = [cheap(), strong()]
    ChatCascade(tiers=models, signals=[Agreement(models[1])], prices=PRICES)


@provoked
def a_parser_class(_: Path) -> None:
    pair(gates=[parser_gate(PydanticOutputParser)])  # type: ignore[arg-type]


@provoked
def no_global_cache(_: Path) -> None:
    pair(cache=True).invoke("When is my invoice due?")


@provoked
def a_log_in_no_folder(_: Path) -> None:
    pair(log="logs/decisions.jsonl")


@provoked
def a_log_nobody_knows(_: Path) -> None:
    pair(log="redis://localhost/log")


@provoked
def no_such_policy(_: Path) -> None:
    pair(policy="policy.json")


@provoked
def a_policy_with_a_typo(_: Path) -> None:
    pair(policy={"treshold": [0.8]})


@provoked
def a_policy_for_three(_: Path) -> None:
    pair(policy=Policy(thresholds=(0.8, 0.7, 0.6)))


@provoked
def a_policy_with_another_signal(_: Path) -> None:
    pair(policy=Policy(calibrators=(by("judge"),), thresholds=(0.4,)))


@provoked
def a_policy_and_a_combiner(_: Path) -> None:
    pair(policy=Policy(calibrators=(by(),), thresholds=(0.4,)), combine="mean")


PROMISED = Policy(
    thresholds=(0.8,),
    promises=(
        {  # type: ignore[arg-type]
            "kind": "harm",
            "limit": 0.02,
            "confidence": 0.95,
            "rows": 1000,
            "seen": 0.01,
            "p_value": 0.01,
            "method": "binomial",
        },
    ),
)


@provoked
def thresholds_beside_a_promise(_: Path) -> None:
    pair(policy=PROMISED, thresholds=0.7)


@provoked
def accepting_beside_a_promise(_: Path) -> None:
    pair(policy=PROMISED, on_no_score="accept")


# --- while it answers -----------------------------------------------------------------------------


@provoked
def no_logprobs(_: Path) -> None:
    pair(cheap(Say(p=None))).invoke("When is my invoice due?")


@provoked
def tool_calls_unread(_: Path) -> None:
    call = {"name": "look_up", "args": {"order": 7}, "id": "1"}
    pair(cheap(Say("", p=None, tool_calls=[call], finish="tool_calls"))).bind_tools(
        [look_up]
    ).invoke("Where is my order?")


@provoked
def tool_calls_sent_on(_: Path) -> None:
    call = {"name": "look_up", "args": {"order": 7}, "id": "1"}
    model = cheap(Say("", p=None, tool_calls=[call], finish="tool_calls"))
    pair(model, on_tool_call="escalate").bind_tools([look_up]).invoke("Where is my order?")


@provoked
def tool_calls_handed_off(_: Path) -> None:
    call = {"name": "look_up", "args": {"order": 7}, "id": "1"}
    model = strong(Say("", p=None, tool_calls=[call], finish="tool_calls"))
    llm = ChatCascade(
        tiers=[cheap(Say("Monday", p=0.1)), model],
        prices=PRICES,
        thresholds=[0.9, 0.6],
        on_tool_call="escalate",
    )
    llm.bind_tools([look_up]).invoke("Where is my order?")


@provoked
def a_handoff_that_fails(_: Path) -> None:
    def ask_a_person(request: Any, draft: Any) -> str:
        raise ConnectionError

    unsure = Say("Monday", p=0.1)
    llm = ChatCascade(
        tiers=[cheap(unsure), strong(unsure)],
        prices=PRICES,
        thresholds=[0.9, 0.6],
        on_handoff=ask_a_person,
    )
    llm.invoke("When is my invoice due?")


def look_up(order: int) -> str:
    """Look an order up."""
    return str(order)


@provoked
def a_tier_that_fails(_: Path) -> None:
    cascade = pair(cheap(Say(error=ProviderError(status_code=401))))
    for _ in range(3):
        cascade.invoke("When is my invoice due?")


@provoked
def every_tier_fails(_: Path) -> None:
    failing = Say(error=ProviderError(status_code=401))
    ChatCascade(tiers=[cheap(failing), strong(failing)]).invoke("When is my invoice due?")


@provoked
def a_tier_without_a_bound(_: Path) -> None:
    bounded = FakeChat(Say(), model_name="gpt-4o", max_tokens=500)
    ChatCascade(tiers=[cheap(), bounded], prices=PRICES, budget=Budget(usd=5))


@provoked
def a_budget_that_is_short(_: Path) -> None:
    small = Budget(tokens=10, per="run", when_short="refuse", name="support desk")
    tiers = [
        ChatOpenAI(model=name, max_tokens=500, api_key="unused")
        for name in ("gpt-4o-mini", "gpt-4o")
    ]
    ChatCascade(tiers=tiers, budget=small).invoke("When is my invoice due?")


@provoked
def a_signal_that_raises(_: Path) -> None:
    def polite(request: Any, draft: Any) -> float:
        raise KeyError(draft.text)

    pair(signals=[polite, "sequence_logprob"]).invoke("When is my invoice due?")


@provoked
def a_signal_in_percent(_: Path) -> None:
    def polite(request: Any, draft: Any) -> float:
        return 80

    pair(signals=[polite, "sequence_logprob"]).invoke("When is my invoice due?")


@provoked
def a_combiner_that_raises(_: Path) -> None:
    class Product:
        identity = "product"

        def combine(self, readings: Any) -> float:
            return math.prod(readings)

    pair(combine=Product()).invoke("When is my invoice due?")


@provoked
def a_model_that_does_not_state_how_sure_it_is(_: Path) -> None:
    pair(signals=["verbalized"]).invoke("When is my invoice due?")


@provoked
def a_gate_that_raises(_: Path) -> None:
    def is_short(request: Any, draft: Any) -> bool:
        raise KeyError(draft.text)

    pair(gates=[is_short]).invoke("When is my invoice due?")


@provoked
def another_model_that_is_down(_: Path) -> None:
    other = FakeChat(Say(error=ProviderError(status_code=503)), model_name="gpt-4.1-mini")
    pair(signals=[Agreement(other)]).invoke("When is my invoice due?")


@provoked
def an_agreement_that_raises(_: Path) -> None:
    def same(draft: str, other: str) -> bool:
        raise ValueError(draft + other)

    other = FakeChat(model_name="gpt-4.1-mini")
    pair(signals=[Agreement(other, agreement=same)]).invoke("When is my invoice due?")


@provoked
def a_judge_that_is_down(_: Path) -> None:
    judge = FakeChat(Say(error=ProviderError(status_code=503)), model_name="gpt-4.1-mini")
    pair(signals=["sequence_logprob", Judge(judge)]).invoke("When is my invoice due?")


@provoked
def a_judge_that_leaves_a_statement_out(_: Path) -> None:
    draft, judge = Say("It is Monday. It is in May.", p=0.9), Say("1: A")
    claims = Claims(FakeChat([judge, judge], model_name="gpt-4.1-mini"))
    pair(cheap(draft), signals=[claims]).invoke("When is my invoice due?")


@provoked
def a_judge_of_statements_that_is_down(_: Path) -> None:
    judge = FakeChat(Say(error=ProviderError(status_code=503)), model_name="gpt-4.1-mini")
    pair(signals=[Claims(judge)]).invoke("When is my invoice due?")


@provoked
def a_check_of_code_that_is_none(_: Path) -> None:
    pair(gates=[Runs("pytest")])  # type: ignore[arg-type]


@provoked
def a_judge_that_rambles(_: Path) -> None:
    judge = FakeChat(Say("It depends on what you mean."), model_name="gpt-4.1-mini")
    pair(signals=["sequence_logprob", Judge(judge)]).invoke("When is my invoice due?")


@provoked
def a_decision_model_that_sends_nonsense(_: Path) -> None:
    judge = Scripted(model="house-1", answer=1.5)
    pair(signals=["sequence_logprob", Judge(judge)]).invoke("When is my invoice due?")


@provoked
def a_decision_model_that_answers_something_else(_: Path) -> None:
    choice = {"type": "choice", "choice": "a", "probabilities": {"a": 1.0}, "confidence": 1.0}
    judge = Scripted(model="house-1", answer=choice)
    pair(signals=["sequence_logprob", Judge(judge)]).invoke("When is my invoice due?")


@provoked
def a_decision_model_without_usage(_: Path) -> None:
    judge = Scripted(model="house-1", usage=None)
    pair(signals=["sequence_logprob", Judge(judge)]).invoke("When is my invoice due?")


@provoked
def criteria_for_a_chat_model(_: Path) -> None:
    pair(signals=[Judge(FakeChat(Say()), criteria=["wrong", "right"])])


@provoked
def a_decision_model_as_a_tier(_: Path) -> None:
    ChatCascade(tiers=[Scripted(), strong()])


@provoked
def no_temperature(_: Path) -> None:
    def says(messages: Any, fields: Any) -> Say:
        if "temperature" in fields:
            return Say(error=ProviderError(status_code=400))
        return Say()

    pair(cheap(says), signals=[SelfConsistency(n=2)]).invoke("When is my invoice due?")


@provoked
def probability_one(_: Path) -> None:
    said = "Your invoice is due on the first of May, as ever."
    pair(cheap(Say(said, p=1.0))).invoke("When is my invoice due?")


@provoked
def dearer_than_the_strong_model(_: Path) -> None:
    near = {**PRICES, "gpt-4o-mini": {"input": 2, "output": 9}}
    cascade = ChatCascade(tiers=[cheap(Say(p=0.1)), strong()], prices=near)
    for _ in range(100):
        cascade.invoke("When is my invoice due?")


@provoked
def a_log_that_cannot_be_written(folder: Path) -> None:
    cascade = pair(log="decisions.jsonl")
    (folder / "decisions.jsonl").mkdir()
    cascade.invoke("When is my invoice due?")


@provoked
def a_policy_cut_short(folder: Path) -> None:
    (folder / "policy.json").write_text('{"version": 1, "thresholds": [0.9', "utf-8")
    pair(policy="policy.json")


@provoked
def a_policy_that_is_broken_while_it_is_followed(folder: Path) -> None:
    path = folder / "policy.json"
    Policy(thresholds=(0.9,)).save(path)
    followed = pair(policy="policy.json")._engine._live
    path.write_text('{"thresholds": [0.9, 0.8, 0.7]}', encoding="utf-8")
    followed.look()
    followed.look()


@provoked
def a_database_without_an_active_policy(folder: Path) -> None:
    PolicyStore("sqlite:///decisions.db", create=True).save(Policy(thresholds=(0.9,)))
    pair(policy="sqlite:///decisions.db")


@provoked
def a_chain_without_logprobs(_: Path) -> None:
    chain = FakeListChatModel(responses=["fine"]) | StrOutputParser()
    RunnableCascade(tiers=[chain, strong() | StrOutputParser()]).invoke("When is it due?")


@provoked
def a_chain_with_an_odd_output(_: Path) -> None:
    RunnableCascade(tiers=[lambda _: object(), lambda _: object()]).invoke("When is it due?")


# --- audits ---------------------------------------------------------------------------------------


class OnlyRecords:
    def write(self, record: Any) -> None: ...


class WithEvents(OnlyRecords):
    def write_event(self, event: Any) -> None: ...


class Unreadable(WithEvents):
    def audit_cost(self, since: Any) -> float:
        raise OSError


def audited(*, log: Any = None, strong: str = "gpt-4o", **audit: Any) -> None:
    """Ask twice, and audit both."""
    answers = ["It is due on the first of May.", "On May 1, as in any other month of the year."]
    names = ["gpt-4o-mini", strong]
    models = [FakeChat(Say(said), model_name=n) for said, n in zip(answers, names, strict=True)]
    settings = {"audit": Audit(1.0, **audit), "log": log or WithEvents()}
    cascade = ChatCascade(tiers=models, prices=PRICES, **settings)
    for _ in range(2):
        cascade.invoke("When is my invoice due?")
        flush_log()


@provoked
def audits_without_a_log(_: Path) -> None:
    pair(audit=Audit(0.05))


@provoked
def audits_for_a_log_of_records(_: Path) -> None:
    pair(audit=Audit(0.05), log=OnlyRecords())


@provoked
def a_rate_in_percent(_: Path) -> None:
    Audit(5)


@provoked
def prose_compared_by_words(_: Path) -> None:
    audited()


@provoked
def a_judge_of_audits_that_rambles(_: Path) -> None:
    judge = FakeChat(Say("It depends on what you mean."), model_name="gpt-4.1-mini")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="signal 'judge'")
        audited(compare=Judge(judge))


@provoked
def a_limit_that_is_reached(_: Path) -> None:
    audited(compare=_equal, max_usd_per_day=0.0001)


@provoked
def a_limit_without_prices(_: Path) -> None:
    audited(compare=_equal, max_usd_per_day=5, strong="house-model")


@provoked
def spending_that_cannot_be_read(_: Path) -> None:
    audited(compare=_equal, max_usd_per_day=5, log=Unreadable())


def _equal(_request: Any, _draft: Any, _strong: Any) -> float:
    return 1.0


# --- rules ----------------------------------------------------------------------------------------


def _ruled(match: Any, name: str = "own", **others: Any) -> dict[str, Any]:
    return {"rules": [{"name": name, "match": match, "then": {"bypass": True}}], **others}


@provoked
def a_pattern_that_never_ends(_: Path) -> None:
    pair(policy=_ruled({"regex": "(a+)+$"}, "slow")).invoke("a" * 5_000 + "b")


@provoked
def a_rule_that_raises(_: Path) -> None:
    pair(policy=_ruled(lambda request: 1 / 0)).invoke("hello")


# --- telemetry ------------------------------------------------------------------------------------


@provoked
def a_tracer_that_keeps_its_runs_otherwise(_: Path) -> None:
    class HouseTracer(BaseTracer):
        def _persist_run(self, run: Any) -> None:
            pass

        def _on_chain_start(self, run: Any) -> None:
            run.tags = 5

    pair().invoke("hello", {"callbacks": [HouseTracer()]})


class _BrokenProvider:
    """A tracer provider whose spans cannot be made."""

    def get_tracer(self, *_: Any, **__: Any) -> Any:
        return self

    def start_span(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError


@provoked
def a_tracer_provider_that_raises(_: Path) -> None:
    with _own_worker() as own:
        pair(telemetry=Telemetry(_BrokenProvider())).invoke("hello")
        own.drain()


@provoked
def an_exporter_that_is_too_slow(_: Path) -> None:
    with _own_worker() as own:
        own._rouse = lambda: None
        for _each in range(ROOM_BEHIND + 1):
            own.put(print)


@contextmanager
def _own_worker() -> Iterator[Any]:
    """Put another worker in the place of the one that may have warned already."""
    own = Worker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "worker", own)
        yield own


# --- learning -------------------------------------------------------------------------------------


@provoked
def learning_with_what_is_assumed(folder: Path) -> None:
    pair(mode="learn", log=f"sqlite:///{folder}/decisions.db")


@provoked
def learning_without_a_log(_: Path) -> None:
    pair(mode="learn")


@provoked
def learning_without_a_database(_: Path) -> None:
    pair(mode="learn", log="decisions.jsonl")


@provoked
def learning_into_a_file(_: Path) -> None:
    pair(mode="learn", log="sqlite:///decisions.db", policy="policy.json")


@provoked
def learning_what_is_given(_: Path) -> None:
    pair(mode="learn", log="sqlite:///decisions.db", thresholds=0.9)
