"""A decision says whether its answer was handed off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; of what is there already nothing was handed off."""
    op.add_column("decisions", sa.Column("handoff", sa.Boolean))
