"""What was retrieved is found where chains keep it, and judged by `Grounding`."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from cascade_core import collect_decisions
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Grounding
from langchain_cascade import ChatCascade, RunnableCascade
from langchain_cascade.contexts import KEYS, contexts_in, contexts_of
from tests.langchain.fakes import FakeChat, Say, ask, record_of

PAGES = [
    Document("Items may be returned within 30 days of delivery. Sale items are not refundable."),
    Document("Standard shipping costs €4.99."),
]
TRUE, FALSE = "Items may be returned within 30 days.", "Items may be returned within 90 days."
PROMPT = ChatPromptTemplate.from_template("Context: {context}\nQuestion: {question}")
ASKED = {"question": "How long do I have?"}
ways = pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])


def rag(says: str, pages: list[Document], name: str = "cheap") -> Any:
    """Make a chain that returns its documents beside the answer, as retrieval chains do."""
    answer = PROMPT | FakeChat(Say(says, p=None), model_name=name) | StrOutputParser()
    return RunnablePassthrough.assign(context=lambda _: pages) | RunnablePassthrough.assign(
        answer=answer
    )


# --- where contexts are found ---------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("held", ["a", Document("a"), ["a"], [Document("a")], ("a", "a", " ")])
def test_texts_and_documents_are_read_under_every_usual_key(key: str, held: Any) -> None:
    assert contexts_in({"answer": "x", key: held}) == ("a",)


@pytest.mark.parametrize("held", ["", " \n", [], (), [""], [Document("")]])
def test_a_place_with_nothing_in_it_is_an_empty_retrieval(held: Any) -> None:
    assert contexts_in({"context": held}) == ()


@pytest.mark.parametrize(
    "value", ["a", None, 3, ["a"], {}, {"answer": "x"}, {"docs": 3}, {"docs": [3]}, {"docs": None}]
)
def test_what_is_no_text_or_document_is_no_place_for_contexts(value: Any) -> None:
    assert contexts_in(value) is None


def test_the_keys_are_read_together() -> None:
    assert contexts_in({"context": "", "documents": ["a"], "docs": ["b", "a"]}) == ("a", "b")


def test_contexts_named_in_the_config_go_before_those_of_the_input() -> None:
    named = {"metadata": {"cascade_contexts": [Document("a"), "b"]}}
    assert contexts_of(named, {"context": "c"}) == ("a", "b")
    assert contexts_of({"metadata": {}}, {"context": "c"}) == ("c",)
    assert contexts_of({}) == ()


def test_metadata_that_names_no_texts_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="'cascade_contexts' is int"):
        contexts_of({"metadata": {"cascade_contexts": 3}})


# --- chains ---------------------------------------------------------------------------------------


@ways
@pytest.mark.parametrize(
    ("says", "pages", "tier", "reason"),
    [
        (TRUE, PAGES, 0, "confident"),
        (FALSE, PAGES, 1, "low_confidence"),
        (TRUE, [], 1, "gate_no_context"),
    ],
)
async def test_a_retrieval_chain_is_judged_by_what_it_retrieved(
    how: str, says: str, pages: list[Document], tier: int, reason: str
) -> None:
    strong = rag("Thirty days.", PAGES, "strong")
    cascade = RunnableCascade(tiers=[rag(says, pages), strong], signals=[Grounding()])
    with collect_decisions() as seen:
        answer = await ask(how, cascade, given=ASKED)
    assert answer["answer"] == (says if tier == 0 else "Thirty days.")
    assert answer["context"] == (pages if tier == 0 else PAGES)
    assert (seen[0]["tier"], seen[0]["reason"]) == (tier, reason)


@ways
@pytest.mark.parametrize(("says", "tier"), [(TRUE, 0), (FALSE, 1)])
async def test_documents_of_the_input_support_a_tier_that_returns_only_text(
    how: str, says: str, tier: int
) -> None:
    tiers = [
        PROMPT | FakeChat(Say(text, p=None)) | StrOutputParser() for text in (says, "Thirty days.")
    ]
    cascade = RunnableCascade(tiers=tiers, signals=[Grounding()])
    with collect_decisions() as seen:
        await ask(how, cascade, given={**ASKED, "context": PAGES})
    assert seen[0]["tier"] == tier


@pytest.mark.parametrize(
    ("to_draft", "expected"),
    [
        (lambda output: output["words"], ("a",)),
        (lambda output: Draft(output["words"]), ("a",)),
        (lambda output: Draft(output["words"], contexts=("b",)), ("b",)),
        (lambda output: Draft(output["words"], contexts=()), ()),
    ],
)
def test_a_callers_own_reading_of_an_output_goes_first(to_draft: Any, expected: Any) -> None:
    read: list[Any] = []
    cascade = RunnableCascade(
        tiers=[RunnableLambda(lambda _: {"words": "x", "docs": ["a"]}), lambda _: "strong"],
        signals=[lambda _request, draft: read.append(draft.contexts) or 1.0],
        to_draft=lambda output: to_draft(output) if isinstance(output, dict) else output,
    )
    with collect_decisions() as seen:
        cascade.invoke("q")
    assert read == ([expected] if expected else [])
    assert seen[0]["reason"] == ("confident" if expected else "gate_no_context")


def test_a_tier_that_retrieves_nothing_is_judged_without_contexts() -> None:
    read: list[Any] = []
    cascade = RunnableCascade(
        tiers=[lambda _: {"answer": "x"}, lambda _: "strong"],
        signals=[lambda _request, draft: read.append(draft.contexts) or 1.0],
    )
    assert cascade.invoke("q") == {"answer": "x"}
    assert read == [None]


# --- chat models ----------------------------------------------------------------------------------


@ways
@pytest.mark.parametrize(("says", "tier"), [(TRUE, 0), (FALSE, 1)])
async def test_a_chat_cascade_is_told_its_contexts_with_the_request(
    how: str, says: str, tier: int
) -> None:
    tiers = [FakeChat(Say(says, p=None)), FakeChat(Say("Thirty days.", p=None))]
    llm = ChatCascade(tiers=tiers, signals=[Grounding()])
    config = {"metadata": {"cascade_contexts": PAGES}}
    record = record_of(await ask(how, llm, config, "How long do I have?"))
    assert record["tier"] == tier


def test_a_judge_of_grounding_is_called_with_the_passages_and_paid_for() -> None:
    judge = FakeChat(Say("B", p=None), model_name="judge")
    cascade = RunnableCascade(
        tiers=[rag(TRUE, PAGES), rag("Thirty days.", PAGES, "strong")], signals=[Grounding(judge)]
    )
    with collect_decisions() as seen:
        cascade.invoke(ASKED)
    (record,) = seen
    assert record["signals"]["grounding"] == 0
    assert [call["purpose"] for call in record["calls"]] == ["draft", "judge", "draft"]
    assert PAGES[0].page_content in judge.journal.calls[0].prompt
