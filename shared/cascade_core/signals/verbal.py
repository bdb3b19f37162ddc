"""Ask the model how sure it is.

Tian et al., "Just Ask for Calibration: Strategies for Eliciting Calibrated
Confidence Scores from Language Models Fine-Tuned with Human Feedback" (EMNLP
2023), in the form that asks in a second turn. Reading the number out of the
reply is here; calibrating it is not.
"""

from __future__ import annotations

import re

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts, Note, Steps
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request, Turn
from cascade_core.signals.agreement import written
from cascade_core.signals.asking import why_unanswered
from cascade_core.signals.base import BaseSignal
from cascade_core.signals.readings import Reading
from cascade_core.spoken import spoken
from cascade_core.tier import Tier

QUESTION = (
    "How likely is it that your last answer is correct and complete? Do not answer the "
    "request again. Reply with one whole number from 0 (certainly wrong) to 100 (certainly "
    "right) and nothing else."
)

_PART = 2_000
"""How many characters of a reply are read at its beginning and at its end."""
_NEARBY = 40  # characters before a number in which a label or a denial belongs to it
_STATED = re.compile(
    r"(?<![\w.,/-])(?P<sign>-?)(?P<number>\d+(?:[.,]\d+)?)"
    r"(?:\s*(?P<percent>%|per\s?cent\b)|\s*(?:/|out of)\s*(?P<whole>100?)(?!\w|[.,]\d))?"
    r"(?![\w/]|[.,]\d|-\d)",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[1-9]\d*,\d{3}")
_DENIED = re.compile(r"(?:\bnot|n['’]t|\bnever)(?:\s+(?!but\b)\w+){0,3}\s*$", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"\s*\?|\s+(?:is|would be|seems)\s+(?:\w+\s+)?(?:too|not|wrong|n['’]t)\b", re.IGNORECASE
)
_LABEL = re.compile(
    r"\b(?:probability|confidence|likelihood|certainty|chance)\b[^\w.]*(?:is|of)?[^\w-]*$",
    re.IGNORECASE,
)


@names_checked
class Verbalized(BaseSignal):
    """The probability the tier itself states for its draft.

    Paid: one short call of the draft's own tier, in which the conversation is
    written out again with the draft as the model's last turn. It therefore
    needs a tier that takes a conversation: a chat model, not a chain.

    Stated probabilities crowd near the top: models tend to overconfidence and
    round to 80, 90, 95. They can still order answers well; fit a calibrator
    before reading one as a probability.

    Args:
        name: The signal's name in records and policies.
    """

    paid = True

    def __init__(self, *, name: str = "verbalized") -> None:
        self.name = name

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Ask the tier how sure it is; no reading where it states no probability."""
        said = Turn("assistant", written(draft.text, draft.tool_calls))
        turns = (*map(_as_text, request.turns), said, Turn("user", QUESTION))
        reply = yield Ask(tier, Request(turns), purpose="verbalize")
        if isinstance(reply, Drafts) and reply.drafts:
            reading = stated_probability(reply.drafts[0].text)
            problem = "stated no probability"
        else:
            reading = None
            why = why_unanswered(reply)
            problem = f"did not answer{why}"
        if reading is None:
            yield Note(
                f"signal:{self.name}:{tier.index}",
                f"signal {self.name!r}: {tier.label} {problem} when asked how sure it is; "
                "that counts as no reading",
            )
        return reading


def _as_text(turn: Turn) -> Turn:
    """Write tool calls and results as text: providers take them only with ids and tools."""
    if turn.role == "tool":
        return Turn("user", f"Tool result:\n{turn.text}")
    return Turn(turn.role, written(turn.text, turn.tool_calls)) if turn.tool_calls else turn


def stated_probability(text: str) -> float | None:
    """Read a probability out of a model's reply.

    Understood are 85, 85%, 85/100, 8.5/10 and 0.85, alone or in a sentence. A
    plain number counts in percent, unless it has decimals and is at most 1:
    "1" is 1 %, "1.0" is certainty. Denied numbers ("not 100 %") are skipped.

    Args:
        text: The reply.

    Returns:
        A probability in [0, 1]; None where none is stated, several differ and
        none is labelled as the probability, or it is out of range.
    """
    text = spoken(text)
    if len(text) > 2 * _PART:  # asked for one number, it says something else in between
        text = f"{text[:_PART]}\n{text[-_PART:]}"
    text = re.sub(r"[\u2010-\u2013\u2212]", "-", text)
    found = [
        m
        for m in _STATED.finditer(text)
        if not (_DENIED.search(_before(text, m)) or _TAKEN_BACK.match(text, m.end()))
    ]
    labelled = [m for m in found if _LABEL.search(_before(text, m))]
    scaled = [m for m in found if m["percent"] or m["whole"]]
    values = {_probability(match) for match in labelled or scaled or found}
    if len(values) != 1 or None in values:
        return None
    return values.pop()


def _before(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - _NEARBY) : match.start()]


def _probability(match: re.Match[str]) -> float | None:
    digits = match["number"].replace(",", ".")
    decimals = digits.partition(".")[2]
    if match["sign"] or _THOUSANDS.fullmatch(match["number"]):
        return None
    value = float(digits)
    if match["whole"]:
        value /= float(match["whole"])
    elif match["percent"] or not (decimals and value <= 1):
        value /= 100
    return value if value <= 1 else None
