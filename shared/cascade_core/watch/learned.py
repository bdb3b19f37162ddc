"""The watch of a cascade that learns in service: times count by how often they were audited."""

from __future__ import annotations

from typing import ClassVar

from cascade_core.watch.passes import LogWatch


class LearnedWatch(LogWatch):
    """A watch over audits that were picked more often as long as nothing was known.

    Weighed by that, an audit of the time in service would count as much as twenty from before;
    whatever had been shown until then would be undone by the first one. So an audit weighs by how
    much less likely than others of its time it was picked, for what a rule said or because of what
    was left to spend: requests of one time count the same, however they were picked.
    """

    weighs_by_time: ClassVar[bool] = True
