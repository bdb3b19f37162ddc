"""No key and no prompt is in anything a cascade says, logs, raises or hands to observers."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.extractors import TitleExtractor
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.prompts import PromptTemplate
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel, PrivateAttr, SecretStr

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted, ConfigurationError
from cascade_core.signals import BaseSignal, Judge
from llamaindex_cascade import CascadeDecisionEvent, CascadeLLM
from tests.llamaindex.fakes import SURE, UNSURE, FakeLLM, ProviderError, Say, cheap, strong

KEY = "sk-very-secret-key-0123456789"
HEADER = "header-secret-987"
PASSWORD = "pa55word-of-a-proxy"
TENANT = "tenant-secret-4711"
PROMPT = "the private words of a customer"
SECRETS = (KEY, HEADER, PASSWORD, TENANT)
NOWHERE = "http://127.0.0.1:9/v1"


class Vault(FakeLLM):
    """An integration that keeps its secrets in other shapes."""

    secret: SecretStr = SecretStr(KEY)
    accessToken: str = TENANT  # noqa: N815 - so the integration calls it
    aws_secret_access_key: str = KEY
    connection: dict[str, Any] = {"user": "u", "password": PASSWORD}  # noqa: RUF012
    options: list[Any] = [{"x-api-key": KEY}]  # noqa: RUF012
    note: str = f"rotated from {TENANT} today"
    endpoint: str = f"https://example.org/v1?tenant=a&api_key={KEY}"
    text: str = f"Bearer {KEY}"

    @classmethod
    def class_name(cls) -> str:
        return "Vault"


def openai(**kwargs: Any) -> OpenAI:
    return OpenAI(
        **{
            "model": "gpt-4o-mini",
            "api_key": KEY,
            "api_base": NOWHERE,
            "max_retries": 0,
            "default_headers": {"Authorization": f"Bearer {HEADER}", "X-Tenant": TENANT},
            "additional_kwargs": {"extra_headers": {"X-Auth": HEADER}, "user": TENANT},
            "http_client": httpx.Client(headers={"Authorization": HEADER}),
            **kwargs,
        }
    )


def like(**kwargs: Any) -> OpenAILike:
    return OpenAILike(
        model="own",
        api_key=KEY,
        api_base=f"http://user:{PASSWORD}@127.0.0.1:9/v1",
        default_headers={"api-key": KEY},
        max_retries=0,
        is_chat_model=True,
        **kwargs,
    )


class Asks(BaseSignal):
    """A caller's own signal, whose representation shows all it holds."""

    name = "asks"

    def __init__(self, llm: Any) -> None:
        self.llm = llm

    def measure(self, request: Any, draft: Any, tier: Any) -> Any:
        return 1.0
        yield


class Payloads(BaseCallbackHandler):
    """Keeps every callback's payload."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.seen: list[Any] = []

    def on_event_start(self, event_type: Any, payload: Any = None, *_: Any, **__: Any) -> str:
        self.seen.append((event_type, payload))
        return ""

    def on_event_end(self, event_type: Any, payload: Any = None, *_: Any, **__: Any) -> None:
        self.seen.append((event_type, payload))

    def start_trace(self, trace_id: str | None = None) -> None: ...
    def end_trace(self, trace_id: str | None = None, trace_map: Any = None) -> None: ...


class Events(BaseEventHandler):
    _seen: list[Any] = PrivateAttr(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        self._seen.append(event)


class Answer(BaseModel):
    answer: str


@pytest.fixture
def observed() -> Iterator[tuple[list[Any], SimpleSpanHandler]]:
    dispatcher = get_dispatcher()
    events, spans = Events(), SimpleSpanHandler()
    dispatcher.add_event_handler(events)
    dispatcher.add_span_handler(spans)
    yield events._seen, spans
    dispatcher.event_handlers.remove(events)
    dispatcher.span_handlers.remove(spans)


def told(cascade: CascadeLLM) -> list[str]:
    """Everything a cascade says of itself."""
    return [
        repr(cascade),
        str(cascade),
        repr(cascade.to_dict()),
        cascade.to_json(),
        cascade.json(),
        repr(cascade.dict()),
        repr(cascade.model_dump()),
        cascade.model_dump_json(),
        repr(cascade.model_dump(mode="json")),
        repr(cascade.to_payload()),
        repr(cascade.metadata),
        cascade.model_dump_json(exclude_none=True),
        repr(TitleExtractor(llm=cascade).to_dict()),
        repr(cascade.as_structured_llm(Answer).model_dump()),
        repr(cascade._engine.plan),
        repr(cascade._llm_tiers[0].llm.metadata),
    ]


def clean(texts: list[str], *more: str) -> None:
    for text in texts:
        for secret in (*SECRETS, *more):
            assert secret not in text


CASCADES = {
    "openai": lambda: CascadeLLM(tiers=[openai(), openai(api_base=NOWHERE)]),
    "openai-like": lambda: CascadeLLM(tiers=[like(), like()]),
    "fake": lambda: CascadeLLM(tiers=[cheap(api_key=KEY), strong(api_key=KEY)]),
    "vault": lambda: CascadeLLM(tiers=[Vault(), Vault(api_key=KEY)]),
    "judge": lambda: CascadeLLM(tiers=[cheap(), strong()], signals=[Judge(openai())]),
    "own signal": lambda: CascadeLLM(tiers=[cheap(), strong()], signals=[Asks(openai())]),
    "nested": lambda: CascadeLLM(tiers=[CascadeLLM(tiers=[like(), Vault()]), openai()]),
}


@pytest.mark.parametrize("which", CASCADES)
def test_no_secret_is_in_what_a_cascade_says_of_itself(which: str) -> None:
    clean(told(CASCADES[which]()))


def test_no_secret_and_no_prompt_is_in_errors_logs_records_or_warnings(
    tmp_path: Any, caplog: Any, recwarn: Any
) -> None:
    caplog.set_level(logging.DEBUG, logger="cascade_core")
    caplog.set_level(logging.DEBUG, logger="llamaindex_cascade")
    log = tmp_path / "decisions.jsonl"
    quotes = Say(error=ProviderError(f"bad key {KEY} for {PROMPT}", 401))
    failing = CascadeLLM(
        tiers=[cheap(quotes, api_key=KEY), strong(quotes)],
        signals=["sequence_logprob", Judge(strong(quotes))],
        log=log,
    )
    with collect_decisions() as seen, pytest.raises(CascadeExhausted) as raised:
        failing.complete(PROMPT)
    partly = CascadeLLM(
        tiers=[cheap(UNSURE), strong()],
        signals=["sequence_logprob", Judge(strong(quotes))],
        thresholds=0.2,
        log=log,
    )
    answer = partly.complete(PROMPT)
    unreachable = CascadeLLM(tiers=[openai(http_client=None), like()], log=log)
    with pytest.raises(CascadeExhausted) as offline:
        unreachable.complete(PROMPT)
    clean(
        [
            str(raised.value),
            repr(raised.value),
            repr(raised.value.trail),
            str(offline.value),
            repr(offline.value),
            repr(offline.value.trail),
            repr(answer.additional_kwargs),
            repr(seen),
            log.read_text(),
            *(r.getMessage() for r in caplog.records if "cascade" in r.name),
            *(str(w.message) for w in recwarn),
        ],
        PROMPT,
    )
    assert len(log.read_text().splitlines()) == 3


def test_content_is_logged_only_when_asked_for(tmp_path: Any) -> None:
    log = tmp_path / "decisions.jsonl"
    tiers = [cheap(UNSURE, api_key=KEY), strong(api_key=KEY)]
    CascadeLLM(tiers=tiers, log=log).complete(PROMPT)
    assert PROMPT not in log.read_text()
    assert "strong answer" not in log.read_text()
    CascadeLLM(tiers=tiers, log=log, log_content=True).complete(PROMPT)
    line = json.loads(log.read_text().splitlines()[1])
    assert line["request"] == [{"role": "user", "text": PROMPT}]
    assert line["response"] == "strong answer"
    clean([log.read_text()])


def test_no_secret_is_in_callbacks_events_or_spans(
    observed: tuple[list[Any], SimpleSpanHandler],
) -> None:
    events, spans = observed
    payloads = Payloads()
    cascade = CascadeLLM(
        tiers=[cheap(UNSURE, api_key=KEY), strong(api_key=KEY)],
        callback_manager=CallbackManager([payloads]),
    )
    cascade.complete(PROMPT)
    cascade.predict(PromptTemplate("{x}"), x=PROMPT)
    list(cascade.stream_complete(PROMPT))
    decisions = [event for event in events if isinstance(event, CascadeDecisionEvent)]
    assert len(decisions) == 3
    clean([repr(decision) + decision.model_dump_json() for decision in decisions], PROMPT)
    # LlamaIndex's own events and payloads hold prompts, by its design; keys they must not.
    clean([repr(event.model_dump()) for event in events])
    clean([repr(payload) for _, payload in payloads.seen])
    clean([repr(span) for span in spans.completed_spans])


def test_no_secret_is_in_a_configuration_error() -> None:
    tier = cheap()
    for bad in (
        {"tiers": [tier, {"api_key": KEY}]},
        {"tiers": {"api_key": KEY}},
        {"tiers": [tier], "api_key": KEY},
        {"tiers": [tier], "log": {"password": PASSWORD}},
        {"tiers": [tier], "signals": [{"k": KEY}]},
        {"tiers": [tier], "signals": {"k": KEY}},
        {"tiers": [tier], "gates": [{"k": KEY}]},
        {"tiers": [tier], "policy": {"thresholds": KEY}},
        {"tiers": [tier], "log_content": KEY},
        {"tiers": [tier], "system_prompt": [KEY]},
        {"tiers": [tier], "pydantic_program_mode": KEY},
        {"tiers": [tier], "thresholds": {"k": KEY}},
    ):
        with pytest.raises(ConfigurationError) as raised:
            CascadeLLM(**bad)
        clean([str(raised.value), repr(raised.value)])


def test_no_secret_is_in_what_refuses_to_write_a_cascade_down_or_to_pickle_it() -> None:
    cascades = [CASCADES[which]() for which in ("openai", "openai-like", "judge")]
    for cascade in cascades:
        with pytest.raises(ConfigurationError) as raised:
            CascadeLLM.from_dict(cascade.to_dict())
        clean([str(raised.value)])
    with pytest.raises(pickle.PicklingError) as refused:
        pickle.dumps(cascades[0])
    clean([str(refused.value)])


def test_a_model_made_again_takes_its_key_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = {"default_headers": None, "additional_kwargs": {"seed": 1}, "http_client": None}
    written = CascadeLLM(tiers=[openai(**plain), openai(**plain)]).to_json()
    clean([written])
    monkeypatch.setenv("OPENAI_API_KEY", "the-key-of-this-machine")
    made = CascadeLLM.from_json(written)
    assert [tier.api_key for tier in made.tiers] == ["the-key-of-this-machine"] * 2
    assert made.tiers[0].additional_kwargs == {"seed": 1}
    clean(told(made), "the-key-of-this-machine")


def test_a_rejected_tiers_text_is_nowhere_but_with_the_observers_of_that_tier() -> None:
    draft = "a draft nobody may read"
    for ask in (
        lambda cascade: cascade.complete(PROMPT),
        lambda cascade: cascade.chat([]),
        lambda cascade: list(cascade.stream_complete(PROMPT)),
        lambda cascade: list(cascade.stream_chat([])),
        lambda cascade: cascade.predict(PromptTemplate("{x}"), x=PROMPT),
        lambda cascade: list(cascade.stream(PromptTemplate("{x}"), x=PROMPT)),
    ):
        cascade = CascadeLLM(tiers=[cheap(Say(draft, p=0.1)), strong(SURE)])
        with collect_decisions() as seen:
            shown = ask(cascade)
        assert seen[0]["tier"] == 1
        assert (
            "sure answer" in "".join(shown)
            if isinstance(shown, list) and isinstance(shown[0], str)
            else "sure answer" in repr(shown)
        )
        for text in (repr(shown), repr(seen), repr(cascade), repr(cascade._refining._tiers)):
            assert draft not in text
            assert "draft nobody" not in text
