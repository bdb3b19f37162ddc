"""What sounds like a refusal, and above all what does not."""

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request, ToolCall
from cascade_core.setup.gates import not_refused

ANY = Request.of("?")


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
    assert not_refused(ANY, Draft("I don't know, let me see.", tool_calls=(ToolCall("look_up"),)))
