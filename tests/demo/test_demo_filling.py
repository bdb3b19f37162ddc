"""Forms filled with what was written: whose words stand where, and what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from cascade_demo.filling import UnfilledError, fill
from cascade_demo.generate import Token
from cascade_demo.passages import Written
from cascade_demo.tools import Offer, Tool, choose_calls

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}


def written(text: str, results: str = "") -> Written:
    """An answer whose tokens are its words and digits, each less probable than the last."""
    pieces: list[str] = []
    for letter in text:
        if pieces and letter.isalpha() and (pieces[-1][-1].isalpha() or pieces[-1] == " "):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return Written([Token(piece, -0.1 * at) for at, piece in enumerate(pieces)], results)


def filled(answer: str, **properties: Any) -> dict[str, Any]:
    optional = properties.pop("optional", ())
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }
    value: dict[str, Any] = json.loads(
        "".join(token.text for token in fill(schema, written(answer)))
    )
    return value


def test_a_text_is_the_answer_without_its_working() -> None:
    assert filled("[3 x 24 = 72] You get $72 back.", reply=TEXT) == {"reply": "You get $72 back."}
    both = "[bill 8] You are billed on day 8. [plan cancel] Your plan ends."
    assert filled(both, reply=TEXT) == {"reply": "You are billed on day 8. Your plan ends."}


@pytest.mark.parametrize(
    ("answer", "field", "value"),
    [
        ("We refund $27.", "amount", 27),
        ("We send order 4711 again. We refund $27.", "amount", 27),
        ("We send order 4711 again. We refund $27.", "order_id", 4711),
        ("You are billed on day 8. We refund $27.", "billingDay", 8),
        ("Yes, 6 days left.", "days_left", 6),
        ("Your plan waits for 9 months.", "value", 9),
        ("Your plan waits for 9 months.", "months", 9),
        ("It is $3.50 in all.", "price", 3.5),
    ],
)
def test_a_number_is_the_one_that_its_field_speaks_of(
    answer: str, field: str, value: float
) -> None:
    assert filled(answer, **{field: {"type": "number"}}) == {field: value}


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ("You are billed on day 8.", "amount"),  # a day is no sum
        ("We refund $27.", "order"),
        ("We send order 4711 again. We refund $27.", "value"),  # which of the two?
        ("It is $3.50 in all.", "amount"),  # and a whole number was asked for
        ("Sign in with a backup code.", "value"),
    ],
)
def test_a_number_that_the_answer_does_not_give_is_not_made_up(answer: str, field: str) -> None:
    with pytest.raises(UnfilledError, match=f"'{field}'"):
        filled(answer, **{field: WHOLE})
    assert filled(answer, **{field: {"anyOf": [WHOLE, {"type": "null"}]}}) == {field: None}
    assert filled(answer, **{field: {"type": ["null", "integer"]}}) == {field: None}
    assert filled(answer, **{field: WHOLE}, optional=[field]) == {}


@pytest.mark.parametrize(
    "limits", [{"minimum": 28}, {"maximum": 26}, {"exclusiveMinimum": 27}, {"exclusiveMaximum": 27}]
)
def test_a_number_outside_its_limits_is_not_taken(limits: dict[str, int]) -> None:
    with pytest.raises(UnfilledError):
        filled("We refund $27.", amount={**WHOLE, **limits})
    within = {name: 27 if name in ("minimum", "maximum") else 0 for name in limits}
    if "exclusiveMaximum" in within:
        within["exclusiveMaximum"] = 28
    assert filled("We refund $27.", amount={**WHOLE, **within}) == {"amount": 27}


def test_a_text_that_is_named_like_a_number_is_that_number() -> None:
    assert filled("Order 4711 is cancelled.", order_id=TEXT) == {"order_id": "4711"}
    with pytest.raises(UnfilledError, match="'order_id'"):
        filled("Please prove who you are first.", order_id=TEXT)


def test_one_of_several_values_is_the_first_that_is_named() -> None:
    days = {"enum": ["monday", "Friday", "Sunday"]}
    assert filled("It arrives on friday.", day=days) == {"day": "Friday"}
    assert filled("[friday sunday] It arrives on sunday.", day=days) == {"day": "Sunday"}
    assert filled("[plan cancel] It ends.", kind={"enum": ["bill", "plan"]}) == {"kind": "plan"}
    assert filled("We make an exception.", kind={"const": "x"}) == {"kind": "x"}
    assert filled("Nothing.", kind={"enum": ["only"]}) == {"kind": "only"}
    assert filled("Nothing.", day={"enum": ["monday", "friday", None]}) == {"day": None}
    with pytest.raises(UnfilledError, match="'day'"):
        filled("It arrives on a fridayish day.", day=days)


def test_yes_and_no_are_true_and_false() -> None:
    assert filled("Yes, 6 days left.", open={"type": "boolean"}) == {"open": True}
    assert filled("[30 < 49] No, 9 days late.", open={"type": "boolean"}) == {"open": False}
    with pytest.raises(UnfilledError, match="neither yes nor no"):
        filled("Nobody knows.", open={"type": "boolean"})


def test_a_list_has_an_item_for_every_sentence_that_fills_one() -> None:
    answer = "You are billed on day 8. We refund $27. We refund $3."
    sums = {"type": "array", "items": {"$ref": "#/$defs/Sum"}}
    schema = {
        "type": "object",
        "properties": {"sums": sums, "said": {"type": "array", "items": TEXT}},
        "required": ["sums", "said"],
        "$defs": {"Sum": {"properties": {"amount": WHOLE}, "required": ["amount"]}},
    }
    value = json.loads("".join(token.text for token in fill(schema, written(answer))))
    assert value["sums"] == [{"amount": 27}, {"amount": 3}]
    assert value["said"] == ["You are billed on day 8.", "We refund $27.", "We refund $3."]
    with pytest.raises(UnfilledError, match="too few"):
        filled(answer, sums={"type": "array", "items": WHOLE, "minItems": 4})


@pytest.mark.parametrize(
    "field",
    [
        {},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},  # a schema within itself
        {"allOf": [{"allOf": []}]},
        {"type": "string", "format": "email"},
        {"type": "string", "maxLength": 3},
        {"type": "string", "pattern": "^(a+)+$"},
        {"type": "string", "pattern": "^("},
        {"anyOf": []},
    ],
)
def test_what_no_answer_can_fill_is_refused_by_name(field: dict[str, Any]) -> None:
    with pytest.raises(UnfilledError, match="field"):
        filled("We refund $27.", field=field)


def test_a_pattern_takes_what_it_describes() -> None:
    pattern = {"type": "string", "pattern": r"^\d{4}$"}
    assert filled("We send order 4711 again.", code=pattern) == {"code": "4711"}
    date = {"type": "string", "format": "date"}
    assert filled("It came on 2026-11-05.", when=date) == {"when": "2026-11-05"}


def test_copied_words_keep_their_probabilities_and_the_form_is_certain() -> None:
    answer = written("[x] We refund $27.")
    schema = {
        "type": "object",
        "properties": {"reply": TEXT, "amount": WHOLE, "verb": {"enum": ["refund", "send"]}},
        "required": ["reply", "amount", "verb"],
    }
    tokens = fill(schema, answer)
    forced = [token.text for token in tokens if token.forced]
    assert forced == ['{"reply":"', '","amount":', ',"verb":', "}"]
    assert all(token.logprob == 0 for token in tokens if token.forced)
    own = [(token.text, round(token.logprob, 1)) for token in tokens if not token.forced]
    sentence = [("We", -0.3), (" refund", -0.4), (" ", -0.5), ("$", -0.6), ("2", -0.7), ("7", -0.8)]
    assert own == [*sentence, (".", -0.9), ("2", -0.7), ("7", -0.8), ('"refund"', -0.4)]


def test_quotes_and_line_ends_are_escaped() -> None:
    assert filled('He said "no".\nTwice.', reply=TEXT) == {"reply": 'He said "no".\nTwice.'}


def test_brackets_in_a_tools_result_are_no_working() -> None:
    tokens = fill({"properties": {"reply": TEXT}}, written("[bill 8] Yes. [1, 2]", " [1, 2]"))
    assert "".join(token.text for token in tokens) == '{"reply":"Yes. [1, 2]"}'


# --- tools ----------------------------------------------------------------------------------------


def tool(name: str, **properties: Any) -> Tool:
    return Tool(name, {"properties": properties, "required": list(properties)})


REFUND = tool("issue_refund", amount=WHOLE)
CANCEL = tool("cancel_order", order_id=WHOLE)
CALL_BACK = tool("call_back")
REPLY = tool("send_reply", text=TEXT)
WEATHER = tool("get_weather", city=TEXT)


def called(answer: str, *tools: Tool, done: tuple[str, ...] = (), **offer: Any) -> list[Any]:
    calls = choose_calls(Offer(tools, **offer), written(answer), done)
    return [(call.name, json.loads(call.arguments)) for call in calls]


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        ("We refund $27.", [("issue_refund", {"amount": 27})]),
        ("[2 x 9 = 18] You get $18 back.", [("issue_refund", {"amount": 18})]),
        ("Order 4711 is cancelled.", [("cancel_order", {"order_id": 4711})]),
        ("A person will call you back.", [("call_back", {})]),
        (
            "Order 4711 is cancelled. We refund $27.",
            [("cancel_order", {"order_id": 4711}), ("issue_refund", {"amount": 27})],
        ),
        # Neither an order that is named nor a number that would fit makes a call.
        ("Please wait for order 4711.", []),
        ("You are billed on day 8.", []),
        ("No refund is due.", []),
    ],
)
def test_an_answer_calls_the_tools_it_speaks_of(answer: str, calls: list[Any]) -> None:
    assert called(answer, WEATHER, REFUND, CANCEL, CALL_BACK) == calls
    assert called(answer, WEATHER, REFUND, CANCEL, CALL_BACK, parallel=False) == calls[:1]
    assert called(answer, REFUND, CANCEL, choice="none") == []


@pytest.mark.parametrize(
    ("answer", "tool_name", "arguments"),
    [
        ("[track 4711 dhl] Follow order 4711 with dhl.", "track_order", {"order": 4711}),
        ("[silent 9 > 7] We send order 4711 again.", "resend_order", {"order": 4711}),
        ("Your plan waits for 9 months.", "pause_plan", {"months": 9}),
        ("Your plan ends after this month.", "cancel_plan", {}),
        ("You move to the family plan.", "upgrade", {"plan": "family"}),
        ("A person will call you back.", "escalate_to_person", {}),
    ],
)
def test_tools_are_known_by_what_the_desk_says_for_them(
    answer: str, tool_name: str, arguments: dict[str, Any]
) -> None:
    kinds: dict[str, Any] = {"plan": {"enum": ["basic", "family"]}}
    given = tool(tool_name, **{name: kinds.get(name, WHOLE) for name in arguments})
    assert called(answer, REFUND, given) == [(tool_name, arguments)]
    for other in ("Hello, how can we help?", "Your plan is a plan.", "Order 4711 is planned."):
        assert called(other, REFUND, given) == []


def test_a_reply_takes_what_no_other_tool_does() -> None:
    assert called("We refund $27.", REPLY, REFUND) == [("issue_refund", {"amount": 27})]
    assert called("It arrives on friday.", REPLY, REFUND) == [
        ("send_reply", {"text": "It arrives on friday."})
    ]


def test_a_tool_that_must_be_called_is_filled_or_refused() -> None:
    day = "You are billed on day 8."
    assert called(day, REFUND, REPLY, choice="required") == [("send_reply", {"text": day})]
    assert called(day, WEATHER, choice="required") == [("get_weather", {"city": day})]
    assert called(day, tool("f", n=WHOLE), choice="required") == [("f", {"n": 8})]
    assert called("We refund $27.", REFUND, REPLY, named="send_reply") == [
        ("send_reply", {"text": "We refund $27."})
    ]
    for offer in ({"choice": "required"}, {"named": "issue_refund"}):
        with pytest.raises(UnfilledError):
            called(day, REFUND, CANCEL, **offer)


def test_a_tool_that_has_answered_is_not_called_again() -> None:
    result = "$27 is on its way."
    assert called(result, REFUND, REPLY, done=("issue_refund",)) == []
    assert (
        called(
            "We refund $27. Order 4711 is cancelled.", REFUND, CANCEL, REPLY, done=("issue_refund",)
        )
        == []
    )
    assert called(
        "We refund $27. Order 4711 is cancelled.",
        REFUND,
        CANCEL,
        REPLY,
        done=("issue_refund",),
        parallel=False,
    ) == [("cancel_order", {"order_id": 4711})]
    assert (
        called(
            result,
            REFUND,
            CANCEL,
            REPLY,
            done=("issue_refund",),
            parallel=False,
        )
        == []
    )
    assert called(result, REFUND, REPLY, done=("issue_refund",), choice="required") == [
        ("send_reply", {"text": result})
    ]
    assert called(result, REFUND, done=("issue_refund",), choice="required") == [
        ("issue_refund", {"amount": 27})
    ]


def test_certainty_of_a_value_is_that_of_all_its_words() -> None:
    (token,) = (
        token
        for token in fill({"enum": ["no refund", "send"]}, written("No refund is due."))
        if not token.forced
    )
    assert math.isclose(token.logprob, 0 - 0.1)
