"""Which tokens are an answer's own, in whole answers and in streams."""

import math

import pytest

from cascade_core.logprobs import Logprobs, read_logprobs
from cascade_core.spelling import Following, is_feigned, own_logprobs
from tests.core.signals.driving import logprobs

SENTENCE = "The fee is waived for members."


def tokens(*texts, p=0.5, **fields):
    return read_logprobs([{"token": t, "logprob": math.log(p), **fields} for t in texts])


def own(given, text):
    found, why = own_logprobs(given, text)
    assert (found is None) == (why is not None)
    return why if found is None else [entry["token"] for entry in found.entries]


@pytest.mark.parametrize("text", ["The fee", " The fee\n", "The  fee"])
def test_tokens_that_spell_the_text_are_its_own_whatever_its_white_space(text):
    assert own(tokens("The", " fee"), text) == ["The", " fee"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), ("<|im_end|>",)),
        ((), ("</s>",)),
        (("Hm", ".", "\n\n"), ()),
        (("<think>", "The fee", "?", "</think>", "\n\n"), ()),
        (("The fee", " or", "\n"), ("<|eot_id|>", "\n")),
    ],
)
def test_thoughts_before_and_end_marks_behind_are_not_its_own(before, after):
    assert own(tokens(*before, "The", " fee", *after), "The fee") == ["The", " fee"]


def test_a_text_inside_an_end_mark_is_not_spelled_by_it():
    assert own(tokens("The", " ", "<|im_end|>"), "end") == "partial"


@pytest.mark.parametrize("given", [("fee",), ("The",), ("A", " fee"), ("The fee is",)])
def test_tokens_that_spell_a_part_or_something_else_are_no_reading(given):
    assert own(tokens(*given), "The fee") == "partial"


def test_values_without_the_tokens_texts_cannot_be_checked():
    given = Logprobs([-0.1, -0.2])
    assert own_logprobs(given, SENTENCE) == (given, None)
    nameless = read_logprobs([{"logprob": -0.1}, {"token": None, "logprob": -0.2}])
    assert own_logprobs(nameless, SENTENCE) == (nameless, None)


def test_a_token_that_is_no_number_stays_and_counts_as_0():
    given = read_logprobs([{"token": "", "logprob": None}, {"token": " fee", "logprob": -0.1}])
    assert own_logprobs(given, "The fee")[0] is given


@pytest.mark.parametrize(
    "halves",
    [
        [
            {"token": "\\xf0\\x9f", "bytes": [240, 159]},
            {"token": "\\x98\\x80", "bytes": [152, 128]},
        ],
        [{"token": "bytes:\\xf0\\x9f"}, {"token": "bytes:\\x98\\x80"}],
        [{"token": f"<0x{byte:02X}>"} for byte in "😀".encode()],
        [{"token": "ðŁ", "bytes": None}, {"token": "ĺĢĠ"}],
        [{"token": "\ufffd"}, {"token": "\ufffd"}],
    ],
    ids=["bytes", "escaped", "sentencepiece", "byte-level", "unknown"],
)
def test_parts_of_characters_spell_it_together(halves):
    entries = [{"token": "Hm"}, *halves, {"token": "yes"}]
    given = read_logprobs([{**entry, "logprob": -0.1} for entry in entries])
    assert len(own_logprobs(given, "😀 yes")[0]) == len(halves) + 1


def test_marks_for_white_space_spell_it():
    assert own(tokens("▁The", "▁fee"), "The fee") == ["▁The", "▁fee"]
    assert own(tokens("The", "Ġfee", "Ċ", "<|end|>"), "The fee") == ["The", "Ġfee"]


def test_alternatives_keep_their_tokens():
    given = logprobs(("Hm", -1, {"Hm": -1}), ("Yes", -0.1, {"Yes": -0.1, "No": -2}))
    assert own_logprobs(given, "Yes")[0].alternatives(0) == [("Yes", -0.1), ("No", -2)]


@pytest.mark.parametrize(
    ("text", "values", "feigned"),
    [
        (SENTENCE, [0.0] * 6, True),
        (SENTENCE, [-0.0] * 6, True),
        ("日本語の長い文です。二文目もあります。", [0.0] * 16, True),
        (SENTENCE, [-1e-7, *[0.0] * 5], False),
        (SENTENCE, [0.0, 0.0], False),
        ("Yes.", [0.0], False),
        ("It is 42.", [0.0] * 4, False),
        ('{"city": "Rome", "days": 30}', [0.0] * 11, False),
        (SENTENCE, [math.nan] * 6, False),
    ],
)
def test_only_a_sentence_of_which_every_token_is_certain_is_feigned(text, values, feigned):
    assert is_feigned(values, text) == feigned
    expected = (None, "certain") if feigned else (values, None)
    found, why = own_logprobs(Logprobs(values), text)
    assert (None if found is None else found.values, why) == expected


# --- streams ------------------------------------------------------------------------------------


def follow(*chunks):
    """What is sure after every chunk: of its text, and of the tokens beside it."""
    following = Following()
    return [
        len(following.take(text, None if given is None else tokens(*given)))
        for text, given in chunks
    ]


def test_what_is_spelled_is_sure_at_once():
    assert follow(("", None), ("The", ["The"]), (" fee is", [" fee", " is"])) == [0, 1, 2]


def test_what_may_be_a_mark_waits_until_it_is_none():
    assert follow(("<", ["<"]), ("b", ["b"]), (">", [">"]), ("Yes", ["Yes"])) == [0, 0, 3, 1]


def test_a_thought_and_what_follows_are_never_sure():
    chunks = [(text, [text]) for text in ("<th", "ink>", "Hm", "</think>", "Yes")]
    assert follow(*chunks) == [0] * 5
    assert follow(*chunks, *[("word ", ["word "])] * 100) == [0] * 105


def test_tokens_that_are_not_shown_are_left_out():
    assert follow(("", ["Hm"]), ("", ["."]), ("Yes", ["Yes"]), ("", ["<|end|>"])) == [0, 0, 1, 0]


@pytest.mark.parametrize("gap", [("is", None), ("is", ["was"]), ("is it", ["it"])])
def test_after_a_gap_nothing_is_sure(gap):
    assert follow(("The", ["The"]), gap, ("so", ["so"])) == [1, 0, 0]


def test_values_without_texts_are_taken_as_they_are():
    assert list(Following().take("The fee", Logprobs([-0.1, -0.2]))) == [-0.1, -0.2]
