"""The watch of a cascade that learns in service, where every audit counts the same."""

from __future__ import annotations

from dataclasses import replace

from cascade_core.labels import Table
from cascade_core.log.watch_store import WatchState
from cascade_core.watch.passes import LogWatch


class LearnedWatch(LogWatch):
    """A watch over audits that were picked more often as long as nothing was known.

    How often depends on the time alone, and not on what was asked. Weighed by it, an audit of the
    time in service would count as much as twenty from before; whatever had been shown until then
    would be undone by the first one. So what is promised is the mean harm over the audits.
    """

    def _rows(self, before: WatchState) -> tuple[Table, list[str]]:
        table, fresh = super()._rows(before)
        return replace(table, weights=None), fresh
