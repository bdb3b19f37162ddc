"""The page on telemetry names what is sent, and nothing else."""

from __future__ import annotations

import re
import runpy
from typing import get_args

from cascade_core.call import Purpose
from cascade_core.loop.outcomes import RequestOutcome
from cascade_core.loop.run_metadata import CALL, DECISION
from cascade_core.telemetry import names
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "how-to" / "telemetry.md").read_text("utf-8")


def test_every_name_in_metadata_is_on_the_page_and_no_other() -> None:
    served = set(re.findall(r"^\| `[\w.]+` \| `(cascade_\w+)` \|", PAGE, re.MULTILINE))
    served |= {name.replace(".", "_") for name in (names.CASCADE, names.PART)}
    written = set(re.findall(r"`(cascade_\w+)`", PAGE)) - served
    assert written == {*DECISION, *CALL, "cascade_tags"}


def test_every_outcome_and_purpose_is_on_the_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)
    assert set(get_args(RequestOutcome)) <= set(rows)
    assert {purpose for purpose in get_args(Purpose) if f"`{purpose}`" in PAGE} == set(
        get_args(Purpose)
    )


def test_every_metric_has_its_row() -> None:
    exposed = runpy.run_path(str(ROOT / "docs" / "telemetry" / "dashboard.py"))["exposed"]
    for name, (_, _, what) in names.METRICS.items():
        assert f"| `{name}` | `{exposed(name)}` | {what} |" in PAGE.splitlines()


def test_every_name_of_spans_and_attributes_is_on_the_page_and_no_other() -> None:
    known = {
        value
        for name, value in vars(names).items()
        if name.isupper() and isinstance(value, str) and re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", value)
    }
    written = set(re.findall(r"`((?:cascade|gen_ai|error)\.[\w.]+)`", PAGE))
    assert written == known | set(names.METRICS)
    assert names.SCHEMA_URL.rpartition("/")[2] in PAGE
