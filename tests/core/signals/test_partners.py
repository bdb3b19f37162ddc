import copy
import pickle

import pytest

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Begin, Drafts, Failed, Note
from cascade_core.errors import ConfigurationError, UnboundedCallError
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.signals import Agreement
from cascade_core.signals.base import Signal
from cascade_core.signals.make import make_signals
from cascade_core.tier import Tier
from tests.core.signals.driving import FAILED, said

REQUEST = Request.of("What is 6 × 7?")
TIER = Tier(0, "small")


class Other:
    """A model, as far as a signal knows one."""

    model_name = "other-small"
    api_key = "sk-secret"

    def __repr__(self) -> str:
        return f"Other({self.api_key})"


ONE, TWO, THREE = Other(), Other(), Other()


def read(signal, *replies, draft=Draft("42"), request=REQUEST):  # noqa: B008
    """Answer what is asked with the replies in turn; return all that was yielded, and the reading."""
    steps, waiting, effects, reply = signal.measure(request, draft, TIER), list(replies), [], None
    while True:
        try:
            effect = steps.send(reply)
        except StopIteration as stop:
            assert not waiting, "a reply was left over"
            return effects, stop.value
        effects.append(effect)
        reply = waiting.pop(0) if isinstance(effect, Ask) else None


def test_it_is_a_paid_signal_that_needs_no_logprobs():
    signal = Agreement(ONE)
    assert isinstance(signal, Signal)
    assert (signal.name, signal.paid, signal.needs_logprobs, signal.top_logprobs) == (
        "agreement",
        True,
        False,
        0,
    )
    assert signal.running(100) is None


def test_the_model_is_asked_what_the_tier_was_asked():
    request = Request((), native=object())
    (ask,), _ = read(Agreement(ONE), said("42"), request=request)
    assert ask.target is ONE
    assert ask.request is request
    assert (ask.purpose, ask.n, dict(ask.options), ask.logprobs) == ("agree", 1, {}, False)


@pytest.mark.parametrize(("other", "reading"), [("It is 42.", 1.0), ("41", 0.0)])
def test_with_one_model_the_reading_says_whether_it_agrees(other, reading):
    assert read(Agreement(ONE), said(other))[1] == reading


def test_with_several_it_is_the_share_that_agrees():
    _, reading = read(Agreement(ONE, TWO, THREE), said("42"), said("41"), said("42.0"))
    assert reading == 2 / 3


def test_all_but_the_first_are_begun_before_any_is_waited_for():
    effects, _ = read(Agreement(ONE, TWO, THREE), said("42"), said("42"), said("42"))
    assert [type(effect) for effect in effects] == [Begin, Begin, Ask, Ask, Ask]
    assert [effect.call for effect in effects[:2]] == effects[3:]
    assert all(effect.judges is TIER for effect in effects[:2])


def test_one_model_alone_is_asked_and_not_begun():
    effects, _ = read(Agreement(ONE), said("42"))
    assert [type(effect) for effect in effects] == [Ask]


@pytest.mark.parametrize("failed", [FAILED, Drafts([])])
def test_a_model_that_fails_counts_neither_for_the_draft_nor_against_it(failed):
    effects, reading = read(Agreement(ONE, TWO), failed, said("42"))
    assert reading == 1
    (note,) = [effect for effect in effects if isinstance(effect, Note)]
    assert "Other:other-small did not answer" in note.text
    assert "sk-secret" not in note.text


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        (Draft(" \n"), "was empty"),
        (Draft("42", finish="length"), "was cut off"),
        (Draft("42", finish="broken"), "was cut off"),
        (Draft("", finish="content_filter"), "was withheld"),
        (Draft("I can't help with that.", refusal=True), "was withheld"),
    ],
)
def test_what_is_no_answer_counts_neither_for_the_draft_nor_against_it(draft, problem):
    effects, reading = read(Agreement(ONE, TWO), Drafts([draft]), said("42"))
    assert reading == 1
    (note,) = [effect for effect in effects if isinstance(effect, Note)]
    assert f"Other:other-small gave an answer that {problem}; it counts" in note.text
    assert read(Agreement(ONE), Drafts([draft]))[1] is None


@pytest.mark.parametrize(
    "draft",
    [
        Draft("", tool_calls=[ToolCall("look", {})], finish="tool_calls"),
        Draft("", broken_tool_calls=1),
        Draft("", other_parts=["image"]),
        Draft("", parsed=0),
    ],
)
def test_an_answer_without_text_is_one(draft):
    assert read(Agreement(ONE), Drafts([draft]))[1] == 0


def test_where_all_fail_there_is_no_reading():
    effects, reading = read(Agreement(ONE, TWO), FAILED, Failed(OSError()))
    assert reading is None
    assert len({e.key for e in effects if isinstance(e, Note)}) == 2


def test_tool_calls_are_compared_by_what_their_schema_says_they_mean():
    tools = [ToolSpec("refund", {"properties": {"order": {"type": "integer"}}})]

    def calling(order):
        return Draft("", [ToolCall("refund", {"order": order})])

    request = Request(tools=tools)
    for order, reading in (("7", 1), (8, 0)):
        found = read(Agreement(ONE), Drafts([calling(order)]), draft=calling(7), request=request)
        assert found[1] == reading


def test_a_callers_function_says_how_much_they_agree():
    signal = Agreement(ONE, TWO, agreement=lambda a, b: len({*a} & {*b}) / len({*a} | {*b}))
    assert read(signal, said("42"), said("4"))[1] == (1 + 1 / 2) / 2


@pytest.mark.parametrize("given", [2, "yes", None, float("nan")])
def test_a_function_that_returns_something_else_gives_no_reading_and_a_note(given):
    (_, note), reading = read(Agreement(ONE, agreement=lambda _a, _b: given), said("42"))
    assert reading is None
    assert "TypeError" in note.text


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Agreement, "give the models to ask"),
        (lambda: Agreement(None), "give the models to ask"),
        (lambda: Agreement([ONE, TWO]), "one by one"),
        (lambda: Agreement(ONE, ONE), "SelfConsistency"),
        (lambda: Agreement(ONE, eager=1), "True or False"),
        (lambda: Agreement(ONE, agreement="same"), "is not known"),
        (lambda: make_signals(["agreement"]), r"Agreement\(model\)"),
        (lambda: make_signals([Agreement]), "make one"),
    ],
)
def test_what_cannot_work_is_refused_in_words(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_its_identity_names_the_models_and_holds_no_key():
    assert Agreement(ONE).identity == Agreement(TWO).identity
    assert Agreement(ONE).identity != Agreement(ONE, TWO).identity
    assert Agreement(ONE).identity != Agreement(ONE, agreement="text").identity
    assert "sk-secret" not in Agreement(ONE).identity + repr(Agreement(ONE))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_copy_reads_alike(copied):
    signal = copied(Agreement(ONE, TWO, eager=True))
    assert signal.identity == Agreement(ONE, TWO).identity
    assert signal.eager
    assert read(signal, said("42"), said("41"))[1] == 1 / 2


def test_why_no_budget_can_hold_its_model_is_said_in_words():
    why = "the model that a signal asks has no price, so that no budget can hold its calls"
    effects, reading = read(Agreement(ONE), Failed(UnboundedCallError(why)))
    assert reading is None
    (note,) = (effect for effect in effects if isinstance(effect, Note))
    assert f"did not answer (UnboundedCallError: {why})" in note.text
    effects, _ = read(Agreement(ONE), Failed(ValueError("sk-secret")))
    assert "did not answer (ValueError);" in effects[-1].text
