"""What a provider says of an answer is read through every real integration: its end, its tokens."""

from __future__ import annotations

import pytest

from cascade_core.integrations.finish import once
from tests.integrations.classes import CLASSES, Class
from tests.integrations.conftest import Ask
from tests.integrations.wire import GIVEN, REASONING, WRITTEN, Ending, Wire

pytestmark = pytest.mark.filterwarnings("ignore")

every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in CLASSES if c.installed])
ENDS = {
    "good": ("confident", ["whole", "awhole", "stream", "astream"]),
    "cut": ("gate_truncated", ["whole", "awhole", "stream", "astream"]),
    "filtered": ("gate_refusal", ["whole", "stream"]),
    "odd": ("gate_truncated", ["whole", "stream"]),
}
"""What becomes of a draft by its end, and the ways in which that is tried."""
EACH = [(end, how) for end, (_, ways) in ENDS.items() for how in ways]


def skip_hidden(cls: Class, what: str, how: str) -> None:
    reason = cls.hides.get(f"{what} {how}") or cls.hides.get(f" {how}")
    if reason is not None:
        pytest.skip(reason)


def expected(cls: Class, end: str, how: str) -> str:
    if {end, f"{end} {how}"} & set(cls.raises):
        return "failed"
    return ENDS[end][0] if end in ENDS else "gate_truncated"


@pytest.mark.parametrize("name", [c.id for c in CLASSES if not c.installed])
def test_an_integration_is_tried_where_it_is_installed(name: str) -> None:
    pytest.skip(f"{name} is not installed")


@every
@pytest.mark.parametrize(("end", "how"), EACH)
async def test_an_end_is_what_its_provider_says(
    cls: Class, how: str, end: str, wire: Wire, ask: Ask
) -> None:
    word = getattr(cls.words, end)
    if word is None:
        pytest.skip("its provider has no word for that")
    skip_hidden(cls, end, how)
    wire.ending = Ending(word)
    assert (await ask(cls, how)).reason == expected(cls, end, how)


@every
@pytest.mark.parametrize("end", ["good", "cut"])
async def test_an_end_that_is_told_twice_is_the_same_end(
    cls: Class, end: str, wire: Wire, ask: Ask
) -> None:
    wire.ending = Ending(getattr(cls.words, end), twice=True)
    draft = await ask(cls, "stream")
    assert draft.reason == expected(cls, end, "stream")
    assert draft.model is not None
    assert draft.model == once(draft.model)


@every
@pytest.mark.parametrize("how", ["stream", "astream"])
async def test_a_stream_that_ends_without_a_word_was_cut_off(
    cls: Class, how: str, wire: Wire, ask: Ask
) -> None:
    if cls.whole:
        pytest.skip("its drafts are not streamed")
    skip_hidden(cls, "none", how)
    wire.ending = Ending(None)
    assert (await ask(cls, how)).reason == expected(cls, "none", how)


@every
@pytest.mark.parametrize("how", ["whole", "stream"])
async def test_tokens_are_those_that_the_provider_reports(
    cls: Class, how: str, wire: Wire, ask: Ask
) -> None:
    skip_hidden(cls, "usage", how)
    wire.ending = Ending(cls.words.good)
    draft = await ask(cls, how)
    assert draft.source == "provider"
    assert draft.usage["input_tokens"] == GIVEN
    assert draft.usage["output_tokens"] == WRITTEN + (REASONING if cls.apart else 0)
    hidden = REASONING if cls.reasoning and how in cls.parts else 0
    assert draft.usage.get("reasoning_tokens", 0) == hidden
