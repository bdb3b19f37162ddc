"""What people and models wrote is shown as text, whatever it holds."""

from __future__ import annotations

from math import nan

import pytest

from cascade_core.review.charts import MOST_ROWS, Chart, Series
from cascade_core.review.texts import as_text, environment

MACROS = "{% import 'macros.html.jinja' as m %}"
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover=alert(1) '",
    "ansi": "\x1b[2J\x1b]0;title\x07",
    "direction": "\u202eevil\u2066",
    "nothing": "a\x00b",
    "half": "a\ud83d",
    "template": "{{ 7 * 7 }}{% raw %}",
}


def rendered(template: str, **context: object) -> str:
    return environment().from_string(MACROS + template).render(**context)


EVERYWHERE = """
{{ text }}
{{ m.card(text, text, interval=(text, text), note=text) }}
{{ m.badge(text, "warn") }}{{ m.banner(text, "bad") }}{{ m.said(text) }}
{{ m.head(text, sort="/?a=b") }}{{ m.field(text, "name", value=text, hint=text) }}
{{ m.subnav(text, [(text, "/", true)]) }}
{% call m.table(text) %}<tr><td>{{ text }}</td></tr>{% endcall %}
{% call m.panel(text, id="p") %}{{ text }}{% endcall %}{% call m.why(text) %}{{ text }}{% endcall %}
{{ m.chart(chart) }}
"""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_is_only_ever_a_text(text: str) -> None:
    chart = Chart(
        "c", text, [0], text, [Series(text, [1.0])], text, marks=[(0, text)], categories=[text]
    )
    html = rendered(EVERYWHERE, text=text, chart=chart)
    html.encode()  # no half of a character is left
    assert "<script" not in html
    assert '" onmouseover' not in html
    assert not {"\x1b", "\x00", "\x07", "\u202e", "\u2066"} & set(html)
    assert "49" not in html
    assert " style=" not in html


def test_what_steers_is_written_out_and_the_rest_stays() -> None:
    assert as_text("a\x1b[0m\x00\u202e\ud800") == "a\\x1b[0m\\x00\\u202e\\ud800"
    assert as_text("two\r\nlines\tand 🙂 ü") == "two\nlines\tand 🙂 ü"
    assert as_text(None) is None


@pytest.mark.parametrize(
    ("filtered", "shown"),
    [
        ("x | share", "50.0 %"),
        ("x | usd", "$0.5000"),
        ("x | score", "0.500"),
        ("x | count", "0"),
        ("x | ms", "0.5 ms"),
        ("x | moment", "1970-01-01 00:00"),
    ],
)
def test_numbers_are_written_as_reports_print_them(filtered: str, shown: str) -> None:
    assert rendered(f"{{{{ {filtered} }}}}", x=0.5) == shown
    assert rendered(f"{{{{ {filtered} }}}}", x=None) == "–"
    assert rendered(f"{{{{ {filtered} }}}}", x=nan) == "–"


def test_a_chart_comes_with_a_table_of_its_numbers() -> None:
    series = [
        Series("quality", [0.5, None], low=[0.25, nan], high=[0.75, None]),
        Series("share", [0.1, 0.2]),
    ]
    chart = Chart("c", "What", [0.0001, 2.0], "cost", series, "of all", "usd", "percent")
    assert chart.columns == ["cost", "quality", "quality, low", "quality, high", "share"]
    assert chart.rows == [
        ["$0.000100", "50.0 %", "25.0 %", "75.0 %", "10.0 %"],
        ["$2.0000", "–", "–", "–", "20.0 %"],
    ]
    assert chart.left_out == 0
    assert "are left out" not in rendered("{{ m.chart(chart) }}", chart=chart)


def test_a_long_table_is_thinned_and_says_so() -> None:
    n = 100_000
    chart = Chart("c", "What", range(n), "x", [Series("y", range(n))], "y")
    rows = chart.rows
    assert len(rows) == MOST_ROWS
    assert [rows[0][1], rows[-1][1]] == ["0", "99,999"]
    assert chart.left_out == n - MOST_ROWS
    assert "99,800 of 100,000 rows are left out" in rendered("{{ m.chart(chart) }}", chart=chart)
