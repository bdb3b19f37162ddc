"""The page on telemetry names what is sent, and nothing else."""

from __future__ import annotations

import re
from typing import get_args

from cascade_core.call import Purpose
from cascade_core.loop.outcomes import RequestOutcome
from cascade_core.loop.run_metadata import CALL, DECISION
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "telemetry.md").read_text("utf-8")


def test_every_name_in_metadata_is_on_the_page_and_no_other() -> None:
    written = set(re.findall(r"`(cascade_\w+)`", PAGE))
    assert written == {*DECISION, *CALL, "cascade_tags"}


def test_every_outcome_and_purpose_is_on_the_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)
    assert set(get_args(RequestOutcome)) <= set(rows)
    assert {purpose for purpose in get_args(Purpose) if f"`{purpose}`" in PAGE} == set(
        get_args(Purpose)
    )
