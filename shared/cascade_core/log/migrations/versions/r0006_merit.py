"""A decision says what was held against the threshold, where that is more than the confidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns; before there was a merit, the confidence stood for it."""
    op.add_column("decisions", sa.Column("benefit", sa.Double))
    op.add_column("decisions", sa.Column("merit", sa.Double))
