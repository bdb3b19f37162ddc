"""What an answer's contexts support, and what they do not."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Note
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request, ToolCall, Turn
from cascade_core.signals import Grounding
from cascade_core.signals.base import Signal
from cascade_core.signals.make import make_signals
from cascade_core.tier import Tier
from tests.core.making import mute, outcomes, plan_for, play
from tests.core.signals.driving import FAILED, drive, said
from tests.core.signals.growth import in_proportion
from tests.work import calls_made

TIER = Tier(0, "small")
POLICY = (
    "Items may be returned within 30 days of delivery. Sale items are not refundable. "
    "Refunds are issued within 5 business days to the original payment method. "
    "Standard shipping costs €4.99 and is free for orders above $1,200.00. "
    "The warehouse in Rotterdam was opened by Maria Jansen on 2019-03-14."
)
COOKING = (
    "Simmer the onions gently until golden, then add crushed tomatoes and fresh basil. "
    "Season with salt and pepper, cover the pan, and let the sauce rest before serving. "
) * 600
ASKED = "What is the policy?"


@dataclass
class Model:
    api_key: str = "sk-secret"
    model_name: str = "big-1"


def read(answer, *contexts, asked=ASKED, signal=None):
    request = Request.of(asked)
    steps = (signal or Grounding()).measure(request, Draft(answer, contexts=contexts), TIER)
    effects, reading = drive(steps)
    assert not effects, "a free reading asks for nothing"
    return reading


# --- what is supported ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "Items may be returned within 30 days of delivery.",
        "Sale items are not refundable.",
        "**Sale items** are NOT refundable!",
        "- Sale items are not refundable [1].\n- Refunds are issued within 5 business days.",
        "1. Items may be returned within 30 days.",
        "Hello Anna! Refunds are issued within 5 business days. I hope this helps.",
        "Sale items cannot be refunded.",
        "Refunds are issued within five business days.",
        "Standard shipping costs 4.99 euro.",
        "<think>Perhaps 99 days?</think>Items may be returned within 30 days.",
    ],
)
def test_what_the_context_says_is_supported(answer):
    assert read(answer, POLICY) >= 0.7


@pytest.mark.parametrize(
    "answer",
    [
        "Items may be returned within 14 days of delivery.",
        "Standard shipping costs €5.99.",
        "Shipping is free for orders above $12,000.00.",
        "The warehouse in Rotterdam was opened by Maria Jansen on 2019-04-13.",
        "Sale items are refundable.",
        "Items may not be returned within 30 days of delivery.",
        "Our headquarters are located in Berlin near the river.",
        "Items may be returned within 5 days of delivery.",
        "Refunds are issued within 30 business days to the original payment method.",
    ],
)
def test_what_the_context_does_not_say_is_not_supported(answer):
    assert read(answer, POLICY) <= 0.5


def test_another_name_reads_lower_than_another_word():
    name = read("The warehouse in Rotterdam was opened by Maria Peters.", POLICY)
    word = read("The warehouse in Rotterdam was launched by Maria Jansen.", POLICY)
    assert name < word < 1


@pytest.mark.parametrize(
    ("said_so", "source"),
    [
        ("1,200.00", "1200"),
        ("1200", "1,200.00"),
        ("$1200", "1200 dollars"),
        ("5 million", "5,000,000"),
        ("1 200", "1200"),
        ("20%", "20 %"),
        ("14-day", "14 days"),
        ("10-15", "10 to 15"),
        ("10 to 15", "10–15"),
        ("2019", "2019-03-14"),
        ("AB-1234", "(AB-1234)"),
        ("7", "seven"),
    ],
)
def test_a_number_written_otherwise_is_the_same_number(said_so, source):
    said_so = said_so.replace("1 200", "1\u202f200")
    context = f"The contract with Acme names {source} as the limit for travel."
    assert read(f"The contract names {said_so} as the travel limit.", context) >= 0.7


@pytest.mark.parametrize(
    ("said_so", "source"),
    [
        ("1200", "1200.5"),
        ("12", "120"),
        ("2019-03-14", "2019-14-03"),
        ("10:30", "30:10"),
        ("AB-1234", "AB-1243"),
        ("A4", "A5"),
        ("-5", "5"),
        ("1.2.3", "1.2.4"),
    ],
)
def test_another_number_is_another_number(said_so, source):
    context = f"The contract with Acme names {source} as the limit for travel."
    assert read(f"The contract names {said_so} as the travel limit.", context) < 0.5


def test_one_invented_number_pulls_a_long_answer_below_one_half():
    answer = " ".join(POLICY.split(". ")) + ". "
    assert read(POLICY, POLICY) == 1
    assert read(f"{answer} {POLICY} A reminder is sent after 77 days.", POLICY) <= 0.5


def test_words_scattered_over_a_long_context_support_nothing():
    words = "orchestra velvet harbour quantum pepper lantern"
    scattered = " ".join(f"{word} {COOKING[:2_000]}" for word in words.split())
    assert read(f"The {words}.", scattered) < 0.2
    assert read(f"The {words}.", f"{COOKING} {words} {COOKING}") == 1


def test_a_statement_is_not_put_together_from_two_contexts():
    halves = "The red tractor belongs", "farmer Miller near Oldtown"
    assert read("The red tractor belongs to farmer Miller near Oldtown.", *halves) < 0.6


def test_numbers_that_no_context_has_together_are_doubtful_in_one_sentence():
    returns = "Items may be returned within 30 days to the Rotterdam warehouse by Acme customers"
    contexts = [f"{returns}.", "All Acme customers pay 4.99."]
    answer = f"{returns} at 4.99."
    assert read(answer, *contexts) < 0.5
    assert read(answer, " ".join(contexts)) == 1


def test_forms_of_one_word_are_the_same_word():
    assert (
        read("Parcels were shipped, deliveries processed.", "We ship a parcel, deliver, process.")
        == 1
    )


def test_what_the_question_says_needs_less_support_than_what_the_answer_adds():
    asked = "Which method is used when I send back trousers bought online?"
    answer = "When you send back trousers bought online, the original payment method is used."
    assert read(answer, POLICY, asked=asked) > read(answer, POLICY) + 0.2


def test_an_answer_that_only_repeats_the_question_still_needs_support():
    asked = "Does the hotel have a swimming pool?"
    answer = "Yes, the hotel has a swimming pool."
    assert read(answer, POLICY, asked=asked) == 0
    assert read(answer, "The hotel has a swimming pool.", asked=asked) == 1


def test_a_number_that_the_question_suggests_is_not_confirmed_by_repeating_it():
    assert (
        read("The limit is 45 days.", "The limit is 30 days.", asked="Is the limit 45 days?") == 0
    )


def test_a_number_of_the_question_need_not_be_in_a_context():
    answer = "After 45 days items may no longer be returned; the limit is 30 days."
    assert read(answer, POLICY, asked="Can I return it after 45 days?") > 0.4
    assert read(answer, POLICY) <= 0.5


@pytest.mark.parametrize("before", [f"Use this context:\n{POLICY}\n", "Use no other words. " * 60])
def test_a_template_with_the_context_in_it_is_not_taken_for_the_question(before):
    answer = "Items may be returned within 99 days of delivery."
    filled = f"{before}Within 99 days?"
    assert read(answer, POLICY, asked=filled) == 0


@pytest.mark.parametrize(
    ("answer", "source", "otherwise"),
    [
        (
            "Die Rücksendung ist 14 Tage möglich.",
            "Eine Rücksendung ist 14 Tage lang möglich.",
            "Eine Rücksendung ist 30 Tage lang möglich.",
        ),
        (
            "Возврат возможен в течение 14 дней.",
            "Возврат товара возможен в течение 14 дней.",
            "Возврат товара возможен в течение 30 дней.",
        ),
        ("退款需要14天。", "我们的政策是退款需要14天。运费为5元。", "我们的政策是退款需要30天。"),
        ("返金には14日かかります。", "返金には14日かかります。", "返金には30日かかります。"),
        ("คืนเงินภายใน 14 วัน", "เราคืนเงินภายใน 14 วัน", "เราคืนเงินภายใน 30 วัน"),
        ("الاسترداد خلال ١٤ يوما", "يتم الاسترداد خلال 14 يوما", "يتم الاسترداد خلال 30 يوما"),
    ],
)
def test_other_languages_are_read_with_and_without_spaces(answer, source, otherwise):
    assert read(answer, source) >= 0.7
    assert read(answer, otherwise) < 0.5


# --- no reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    ["", " \n", "I hope this helps!", "Hello Anna!", "Yes.", "Which order is it?", "…", "<think>7"],
)
def test_an_answer_that_states_nothing_has_no_reading(answer):
    assert read(answer, POLICY) is None


@pytest.mark.parametrize("contexts", [[], [""], [" \n", ""]])
def test_without_a_context_there_is_no_reading(contexts):
    assert read("Refunds are issued.", *contexts) is None


def test_a_tool_call_has_no_reading():
    for fields in ({"tool_calls": (ToolCall("look_up", {}),)}, {"broken_tool_calls": 1}):
        draft = Draft("Refunds are issued.", contexts=(POLICY,), **fields)
        assert drive(Grounding().measure(Request.of(ASKED), draft, TIER)) == ([], None)


def test_the_tiers_own_contexts_go_before_the_requests():
    request = Request((Turn("user", ASKED),), contexts=["Cats sleep."])
    measure = Grounding().measure
    assert drive(measure(request, Draft("Cats sleep."), TIER))[1] == 1
    assert drive(measure(request, Draft("Cats sleep.", contexts=["Dogs bark."]), TIER))[1] == 0
    assert drive(measure(request, Draft("Cats sleep.", contexts=()), TIER))[1] is None


# --- properties -----------------------------------------------------------------------------------

WORD = st.text(st.characters(categories=["L"]), min_size=1, max_size=9)
NUMBER = st.decimals(0, 10**7, places=2).map("{:,}".format) | st.integers(0, 10**6).map(str)
SENTENCE = st.lists(WORD | NUMBER, min_size=1, max_size=60).map(" ".join)
TEXT = st.lists(SENTENCE, min_size=1, max_size=6).map(lambda parts: ". ".join(parts) + ".")


@given(st.text(), st.lists(st.text(), max_size=4), st.text())
def test_a_reading_is_between_0_and_1_or_none(answer, contexts, asked):
    reading = read(answer, *contexts, asked=asked)
    assert reading is None or 0 <= reading <= 1


@pytest.mark.simulation
@given(st.lists(TEXT, min_size=1, max_size=3), st.data(), TEXT)
def test_a_sentence_of_a_context_is_supported_word_for_word(contexts, data, asked):
    context = data.draw(st.sampled_from(contexts))
    sentence = data.draw(st.sampled_from(context[:-1].split(". "))) + "."
    reading = read(sentence, *contexts, asked=asked)
    assert reading is None or reading >= 0.95


@given(st.integers(2, 10**6), st.integers(2, 10**6), st.booleans())
def test_a_changed_number_in_a_supported_answer_reads_below_one_half(number, other, padded):
    context = (
        f"{POLICY} The deposit for the flat is {number:,} euro. {COOKING[:8_000] if padded else ''}"
    )
    answer = "Items may be returned. The deposit for the flat is {} euro."
    assert read(answer.format(number), context) == 1
    if other not in {number, 4, 5, 30, 1200, 2019, 3, 14}:
        assert read(answer.format(other), context) < 0.5


@given(st.sampled_from(["Our office is in Berlin near the river.", "Whales sing in the deep sea."]))
def test_long_unrelated_contexts_hardly_change_an_unsupported_reading(answer):
    before = read(answer, POLICY)
    assert before < 0.3
    assert read(answer, POLICY, COOKING) - before < 0.1


def test_long_contexts_of_a_natural_vocabulary_do_not_cover_everything():
    rng = random.Random(3)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(3_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]

    def text(sentences):
        return " ".join(
            " ".join(rng.choices(words, weights, k=12)).capitalize() + "." for _ in range(sentences)
        )

    context = text(1_000)
    assert all(read(text(3), context) < 0.4 for _ in range(20))


@pytest.mark.simulation
@given(TEXT, st.lists(TEXT, min_size=1, max_size=3), st.lists(TEXT, max_size=3))
def test_a_further_context_never_lowers_a_reading(answer, contexts, more):
    reading = read(answer, *contexts)
    assert reading is None or read(answer, *contexts, *more) >= reading


# --- work -----------------------------------------------------------------------------------------


def test_long_contexts_are_read_with_little_work():
    rng = random.Random(1)
    words = POLICY.split() + COOKING[:170].split()
    context = " ".join(rng.choices(words, k=16_000))[:100_000]
    answer = " ".join(rng.choices(words, k=800))[:5_000]
    assert calls_made(lambda: read(answer, context)) < 400_000, "usually half of this"


@pytest.mark.simulation
@pytest.mark.parametrize(
    "piece", ["word ", "a1 ", "退款", "x", "1", "1,", "1-", "7. ", "a'", "a.", "not ", "[1]", "\n"]
)
def test_the_work_grows_with_the_length_of_the_context(piece):
    answer = "The word is not 7. " * 20
    assert in_proportion(lambda text: read(answer, text), "Word 7. ", piece, " end.")
    assert in_proportion(lambda text: read(text, POLICY), "Word 7. ", piece, " end.")


# --- the judge ------------------------------------------------------------------------------------


def judged(reply, answer="Sale items are not refundable.", contexts=(POLICY,), asked=ASKED, **more):
    signal = Grounding(Model(), **more)
    request = Request.of(asked)
    return drive(signal.measure(request, Draft(answer, contexts=contexts), TIER), reply)


@pytest.mark.parametrize(("letter", "expected"), [("A", 1), ("B", 0)])
def test_a_judge_can_lower_a_reading(letter, expected):
    (ask,), reading = judged([said(letter)])
    assert isinstance(ask, Ask)
    assert (ask.target, ask.purpose, ask.n) == (Model(), "judge", 1)
    assert reading == expected


def test_a_judge_cannot_raise_a_reading():
    answer = "Sale items are refundable."
    _, reading = judged([said("A")], answer)
    assert reading == read(answer, POLICY) < 0.5


def test_a_judge_is_not_paid_for_where_nothing_is_supported():
    assert judged([], "Whales sing.") == ([], 0)


@pytest.mark.parametrize("reply", [FAILED, said("Hard to say.")])
def test_a_judge_that_does_not_decide_leaves_no_reading_and_one_note(reply):
    (_, note), reading = judged([reply])
    assert reading is None
    assert isinstance(note, Note)
    assert "sk-secret" not in note.text


def test_the_judge_sees_sources_question_and_answer():
    (ask,), _ = judged([said("A")])
    rules, shown = ask.request.turns
    assert "follows from what the sources say" in rules.text
    assert all(text in shown.text for text in (POLICY, ASKED, "Sale items are not refundable."))


def test_of_long_contexts_the_judge_sees_what_is_nearest_to_the_answer():
    contexts = [COOKING, f"{COOKING} {POLICY} {COOKING}", COOKING]
    (ask,), reading = judged([said("A")], contexts=contexts, max_chars=4_000)
    shown = ask.request.turns[1].text
    assert reading == 1
    assert "Sale items are not refundable." in shown.partition("answer ===")[0]
    assert len(shown) < 6_000


def test_a_filled_in_template_is_not_shown_to_the_judge_twice():
    (ask,), _ = judged([said("A")], asked=f"Context: {POLICY}\nQuestion: refunds?")
    assert ask.request.turns[1].text.count("Rotterdam") == 1


# --- the signal -----------------------------------------------------------------------------------


def test_it_is_a_signal_free_without_a_judge_and_paid_with_one():
    free, paid = Grounding(), Grounding(Model())
    assert isinstance(free, Signal)
    assert (free.name, free.paid, free.needs_logprobs) == ("grounding", False, False)
    assert not hasattr(free, "model")
    assert paid.paid
    assert paid.model == Model()
    assert free.running(100) is None


def test_identity_differs_with_the_settings_and_shows_no_key():
    settings = [{}, {"judge": Model()}, {"judge": Model(model_name="big-2")}, {"name": "support"}]
    settings.append({"judge": Model(), "max_chars": 5_000})
    identities = [Grounding(**given).identity for given in settings]
    assert len(set(identities)) == len(settings)
    assert Grounding().identity == Grounding().identity
    assert "sk-secret" not in "".join(identities) + repr(Grounding(Model()))


def test_it_is_known_by_name():
    (signal,) = make_signals(["grounding"])
    assert isinstance(signal, Grounding)


def test_too_short_a_view_for_the_judge_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="max_chars=10"):
        Grounding(Model(), max_chars=10)


# --- in a cascade ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "contexts", "tier", "reason"),
    [
        ("Sale items are not refundable.", (POLICY,), 0, "confident"),
        ("Sale items are refunded after 77 days.", (POLICY,), 1, "low_confidence"),
        ("Sale items are not refundable.", (), 1, "gate_no_context"),
        ("Sale items are not refundable.", None, 1, "no_reading"),
    ],
)
def test_only_a_supported_answer_stays_with_the_cheap_tier(answer, contexts, tier, reason):
    plan = plan_for(signals=[Grounding()])
    verdict, _, _ = play(plan, mute(answer, contexts=contexts), mute("Ask support."))
    assert (verdict.tier, verdict.reason) == (tier, reason)


def test_an_empty_retrieval_of_the_last_tier_is_noted_and_its_answer_returned():
    plan = plan_for(signals=[Grounding()])
    empty = mute("Sale items are not refundable.", contexts=())
    verdict, _, _ = play(plan, empty, empty)
    assert outcomes(verdict) == [(0, "rejected"), (1, "returned")]
    assert verdict.calls[1].note == "gate_no_context"
