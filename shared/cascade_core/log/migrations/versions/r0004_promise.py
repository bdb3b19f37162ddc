"""A decision says whether a promise is void for its answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column, and fill it from the records: they may say so already."""
    op.add_column("decisions", sa.Column("promise", sa.Text))
    decisions = sa.table("decisions", *map(sa.column, ("id", "reason", "promise")))
    details = sa.table("details", *map(sa.column, ("id", "record")))
    void = sa.select(details.c.id).where(details.c.record.contains('"promise":"void"'))
    op.execute(
        decisions.update()
        .where(decisions.c.reason.in_(("budget", "best_draft")), decisions.c.id.in_(void))
        .values(promise="void")
    )
