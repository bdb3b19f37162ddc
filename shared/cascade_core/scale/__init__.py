"""Millions of rows on Ray: what one machine and `cascade collect` take too long for.

Read in this order: `rows` (what a row is), `parts` (the folder that survives a kill), `answering`
(what is done with a row), `spread` (Ray). Nothing here decides: a row is asked as any caller asks.
"""

from typing import TYPE_CHECKING

from cascade_core.lazy import on_use, shown_before_use

if TYPE_CHECKING:
    from cascade_core.scale.answering import answer_rows as answer_rows
    from cascade_core.scale.spread import Spent as Spent

__all__ = ["Spent", "answer_rows"]

__getattr__ = on_use(__name__, {"answer_rows": ".answering", "Spent": ".spread"}, extra="ray")
__dir__ = shown_before_use(__name__)
