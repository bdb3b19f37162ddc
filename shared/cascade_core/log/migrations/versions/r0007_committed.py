"""A decision says whether its answer was accepted by its first tokens, and what came of that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; what is there already keeps it in its record alone."""
    op.add_column("decisions", sa.Column("committed", sa.Text))
