import math
import os
import subprocess
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.fitted.feature_names import DRAFT, REQUEST
from cascade_core.fitted.features import (
    ENDING,
    LONGEST,
    draft_features,
    hashed_words,
    request_features,
)
from tests.core.signals.growth import in_proportion
from tests.work import calls_made

TEXTS = st.text(max_size=300) | st.text(alphabet="0123456789+-*/=(). ,\n#$%?!`ab<>", max_size=300)
SHARES = (
    *("distinct_words", "repeated", "foreign", "shared_words", "own_words", "fractions"),
    *("numbers_used", "numbers_unsourced", "right_equations"),
)


@pytest.mark.simulation
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


# --- one by one ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("abc", "characters", 3),
        ("Don't go, 3 times", "words", 3),
        ("One two. Three!", "sentences", 3),
        ("One two. Three", "words_a_sentence", 1.5),
        ("1 and 2 and two", "numbers", 3),
        ("1 and 2 and two", "distinct_numbers", 2),
        ("2 of 1,500.5 or twenty", "largest_number", 1500.5),
        ("none", "largest_number", 0),
        ("1.5 and 50% of 3 or half", "fractions", 3),
        ("2.5% of 4", "fractions", 2),
        ("each and twice as many", "quantities", 2),
        ("if so, unless not", "conditions", 2),
        ("no, I do not", "negations", 2),
        ("an hour or two days", "times", 2),
        ("What? Why?", "questions", 2),
        ("why and how", "reasons", 2),
        ("a, b, c; d: e", "commas", 4),
        ("a; b; c: d: e: f", "commas", 5),
        ("I met Ann and, Bob in Rome", "names", 3),
        ("$1 and $2", "money", 2),
        ("€1, €2 and £3, £4, £5", "money", 5),
        ("- a\n* b\n1. c\n- d", "lists", 4),
        ("`a` {b}", "code", 4),
    ],
)
def test_a_request_is_counted(text, name, count):
    assert request_features(text)[name] == pytest.approx(math.log1p(count))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("one three", "letters_a_word", 4),
        ("", "letters_a_word", 0),
        ("3", "letters_a_word", 0),
        ("a b a b", "distinct_words", 0.5),
        ("", "distinct_words", 1),
        ("äb", "foreign", 0.5),
        ("", "foreign", 0),
    ],
)
def test_shares_and_means_of_a_request(text, name, value):
    assert request_features(text)[name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("draft", "name", "count"),
    [
        ("a\n \nb", "lines", 2),
        ("Stop! No!", "exclamations", 2),
        ("a (b) c (d)", "brackets", 2),
        ("maybe, perhaps", "hedges", 2),
        ("Let us assume", "suppositions", 2),
        ("so, therefore", "conclusions", 2),
        ("- a\n- b", "lists", 2),
        ("`a`", "code", 2),
        ("1, 2 and 2", "numbers", 3),
        ("1, 2 and 2", "distinct_numbers", 2),
        ("1, 20 and 3", "largest_number", 20),
        ("none", "largest_number", 0),
        ("2 - 5 = -3\n3 - 3 = 0\n3 - 2 = 1", "negative_results", 1),
        ("1 + 1 = 2\n1 + 1 = 3\n2 + 2 = 4", "equations", 3),
        ("1 + 1 = 2\n1 + 1 = 3", "wrong_equations", 1),
        ("x = 3\ny = 4\n1 + 1 = 2", "open_equations", 2),
        ("1 and 12", "result", 12),
        ("none", "result", 0),
        ("2, 3, 2, 3, 3", "result_times", 3),
        ("a b c\nd e\n", "last_words", 2),
        ("a b c", "last_words", 3),
        ("1 2 3\n4 5\n ", "last_numbers", 2),
    ],
)
def test_a_draft_is_counted(draft, name, count):
    assert draft_features("", draft)[name] == pytest.approx(math.log1p(count))


@pytest.mark.parametrize(
    ("request_text", "draft", "name", "value"),
    [
        ("a b c", "a", "length_ratio", math.log(2 / 4)),
        ("", "a b c", "length_ratio", math.log(4)),
        ("", "a b c d a b c d", "repeated", 1 / 5),
        ("", "a b c d e f", "repeated", 0),
        ("", "a b c d a b c e", "repeated", 0),
        ("", "a b c", "repeated", 0),
        ("a b", "b c d", "shared_words", 1 / 2),
        ("a b", "b c d", "own_words", 2 / 3),
        ("a b", "", "own_words", 0),
        ("", "a", "shared_words", 1),
        ("", "1 and 2.5 and 3.5", "fractions", 2 / 3),
        ("", "none", "fractions", 0),
        ("2 and 3", "1.5", "new_fractions", 1),
        ("none", "1.5", "new_fractions", 1),
        ("2.5", "1.5", "new_fractions", 0),
        ("2.5 and 3", "1.5", "new_fractions", 0),
        ("2 and 3", "4", "new_fractions", 0),
        ("2 and 3", "1.5 and 2.5", "new_fractions", 1),
        ("1 2 3 4", "1 2", "numbers_used", 1 / 2),
        ("none", "1", "numbers_used", 1),
        ("2 and three", "2 + 3 = 5, or 7", "numbers_unsourced", 1 / 4),
        ("", "none", "numbers_unsourced", 0),
        ("", "1 + 1 = 2\n1 + 1 = 3\n1 + 2 = 3", "right_equations", 2 / 3),
        ("", "x = 3", "right_equations", 1),
        ("", "1.5 and 3", "result_whole", 1),
        ("", "3 and 1.5", "result_whole", 0),
        ("", "none", "result_whole", 0),
        ("", "3 and 5", "result_whole", 1),
        ("four", "then 4", "result_given", 1),
        ("four", "then 5", "result_given", 0),
        ("0", "none", "result_given", 0),
        ("", "3 * 4 = 12, so 12", "result_calculated", 1),
        ("", "3 * 4 = 12, so 13", "result_calculated", 0),
        ("", "12", "result_calculated", 0),
        ("2 and nine", "19", "result_relative", math.log(20) - math.log(10)),
        ("", "19", "result_relative", math.log(20)),
        ("7", "", "result_relative", -math.log(8)),
    ],
)
def test_a_draft_is_compared_with_itself_and_its_request(request_text, draft, name, value):
    assert draft_features(request_text, draft)[name] == pytest.approx(value)


@pytest.mark.parametrize(
    ("draft", "flags"),
    [
        ("So it is 12.", {"ends_sentence", "ends_number"}),
        ("It is 12.\nBye", set()),
        ("Bye\nThe answer is twelve.\n \n", {"ends_sentence", "states_result"}),
        ("The answer is 12\nBye!", {"ends_sentence"}),
        ("12 +", {"unfinished", "ends_number"}),
        ("a [b] (c", {"unfinished"}),
        ("a) b", set()),
    ],
)
def test_how_a_draft_ends_is_read_off_its_last_line(draft, flags):
    read = draft_features("", draft)
    names = ("unfinished", "ends_sentence", "ends_number", "states_result")
    assert {name for name in names if read[name]} == flags


def test_words_are_hashed_with_their_neighbours_by_how_often_they_come():
    text, buckets = "b a b", 2**20
    terms = {"b": 1 + math.log(2), "a": 1.0, "b a": 1.0, "a b": 1.0}
    length = math.sqrt(sum(value**2 for value in terms.values()))
    expected = {}
    for term, value in terms.items():
        code = zlib.crc32(term.encode())
        sign = 1 if code >= 2**31 else -1
        expected[code % 2**31 % buckets] = sign * value / length
    assert hashed_words(text, buckets) == pytest.approx(expected)


def test_words_of_one_bucket_add_up_or_cancel():
    codes = {word: zlib.crc32(word.encode()) >> 31 for word in "abcdefgh"}
    plus, minus = ([word for word in codes if codes[word] == sign] for sign in (1, 0))
    assert plus
    assert minus
    assert hashed_words(plus[0], 1) == {0: 1.0}
    assert hashed_words(minus[0], 1) == {0: -1.0}
    pair = f"{plus[0]} {minus[0]}"
    of_pair = 1.0 if zlib.crc32(pair.encode()) >> 31 else -1.0
    assert hashed_words(pair, 1) == {0: of_pair}, "the two cancel, their pair is left"


def test_only_the_beginning_and_the_end_of_a_long_text_are_read():
    middle = "x" * 100
    start, end = "a " * ((LONGEST - ENDING) // 2), " b" * (ENDING // 2)
    assert hashed_words(start + middle + end, 4096) == hashed_words(start + "\n" + end, 4096)
    assert hashed_words(start + middle + end, 4096) != hashed_words(start + end[2:] + "x", 4096)
    read = request_features(start + middle + end)
    assert read["characters"] == pytest.approx(math.log1p(LONGEST + 1))
    assert request_features("a" * LONGEST)["sentences"] == pytest.approx(math.log1p(1))


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


@pytest.mark.processes
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


@pytest.mark.simulation
@pytest.mark.parametrize(
    "piece",
    [".", "!x", "a", "A", "1", "1,", "(", "- ", "`", "#", " ", "\n", "a'", "1=1+", "é", ", A"],
)
def test_no_text_is_slow(piece):
    def read(text):
        request_features(text)
        draft_features(text, text)
        hashed_words(text, 1024)

    assert in_proportion(read, "", piece, "", lengths=(LONGEST // 4, LONGEST))


def test_a_typical_answer_takes_little_work():
    request = "A shop sells 3 boxes of 12 pens at $4 each. How much do 5 such orders cost? " * 3
    draft = (
        "One order is 3 * 12 = 36 pens, which cost 36 * 4 = $144.\nIn total, 5 * 144 = 720.\n" * 4
    )
    draft_features(request, draft)
    assert calls_made(lambda: draft_features(request, draft)) < 5_000, "usually half of this"
