"""Every cascade is made in the same way, and says what it can be given."""

from __future__ import annotations

import inspect
import pickle
import pydoc
from copy import deepcopy
from typing import Any, get_type_hints

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.indices.empty import EmptyIndex
from llama_index.core.schema import QueryBundle
from llama_index.llms.openai import OpenAI

from cascade_core.errors import ConfigurationError
from cascade_core.setup.settings import CascadeKeywords, CascadeSettings
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from langchain_cascade.parameters import ChatKeywords
from langchain_cascade.runnable import RunnableKeywords
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from llamaindex_cascade.engines.keywords import SynthesizerKeywords
from llamaindex_cascade.llm.keywords import LLMKeywords
from tests.langchain.fakes import FakeChat
from tests.llamaindex.fakes import cheap, strong


class Engine(BaseQueryEngine):
    """A query engine that knows one answer."""

    def __init__(self) -> None:
        super().__init__(None)

    def _query(self, query_bundle: QueryBundle) -> Response:
        return Response("yes")

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return Response("yes")

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}


TIERS = {
    ChatCascade: lambda: [FakeChat(), FakeChat()],
    CascadeMiddleware: lambda: [FakeChat(), FakeChat()],
    RunnableCascade: lambda: [str, str],
    CascadeLLM: lambda: [cheap(), strong()],
    CascadeSynthesizer: lambda: [cheap(), strong()],
    CascadeQueryEngine: lambda: [Engine(), Engine()],
}
KEYWORDS = {
    ChatCascade: ChatKeywords,
    CascadeMiddleware: CascadeKeywords,
    RunnableCascade: RunnableKeywords,
    CascadeLLM: LLMKeywords,
    CascadeSynthesizer: SynthesizerKeywords,
    CascadeQueryEngine: CascadeKeywords,
}
MODELS = [cls for cls in TIERS if hasattr(cls, "model_fields")]

each = pytest.mark.parametrize("cls", TIERS, ids=lambda cls: cls.__name__)
each_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)


@each
def test_tiers_are_given_by_place_or_by_name(cls: Any) -> None:
    for made in (cls(TIERS[cls](), thresholds=0.25), cls(tiers=TIERS[cls](), thresholds=[0.25])):
        assert made._engine.plan.thresholds == (0.25,)
        assert len(made._engine.plan.tiers) == 2


@each
def test_what_cannot_be_meant_is_named(cls: Any) -> None:
    name = cls.__name__
    for given, settings, words in [
        ((), {}, rf"^{name} needs tiers=\[cheap, strong\]$"),
        (TIERS[cls](), {}, rf"^{name} takes its tiers as one list: {name}\(\[cheap, strong\]\)$"),
        ((), {"tier": []}, rf"^{name} has no argument tier=; did you mean tiers=\?$"),
        ((TIERS[cls](),), {"treshold": 1}, "did you mean thresholds="),
        ((TIERS[cls](),), {"base_url": "x"}, "base_url=: it is a setting of a model; make each"),
        ((TIERS[cls](),), {"settings": {}}, f"^{name} has no argument settings="),
        ((TIERS[cls](),), {"log_content": "hush"}, f"^{name}: log_content=: must be true or false"),
    ]:
        with pytest.raises(ConfigurationError, match=words) as caught:
            cls(*given, **settings)
        assert "hush" not in str(caught.value)


ENGINE_GIVEN = Engine()
OF_LLAMA_CPP = type("Llama", (), {"__module__": "llama_cpp.llama"})()


@pytest.mark.parametrize(
    ("cls", "given", "said"),
    [
        (
            ChatCascade,
            OpenAI(model="gpt-4o-mini", api_key="x"),
            "it is LlamaIndex's: use llamaindex_cascade",
        ),
        (ChatCascade, cheap(), "it is LlamaIndex's: use llamaindex_cascade"),
        (ChatCascade, ENGINE_GIVEN, "it is LlamaIndex's: use llamaindex_cascade"),
        (CascadeLLM, FakeChat(), "for LangChain there is ChatCascade in langchain_cascade"),
        (
            CascadeSynthesizer,
            FakeChat(),
            "for LangChain's models and chains there is langchain_casc",
        ),
        (
            CascadeQueryEngine,
            FakeChat(),
            "for LangChain's models and chains there is langchain_casc",
        ),
        (ChatCascade, OF_LLAMA_CPP, "is not a chat model but Llama; give a chat model"),
        (CascadeLLM, ENGINE_GIVEN, "use CascadeQueryEngine(tiers=[…]) for query engines"),
        (CascadeLLM, EmptyIndex(), "index.as_query_engine(llm=CascadeLLM(tiers=[…]))"),
        (CascadeQueryEngine, Engine, "tiers[0] is the class Engine; make one: Engine(…)"),
    ],
)
def test_what_belongs_to_another_class_is_told_where(cls: Any, given: Any, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        cls([given, given])
    assert said in str(refused.value)


@each
def test_the_docstring_says_what_every_setting_does(cls: Any) -> None:
    own, _, listed = inspect.getdoc(cls).partition("\n\nSettings:\n")
    assert "ConfigurationError" in own
    said = [line.strip() for line in listed.splitlines() if not line.startswith(" " * 8)]
    assert [line.partition(": ")[0] for line in said] == list(KEYWORDS[cls].__annotations__)
    assert all(line.partition(": ")[2] for line in said)


@each
def test_help_shows_what_every_setting_does(cls: Any) -> None:
    shown = pydoc.plain(pydoc.render_doc(cls))
    assert "Settings:" in shown
    assert all(f"{name}: " in shown for name in KEYWORDS[cls].__annotations__)


@each
def test_the_signature_spells_every_setting_out(cls: Any) -> None:
    parameters = inspect.signature(cls).parameters
    assert next(iter(parameters)) == "tiers"
    assert set(KEYWORDS[cls].__annotations__) <= set(parameters)
    assert not any(each.kind is each.VAR_KEYWORD for each in parameters.values())


@each
def test_the_types_of_settings_are_there_to_be_read(cls: Any) -> None:
    hints = get_type_hints(KEYWORDS[cls])
    assert hints.keys() == KEYWORDS[cls].__annotations__.keys()
    assert get_type_hints(cls.__init__)["settings"].__args__[0] is KEYWORDS[cls]


@each_model
def test_settings_and_fields_are_the_same(cls: Any) -> None:
    assert set(KEYWORDS[cls].__annotations__) == set(cls.model_fields) - {"tiers"}


def test_the_settings_as_fields_have_the_types_and_defaults_of_their_definition() -> None:
    words = {"mode", "on_no_score", "on_tool_call", "on_exhausted", "streaming_policy"}
    defined = CascadeKeywords.__annotations__
    fields = CascadeSettings.__annotations__
    assert list(fields) == ["tiers", *defined]
    for name, kind in defined.items():
        bare = fields[name].removeprefix("Unread[").removesuffix("]" * ("Unread[" in fields[name]))
        assert bare == ("str | None" if name in words else kind.__forward_arg__), name


@each_model
def test_a_class_of_the_callers_keeps_its_own_fields(cls: Any) -> None:
    class Mine(cls):  # type: ignore[misc]
        """Ours."""

        desk: str = "billing"

    mine = Mine(TIERS[cls](), desk="legal")
    assert mine.desk == "legal"
    assert Mine.__doc__ == "Ours."
    with pytest.raises(ConfigurationError, match=r"^Mine has no argument dsk=; did you mean desk="):
        Mine(TIERS[cls](), dsk="legal")


@each_model
def test_copies_have_the_settings(cls: Any) -> None:
    made = cls(TIERS[cls](), thresholds=0.25)
    copy = made.model_copy()
    assert copy.thresholds == 0.25
    assert len(copy._engine.plan.tiers) == 2
    assert made.model_copy(update={"thresholds": 0.75})._engine.plan.thresholds == (0.75,)


def test_what_was_made_by_place_is_copied_and_pickled() -> None:
    made = CascadeLLM([OpenAI(model="gpt-4o-mini"), OpenAI(model="gpt-4o")], thresholds=0.25)
    for copy in (deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert copy.tier_names == "gpt-4o-mini->gpt-4o"
        assert copy._engine.plan.thresholds == (0.25,)


def test_a_configured_copy_has_the_settings() -> None:
    from langchain_core.runnables import ConfigurableField

    made = ChatCascade([FakeChat(), FakeChat()], thresholds=1.0, signals=[lambda _r, _d: 0.5])
    field = ConfigurableField(id="bar")
    configured = made.configurable_fields(thresholds=field)
    for bar, tier in ((1.0, 1), (0.25, 0)):
        answer = configured.invoke("hi", {"configurable": {"bar": bar}})
        assert answer.response_metadata["cascade"]["tier"] == tier
