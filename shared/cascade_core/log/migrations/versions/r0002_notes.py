"""Feedback has a note; an audit's answers have a place of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to each; what is there already has nothing in it."""
    op.add_column("feedback", sa.Column("note", sa.Text))
    op.add_column("audits", sa.Column("responses", sa.Text))
