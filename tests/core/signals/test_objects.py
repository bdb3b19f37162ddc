"""Objects that models of different providers made: the same, however each of them wrote it."""

import datetime as dt

import pytest
from pydantic import BaseModel, Field, field_serializer

from cascade_core.draft import Draft
from cascade_core.request import ToolCall
from cascade_core.signals.agreement import comparer, same, written_alike


class Ticket(BaseModel):
    title: str
    due: dt.date | None = None
    labels: list[str] = Field(default_factory=list)


class Unwritable(BaseModel):
    title: str

    @field_serializer("title")
    def _fail(self, _: str) -> str:
        raise ValueError("no")


LATE = {"title": "late", "due": "2026-05-01"}


def by_text(made, text='{"title": "late", "due": "2026-05-01"}'):
    return Draft(text, made=made)


def by_call(made, arguments=LATE):
    return Draft(tool_calls=[ToolCall("Ticket", arguments)], made=made)


@pytest.mark.parametrize("kind", ["auto", "exact", "text", "numeric"])
@pytest.mark.parametrize("made", [Ticket, dict], ids=["class", "plain"])
def test_one_as_text_and_one_as_a_call_are_the_same_by_what_they_hold(kind, made):
    agree = comparer(kind)
    late, early = made(**LATE), made(title="early", due="2026-05-01")
    assert agree(by_text(late), by_call(late))
    assert agree(by_call(late), by_text(late))
    assert not agree(by_text(late), by_call(early))
    assert same(by_text(late), by_call(late)) is True
    assert same(by_text(early), by_call(late)) is False


def test_what_is_left_out_is_its_default():
    spelled, short = by_text(Ticket(title="late", due=None, labels=[])), Ticket(title="late")
    assert comparer("auto")(spelled, by_call(short, {"title": "late"}))
    assert comparer("auto")(spelled, Draft('{"title": "late"}', made=short))


def test_a_text_that_looks_like_a_call_is_none_where_no_object_was_asked_for():
    assert not comparer("auto")(by_text(None), by_call(None))
    assert not comparer("auto")(by_text(Ticket(**LATE)), by_call(None))
    assert same(by_text(None), by_call(None)) is False


def test_one_that_cannot_be_written_is_compared_as_before():
    made = Unwritable(title="late")
    assert not comparer("auto")(by_text(made), by_call(made))
    assert comparer("auto")(by_call(made), by_call(made))


def test_a_function_is_given_both_as_objects():
    late = Ticket(**LATE)
    mine, theirs = written_alike(by_text(late), by_call(late))
    assert mine == theirs == '{"due": "2026-05-01", "labels": [], "title": "late"}'
    assert written_alike(by_text(None, "yes"), by_text(None, "no")) == ("yes", "no")
