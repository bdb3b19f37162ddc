"""The demo's tickets with both models' answers: what the pictures with figures are drawn from.

They are asked for over HTTP, as `cascade demo --labels` does it, and kept in `build/pictures`,
or in the folder that `PICTURES_KEPT` names, so that a picture is drawn again without asking anew.
"""

from __future__ import annotations

import os
from contextlib import closing
from itertools import islice
from pathlib import Path

from cascade_core.labels import Table, read_table
from cascade_demo.asking import open_asking
from cascade_demo.desk import endless_tickets
from cascade_demo.labels import Labels

KEPT = Path(os.environ.get("PICTURES_KEPT", Path(__file__).parents[2] / "build" / "pictures"))


def labelled_tickets(n: int) -> Table:
    """Return `n` tickets, answered by both models and graded.

    Args:
        n: How many; the same ones each time.
    """
    path = KEPT / f"tickets-{n}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_asking("langchain", None, None) as asking:
            labels = Labels(asking.models, asking.price_table)
            with closing(endless_tickets("tune")) as stream:
                for ticket in islice(stream, n):
                    labels.add(ticket, *asking.drafts(ticket.text))
        # Its name is its own only once it is whole.
        unfinished = path.with_name(f"unfinished-{os.getpid()}.csv")
        labels.write(unfinished)
        unfinished.replace(path)
    return read_table(path)
