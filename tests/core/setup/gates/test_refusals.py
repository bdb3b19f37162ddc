"""What sounds like a refusal, and above all what does not."""

import pickle
import re
from pathlib import Path

import pytest

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.refusals import READ, refuses
from cascade_core.refusals.languages import LANGUAGES, in_question
from cascade_core.request import Request, ToolCall
from cascade_core.setup.gates import make_gates, not_refused

ANY = Request.of("?")
SENTENCES = Path(__file__).parent / "sentences"


def sentences(path):
    """What a file says refuses, and what only sounds so; `\\n` is a line break."""
    _, refusing, answering = re.split(r"^== .*\n", path.read_text("utf-8"), flags=re.MULTILINE)
    return [
        [line.replace("\\n", "\n") for line in part.splitlines()] for part in (refusing, answering)
    ]


@pytest.mark.parametrize(
    "path", sorted(SENTENCES.rglob("*.txt")), ids=lambda path: str(path.relative_to(SENTENCES))
)
def test_refusals_of_a_language_are_told_from_what_only_sounds_so(path):
    refusing, answering = sentences(path)
    missed = [text for text in refusing if not refuses(text)]
    assert len(missed) <= len(refusing) / 10, missed
    assert [text for text in answering if refuses(text)] == []


def test_every_language_has_sentences_of_its_own():
    assert {path.stem for path in SENTENCES.rglob("*.txt")} == set(LANGUAGES)
    assert all(sum(map(len, sentences(SENTENCES / f"{code}.txt"))) >= 40 for code in LANGUAGES)


def test_an_answer_without_a_word_of_refusing_is_read_in_no_language():
    assert in_question("The parcel leaves Leeds on Monday and arrives a day later.") == ()
    assert in_question("Посылка придёт в понедельник.") == ()


def test_only_the_beginning_is_read_and_only_the_languages_in_question_are_compiled():
    refusal = "Ik kan u daar niet mee helpen."
    assert refuses("\n" * 5000 + refusal)
    assert not refuses("Het pakket komt. " * (READ // 10) + refusal)
    for language in in_question("Niestety nie mogę."):
        vars(language).pop("refusal", None)
    refuses(refusal)
    assert not [each for each in in_question("Niestety nie mogę.") if "refusal" in vars(each)]


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t assist with that request.",
        "I am sorry, I cannot help you.",
        "I'm very sorry but I am unable to discuss this.",
        "I'm sorry, but I'm not able to help with that.",
        "Sorry, I can't provide that.",
        "Sorry, but I cannot answer this question.",
        "I cannot comply with that.",
        "I can not help with this.",
        "I cant help with that",
        "I am unable to assist with this.",
        "I'm unable to provide medical advice.",
        "I won't help with that.",
        "Unfortunately, I can't answer that.",
        "Unfortunately I’m not able to help.",
        "As an AI language model, I cannot have opinions.",
        "As an artificial intelligence I'm not able to feel.",
        "As a large language model, I can't browse.",
        "I don't know.",
        "I do not know the answer.",
        '  "I cannot fulfill this request."',
        "**I'm sorry, but I can't do that.**",
    ],
)
def test_an_answer_that_opens_with_a_refusal_fails(text):
    assert not not_refused(ANY, Draft(text))


@pytest.mark.parametrize(
    "text",
    [
        "I can help with that! Which order is it?",
        "I'm sorry for the delay, your order ships Monday.",
        "I'm sorry to hear that. Please send us a photo.",
        "I'm sorry your parcel was late. Here is how to get a refund.",
        "I'm sorry, we can't ship to a P.O. box; please give a street address.",
        "You can't return it after 30 days.",
        "Sorry about that! You can cancel it in your account.",
        "Unfortunately, it is sold out.",
        "Unfortunately, you cannot change the address after it has shipped.",
        "We can't change it once it has shipped, but you can refuse the parcel.",
        "I can't help but admire the design.",
        "I know: it ships Monday.",
        "As an alternative, you can't go wrong with store credit.",
        "As a large company we cannot accept cash.",
        "The error 'I cannot help with that' comes from the old assistant.",
        "If you are not able to log in, I can reset it.",
        "I candidly recommend the blue one.",
        "",
    ],
)
def test_a_normal_answer_of_a_support_desk_passes(text):
    assert not_refused(ANY, Draft(text))


def test_what_the_provider_marked_as_a_refusal_fails_whatever_it_says():
    assert not not_refused(ANY, Draft("Sure!", refusal=True))
    assert not not_refused(ANY, Draft("Sure!", finish="content_filter"))


def test_a_tool_call_is_no_refusal():
    calls = (ToolCall("look_up"),)
    assert not_refused(ANY, Draft("I don't know, let me see.", tool_calls=calls))
    (*_, gate) = make_gates(None, ["let me see"])
    assert gate.passes(ANY, Draft("Let me see.", tool_calls=calls))


def shrugs(text):
    return text.startswith("*shrugs*")


def test_a_caller_adds_words_of_refusing():
    (*_, gate) = make_gates(None, [r"computer says no", re.compile("NOPE"), shrugs])
    assert (gate.reason, gate.own) == ("gate_refusal", False)
    assert make_gates(None, ["no"])[-1].own, "patterns are looked for as the built-in ones are"
    for text in ("Sorry: Computer says no.", "NOPE", "*shrugs* Perhaps."):
        assert not_refused(ANY, Draft(text))
        assert not pickle.loads(pickle.dumps(gate.passes))(ANY, Draft(text))
    assert gate.passes(ANY, Draft("nope, it is blue")), "a compiled pattern says how it reads case"
    assert not make_gates(None, ["i can't tell"])[-1].passes(ANY, Draft("I can’t tell."))
    assert not [g for g in make_gates(None, []) if g not in make_gates(None)]


async def asks(_text):
    return True


@pytest.mark.parametrize(
    ("refusals", "said"),
    [
        ("no", r"refusals= takes a list of patterns and functions, not str"),
        ([5], r"refusals\[0\] is int; give a regular expression or a plain function"),
        ([asks], r"refusals\[0\] is function; give a regular expression or a plain function"),
        (["no", "("], r"refusals\[1\] is no regular expression: missing \)"),
        (["x*"], r"refusals\[0\] matches every answer"),
    ],
)
def test_what_is_no_way_of_refusing_is_named(refusals, said):
    with pytest.raises(ConfigurationError, match=said):
        make_gates(None, refusals)
