"""The knowledge base holds every answer of the desk's, and its passages are found."""

from __future__ import annotations

import re

import pytest

from cascade_demo.desk import tickets
from cascade_demo.handbook import HANDBOOK
from cascade_demo.knowledge import PASSAGES, Passage

TICKETS = tickets("test", 1000, seed=11)

SLOTS = {"N": r"\d+", "CARRIER": r"\w+", "WEEKDAY": r"\w+", "NAME": r"\w+", "days": "days?"}


def answers_of(passage: Passage) -> re.Pattern[str]:
    """A pattern of all sentences that a passage quotes, with anything in their slots."""
    quoted = map(re.escape, re.findall(r'"([^"]+[.?])"', passage.text))
    slots = re.compile(rf"\b({'|'.join(SLOTS)})\b")
    return re.compile("|".join(slots.sub(lambda slot: SLOTS[slot[0]], text) for text in quoted))


ANSWERS = {passage.name: answers_of(passage) for passage in PASSAGES}


def holders(reference: str) -> list[set[str]]:
    """For every sentence of a right answer, the passages that hold it."""
    sentences = re.findall(r"[^.?]+[.?]", reference)
    return [
        {name for name, answers in ANSWERS.items() if answers.fullmatch(sentence.strip())}
        for sentence in sentences
    ]


def test_names_and_titles_are_unique() -> None:
    assert len({passage.name for passage in PASSAGES}) == len(PASSAGES)
    assert len({passage.title for passage in PASSAGES}) == len(PASSAGES)


def test_every_right_answer_is_in_a_passage() -> None:
    missing = {ticket.reference for ticket in TICKETS if not all(holders(ticket.reference))}
    assert missing == set()


def test_the_handbook_is_all_passages_without_the_customers_wordings() -> None:
    assert all(passage.text in HANDBOOK for passage in PASSAGES)
    assert not any(passage.asked in HANDBOOK for passage in PASSAGES)


def retrieved(n: int) -> list[list[str]]:
    pytest.importorskip("llama_index.core")
    from cascade_demo.retrieval import knowledge_index

    retriever = knowledge_index().as_retriever(similarity_top_k=n)
    return [[node.node_id for node in retriever.retrieve(ticket.text)] for ticket in TICKETS]


def test_a_passage_with_the_answer_is_first_for_nine_tickets_of_ten() -> None:
    single = [
        any(found[0] in names for names in holders(ticket.reference))
        for ticket, found in zip(TICKETS, retrieved(1), strict=True)
    ]
    assert sum(single) / len(single) >= 0.9


def test_all_that_a_ticket_needs_is_among_three_passages_nearly_always() -> None:
    complete = [
        all(names & set(found) for names in holders(ticket.reference))
        for ticket, found in zip(TICKETS, retrieved(3), strict=True)
    ]
    assert sum(complete) / len(complete) >= 0.97


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("I cannot remember my password.", "password-forgotten"),
        ("Too many wrong tries, and now I am blocked.", "account-locked"),
        ("The codes arrive on a phone which was stolen, my old one.", "sign-in-code"),
        ("I can't read the email address your link goes to.", "email-lost"),
        ("On what day of the month is the bill due?", "billing-date"),
        ("My trial began on the 3rd, it is 10 days.", "trial"),
        ("Order 5120, sent by fedex: how can I track it?", "tracking"),
        ("There was no scan of 5120 for two weeks, it is stuck.", "lost-parcel"),
        ("Ordered with economy shipping on Thursday, when will it arrive?", "delivery"),
        ("I returned 3 of 4 lamps at $20 each. How much do I get back?", "refund"),
        ("Is it too late to return a camera bought 12 days ago?", "return-window"),
        ("My card was charged twice for the same thing.", "overcharge"),
        ("The 10 % coupon was ignored.", "coupon"),
        ("Please make an exception, I was ill and I am 4 days late.", "exception"),
        ("End my plan.", "plan-end"),
        ("Can the plan be paused for 2 months?", "plan-pause"),
        ("Upgrade us from basic to premium.", "plan-change"),
        ("Please cancel order 8811, it was a mistake.", "order-cancel"),
        ("Let me talk to a manager.", "person"),
        ("Hello there, how are you?", "small-talk"),
    ],
)
def test_the_passage_a_person_would_open_is_the_first(question: str, name: str) -> None:
    pytest.importorskip("llama_index.core")
    from cascade_demo.retrieval import knowledge_index

    (found,) = knowledge_index().as_retriever(similarity_top_k=1).retrieve(question)
    assert found.node_id == name


def test_a_text_without_a_known_word_is_embedded_too() -> None:
    pytest.importorskip("llama_index.core")
    from cascade_demo.retrieval import DIMENSIONS, WordEmbedding

    embedding = WordEmbedding(["where is my order", "a refund"])
    assert embedding.get_query_embedding("¿¡…") == [0.0] * DIMENSIONS
    known = embedding.get_query_embedding("refund")
    assert sum(value * value for value in known) == pytest.approx(1)
