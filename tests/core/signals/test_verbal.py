import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.draft import Draft
from cascade_core.effects import Note
from cascade_core.request import Request, ToolCall, Turn
from cascade_core.signals.base import Signal
from cascade_core.signals.verbal import QUESTION, Verbalized, stated_probability
from cascade_core.tier import Tier
from tests.core.signals.driving import FAILED, drive, said
from tests.core.signals.growth import in_proportion

TIER = Tier(0, "small")
REQUEST = Request(
    (Turn("system", "Be brief."), Turn("user", "What is 6 × 7?")), native=object(), tags=["x"]
)


def read(reply, draft=Draft("42"), request=REQUEST):  # noqa: B008
    return drive(Verbalized().measure(request, draft, TIER), [reply])


def test_it_is_a_paid_signal_that_needs_no_logprobs():
    signal = Verbalized(name="sure")
    assert isinstance(signal, Signal)
    assert (signal.name, signal.paid, signal.needs_logprobs, signal.top_logprobs) == (
        "sure",
        True,
        False,
        0,
    )
    assert signal.identity == "Verbalized(name='sure')"


def test_the_tier_is_asked_in_a_second_turn_without_the_native_payload():
    (ask,), reading = read(said("85"))
    assert reading == 0.85
    assert (ask.target, ask.purpose, ask.n, dict(ask.options)) == (TIER, "verbalize", 1, {})
    assert ask.request.native is None
    assert list(ask.request.turns) == [
        *REQUEST.turns,
        Turn("assistant", "42"),
        Turn("user", QUESTION),
    ]


def test_a_drafts_tool_calls_are_written_out_and_not_called():
    (ask,), _ = read(said("85"), Draft("", [ToolCall("refund", {"order": 7}, id="call_1")]))
    turn = ask.request.turns[-2]
    assert turn == Turn("assistant", '{"arguments": {"order": 7}, "tool": "refund"}')
    assert not turn.tool_calls


def test_earlier_tool_calls_and_results_become_text_that_any_provider_takes():
    request = Request(
        (
            Turn("user", "Where is it?"),
            Turn("assistant", "", (ToolCall("track", {"order": 7}),)),
            Turn("tool", "in Lyon"),
        )
    )
    (ask,), _ = read(said("85"), request=request)
    assert [t.role for t in ask.request.turns] == ["user", "assistant", "user", "assistant", "user"]
    assert not any(t.tool_calls for t in ask.request.turns)
    assert "track" in ask.request.turns[1].text
    assert "in Lyon" in ask.request.turns[2].text


@pytest.mark.parametrize("reply", [FAILED, said("I cannot say."), said("")])
def test_no_probability_is_no_reading_and_one_note(reply):
    (_, note), reading = read(reply)
    assert reading is None
    assert isinstance(note, Note)
    assert "'verbalized'" in note.text
    assert "sk-secret" not in note.text


@pytest.mark.parametrize(
    ("text", "probability"),
    [
        ("85", 0.85),
        ("85.", 0.85),
        ("85%", 0.85),
        ("85 %", 0.85),
        ("85 percent", 0.85),
        ("0.85", 0.85),
        ("0,85", 0.85),
        ("85,5 %", 0.855),
        ("Probability: 85 %", 0.85),
        ("**Confidence:** 85", 0.85),
        ("85/100", 0.85),
        ("85 out of 100", 0.85),
        ("8.5/10", 0.85),
        ("about 90", 0.9),
        ("I am 90% sure that 42 is right.", 0.9),
        ("Probability: 85 (I checked 3 sources)", 0.85),
        ("I can't be 100% certain, but 85%", 0.85),
        ("<think>100? no</think>70", 0.7),
        ("0", 0.0),
        ("100", 1.0),
        ("1", 0.01),
        ("1.0", 1.0),
        ("0.5%", 0.005),
        ("10/10", 1.0),
    ],
)
def test_probabilities_are_read_however_they_are_written(text, probability):
    assert stated_probability(text) == pytest.approx(probability)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "very sure",
        "120",
        "120%",
        "-5",
        "−5",
        "1,000",
        "80-90%",
        "80–90",
        "between 80 and 90",
        "80 to 90",
        "I am not 100% sure",
        "90? No.",
        "90 would be too high",
        "It is not as high as 90",
        "17/20",
        "85/1000",
        "12/10",
        "9" * 400,
        "<think>85",
        "1e5",
        "v2.0.1",
        "NaN",
        "inf",
        "85 or 42",
    ],
)
def test_what_is_no_clear_probability_is_no_reading(text):
    assert stated_probability(text) is None


@given(st.one_of(st.text(), st.text("0123456789.,-–%/ oufNn't", max_size=30)))
def test_no_text_breaks_the_reading(text):
    reading = stated_probability(text)
    assert reading is None or 0 <= reading <= 1


@given(st.integers(0, 100))
def test_every_whole_percentage_is_read_back(percent):
    assert stated_probability(f"{percent}") == percent / 100
    assert stated_probability(f"Probability: {percent}%") == percent / 100


@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [("", "1", "x"), ("", "1 ", ""), ("1", " ", "x"), ("", "not ", "")],
)
def test_reading_a_long_reply_takes_time_in_proportion_to_it(start, piece, end):
    assert in_proportion(stated_probability, start, piece, end)
