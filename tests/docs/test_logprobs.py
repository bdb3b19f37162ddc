"""The page for models without logprobs names every integration that hands none on."""

from __future__ import annotations

import re

import pytest

from cascade_core.integrations.classes import LANGCHAIN, LLAMAINDEX, Known
from tests.docs.running import ROOT

PAGE = ROOT / "docs" / "how-to" / "anthropic.md"


@pytest.mark.parametrize(("column", "table"), [(2, LANGCHAIN), (3, LLAMAINDEX)])
def test_the_page_tells_who_hands_on_none(column: int, table: Known) -> None:
    (row,) = re.findall(r"^\| never \|.*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", row.split("|")[column]))
    never = {name for name, known in table.items() if known.logprobs == "never"}
    # "on Bedrock and Vertex too" stands beside it.
    assert named == never - {"ChatAnthropicBedrock", "ChatAnthropicVertex"}
