"""What an answer says apart from what it thinks; and above all what is no thought."""

import pytest

from cascade_core.draft import Draft
from cascade_core.spoken import is_blank, may_begin_thought, spoken
from tests.core.signals.growth import in_proportion

SAID = "Thirty days."

THOUGHTS = {
    "Qwen, empty": "<think>\n\n</think>\n\n",
    "DeepSeek": "<think>They ask for 17?\n\nOr 18.</think>\n\n",
    "in capitals": "<THINK>Hm.</THINK>",
    "thinking": "<thinking>Hm.</thinking>\n",
    "closed by its other name": "<think>Hm.</thinking>\n",
    "EXAONE": "<thought>Hm.</thought>\n",
    "reasoning": "<reasoning>Hm.</reasoning>",
    "Seed": "<seed:think>Hm.<seed:cot_budget_reflect>ok</seed:cot_budget_reflect></seed:think>",
    "LongCat": "<longcat_think>Hm.</longcat_think>\n",
    "with reflection in it": "<thinking>a<reflection>b</reflection>c</thinking>\n",
    "reflection": "<reflection>Hm.</reflection>\n",
    "a thought in it": "<think>a <think>b</think> c</think>\n",
    "of an opening mark in words": "<think>They ask about <think> tags.</think>\n",
    "opened twice": "<think>\n<think>Hm.</think>\n",
    "a chain of thought": "<chain_of_thought>Hm.</chain_of_thought>\n",
    "a monologue": "<inner_monologue>Hm.</inner_monologue>",
    "an inner thought": "<inner-thoughts>Hm.</inner-thoughts>\n",
    "a process": "<ThoughtProcess>Hm.</ThoughtProcess>\n",
    "a blank in the closing mark": "<think>Hm.</think >\n",
    "Magistral": "[THINK]Hm.[/THINK]",
    "Kimi": "◁think▷Hm.◁/think▷",
    "Command": "<|START_THINKING|>Hm.<|END_THINKING|>",
    "OpenThinker": "<|begin_of_thought|>Hm.<|end_of_thought|>\n\n",
    "Solar": "<|think|>Hm.<|end|><|begin|>assistant<|content|>",
    "MedGemma": "<unused94>thought\nHm.<unused95>",
    "Gemma": "<|channel>thought\nHm.<channel|>",
    "Granite": "Here is my thought process:\nHm.\nHere is my response:\n",
    "Apriel": "Here are my reasoning steps:\nHm.\n[BEGIN FINAL RESPONSE]\n",
    "gpt-oss": "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    "<|channel|>final<|message|>",
    "gpt-oss, its marks half dropped": "<|channel|>analysis Hm.<|channel|>final<|message|>",
    "gpt-oss, its marks dropped": "analysisThe user asks.assistantfinal",
    "opened in the template": "They ask.\n</think>\n\n",
    "opened in the template, ending a sentence": "They ask.</think>",
    "opened in the template, Magistral": "They ask.\n[/THINK]\n",
    "closed at once": "</think>\n\n",
    "two": "<think>a</think>\n<think>b</think>\n",
    "of a closing mark": "<think>They ask about `</think>`, I see.</think>\n",
    "of a closing mark in words": "<think>They ask about </think> tags.\n</think>\n",
    "of a fenced block": "<think>```\nx = 1\n```\n</think>",
    "of a fence left open": "<think>```\nx = 1</think>",
    "behind a mark of the template": "<|im_start|>assistant\n<think>Hm.</think>",
    "behind a byte order mark": "\ufeff<think>Hm.</think>",
}


@pytest.mark.parametrize("thought", THOUGHTS.values(), ids=THOUGHTS)
def test_what_follows_a_thought_is_said(thought):
    assert spoken(thought + SAID) == SAID
    assert spoken(spoken(thought + SAID)) == SAID


@pytest.mark.parametrize("thought", THOUGHTS.values(), ids=THOUGHTS)
def test_a_stream_that_begins_with_a_thought_is_known_before_it_is_read(thought):
    """But for those whose opening mark is not sent."""
    if "_think" not in thought and thought[0] not in "<[◁aH\ufeff":
        pytest.skip("no opening mark")
    text = (thought + SAID)[:12]
    assert all(may_begin_thought(text[:length]) for length in range(len(text) + 1)) or (
        thought.startswith("</")
    )


@pytest.mark.parametrize("text", ["Thirty", "\nThirty", "1 < 2", "A", "{", "<b>x</b>", "< 5", "["])
def test_most_streams_are_known_for_answers_at_once(text):
    assert may_begin_thought("")
    assert not may_begin_thought(f"{text} and so on")


@pytest.mark.parametrize(
    "wrapped",
    [
        f"<answer>{SAID}</answer>",
        f"\n<Output>\n{SAID}\n</Output>\n",
        f"<|START_RESPONSE|>{SAID}<|END_RESPONSE|>",
        f"<|begin_of_solution|>{SAID}<|end_of_solution|>",
    ],
)
def test_what_is_wrapped_around_an_answer_behind_a_thought_is_not_said(wrapped):
    assert spoken(f"<think>Hm.</think>{wrapped}") == SAID
    assert spoken(wrapped) == wrapped


@pytest.mark.parametrize(
    "text",
    [
        "<think>Let me see what they want. First",
        "<think>Let me see.</think>\n",
        "<think>a</think><think>b",
        "[THINK]Let me see",
        "◁think▷Let me see",
        "<|channel|>analysis<|message|>Let me see",
        "analysisWe need to look",
        "Let me see.\n</think>\n",
        "<think>Let me see.</think>\u200b",
    ],
)
def test_a_thought_alone_says_nothing(text):
    assert spoken(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        "",
        "\u200b",
        "Put your reasoning between <think> and </think> tags.",
        "Use the <think> tag",
        "<think> and </think> are the tags that DeepSeek uses.",
        "Close it with `</think>` and go on.",
        "Close it with </think>.",
        "End with </think>\nand go on.",
        "(</think>) closes it.",
        "A line may begin so:\n</think> is one of them.",
        "For example:\n```\n<think>\nHm.\n</think>\n```\nAs you see.",
        "```\nHm.\n</think>\nYes.\n```",
        "For example:\n\n<think>\nHm.\n</think>\n\nAs you see.",
        "Here is your order.",
        "Here is my thought process: first the fee, then the date.",
        "<analysis>It rises.</analysis>",
        "analysis of the text",
        "The <|channel|> mark of gpt-oss.",
        "<|channel|> is a mark of gpt-oss.",
        '{"note": "close it with </think>"}',
        "if a < b and c > d: print(a[0])",
    ],
)
def test_marks_that_an_answer_is_about_are_part_of_it(text):
    assert spoken(text) == text


def test_a_draft_says_what_is_spoken_and_keeps_what_was_written():
    draft = Draft("<think>Hm.</think>Yes.")
    assert (draft.text, draft.whole) == ("Yes.", "<think>Hm.</think>Yes.")
    assert (Draft("Yes.").text, Draft("Yes.").whole) == ("Yes.", "Yes.")
    assert "Hm" not in repr(draft)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\u200b",
        "\ufeff\u2060\u00ad",
        "\x00",
        "\u200e\u202b\u2069",
        "\u00a0\u3000\u2028",
        "\u3164",
        "\ufe0f\u180b",
        "\u2800",
        "\u034f",
        "\U000e0041",
    ],
    ids=ascii,
)
def test_what_nobody_can_see_is_blank(text):
    assert is_blank(text)
    assert not is_blank(f"{text}.")


@pytest.mark.parametrize("text", ["0", "…", "é", "\u0301", "日", "😀", "\ue000"], ids=ascii)
def test_what_can_be_seen_is_not_blank(text):
    assert not is_blank(text)


@pytest.mark.parametrize(
    "piece",
    [
        "`</think>`",
        "<think></think>",
        "x. </think> y",
        "<think>",
        "```\n</think>\n",
        "<",
        "\u200b",
        "<|channel|>",
        "<think ",
        "\n \t<think",
        "<s>",
        "\ufeff ",
        "analysis",
        "[/THINK]a",
        "<think><think></think>",
        "</think><think>",
    ],
    ids=ascii,
)
def test_reading_is_in_proportion_to_the_length(piece):
    assert in_proportion(spoken, "<think>", piece, "")
    assert in_proportion(spoken, "", piece, "<")
