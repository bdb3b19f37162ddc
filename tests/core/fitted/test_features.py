import math
import os
import subprocess
import sys
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.fitted.feature_names import DRAFT, REQUEST
from cascade_core.fitted.features import LONGEST, draft_features, hashed_words, request_features

TEXTS = st.text(max_size=300) | st.text(alphabet="0123456789+-*/=(). ,\n#$%?!`ab<>", max_size=300)
SHARES = (
    *("distinct_words", "repeated", "foreign", "shared_words", "own_words", "fractions"),
    *("numbers_used", "numbers_unsourced", "right_equations"),
)


@given(TEXTS, TEXTS)
def test_any_texts_give_every_documented_number_and_nothing_else(request_text, draft):
    asked, read = request_features(request_text), draft_features(request_text, draft)
    assert asked.keys() == REQUEST.keys()
    assert read.keys() == DRAFT.keys()
    assert all(type(v) is float and math.isfinite(v) for v in (*asked.values(), *read.values()))
    assert all(0 <= read[name] <= 1 for name in SHARES)


def test_numbers_beyond_all_bounds_stay_finite():
    many = "9" * 5000
    features = draft_features(many, f"{many} * {many} = {many}\n٣ + ٤ = ٣ \ud800")
    assert all(map(math.isfinite, features.values()))


def test_a_wrong_calculation_shows():
    right = draft_features("3 boxes of 12?", "3 * 12 = 36. The answer is 36.")
    wrong = draft_features("3 boxes of 12?", "3 * 12 = 35. The answer is 35.")
    assert (right["wrong_equations"], right["right_equations"]) == (0, 1)
    assert (wrong["wrong_equations"], wrong["right_equations"]) == (math.log(2), 0)


def test_a_draft_that_breaks_off_shows():
    assert draft_features("", "First, 82 - 13 = <<82-1")["unfinished"] == 1
    assert draft_features("", "You can return it within 30 days.")["unfinished"] == 0
    assert draft_features("", "It costs 5 (five) euros:")["unfinished"] == 1


def test_a_stated_result_is_recognised_and_compared():
    read = draft_features("I have 40 apples and eat 4.", "40 - 4 = 36\nSo the answer is 36.")
    assert read["states_result"] == read["ends_number"] == read["result_calculated"] == 1
    assert read["result_given"] == 0
    assert read["result_times"] == pytest.approx(math.log(3))
    assert draft_features("I have 40 apples.", "Then you have 40.")["result_given"] == 1


def test_numbers_that_nobody_gave_show():
    asked = "My order 1234 came with 2 of three parts."
    assert draft_features(asked, "Order 1234 has 2 of 3 parts.")["numbers_unsourced"] == 0
    assert draft_features(asked, "Order 9876 has 2 parts.")["numbers_unsourced"] == 0.5
    assert draft_features(asked, "Order 1234 has 2 parts.")["numbers_used"] == 1


def test_what_a_support_answer_is_made_of_is_counted():
    asked = "Can I get a refund if the parcel was lost?"
    sure = draft_features(asked, "Yes, a lost parcel is refunded within 5 days.")
    unsure = draft_features(asked, "Sorry, maybe. However, it seems unclear; perhaps not?")
    for name in ("hedges", "turns", "refusals", "negations", "questions"):
        assert unsure[name] > sure[name] == 0
    assert sure["shared_words"] > unsure["shared_words"]
    looped = draft_features(asked, "I will check that for you. " * 5)
    assert looped["repeated"] > 0.5 > sure["repeated"]


def test_a_harder_request_reads_as_one():
    easy = request_features("What is 3 + 4?")
    hard = request_features("If half of 12 apples and twice as many pears cost $3.50 each, why?")
    for name in ("words", "fractions", "quantities", "conditions", "reasons", "money"):
        assert hard[name] > easy[name]


def test_the_end_of_a_long_draft_is_read_and_its_middle_is_not():
    start = "word " * LONGEST
    assert draft_features("", start + "\nThe answer is 7.")["states_result"] == 1
    assert draft_features("", start * 2 + "7.") == draft_features("", start + "7.")


@given(st.text(max_size=200), st.integers(1, 4096))
def test_hashed_words_have_length_one_and_stay_in_their_buckets(text, buckets):
    found = hashed_words(text, buckets)
    assert all(0 <= bucket < buckets for bucket in found)
    if found:
        assert math.isclose(sum(v * v for v in found.values()), 1)


def test_hashed_words_know_order_and_forget_case_and_digits():
    assert hashed_words("Refund my order 12", 4096) == hashed_words("refund MY order 97", 4096)
    assert hashed_words("order my refund", 4096) != hashed_words("refund my order", 4096)
    assert hashed_words("?!", 16) == {}


def test_another_process_hashes_to_the_same():
    code = (
        "from cascade_core.fitted.features import hashed_words\n"
        "print(sorted(hashed_words('where is my order, déjà vu', 512).items()))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {f"{sorted(hashed_words('where is my order, déjà vu', 512).items())}\n"}


@pytest.mark.parametrize(
    "piece",
    [".", "!x", "a", "A", "1", "1,", "(", "- ", "`", "#", " ", "\n", "a'", "1=1+", "é", ", A"],
)
def test_no_text_is_slow(piece):
    text = piece * LONGEST
    began = process_time()
    request_features(text)
    draft_features(text, text)
    hashed_words(text, 1024)
    assert process_time() - began < 2


def test_a_typical_answer_takes_well_under_a_millisecond():
    request = "A shop sells 3 boxes of 12 pens at $4 each. How much do 5 such orders cost? " * 3
    draft = (
        "One order is 3 * 12 = 36 pens, which cost 36 * 4 = $144.\nIn total, 5 * 144 = 720.\n" * 4
    )
    began = process_time()
    for _ in range(50):
        draft_features(request, draft)
    assert (process_time() - began) / 50 < 0.003  # a few times what it takes on a busy machine
