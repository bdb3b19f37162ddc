"""The first form: decisions, what became known of them, and policies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("cascade", "framework", "thread", "class")),
        *(sa.Column(name, sa.Text) for name in ("policy", "policy_version", "rule")),
        sa.Column("tier", sa.Integer),
        *(sa.Column(name, sa.Text) for name in ("model", "reason")),
        *(sa.Column(name, sa.Boolean) for name in ("accepted", "calibrated")),
        *(sa.Column(name, sa.Double) for name in ("confidence", "threshold")),
        *(sa.Column(name, sa.Double) for name in ("cost_usd", "strong_cost_usd")),
        sa.Column("strong_cost_is_estimate", sa.Boolean),
        sa.Column("latency_ms", sa.Double),
        *(sa.Column(name, sa.BigInteger) for name in ("input_tokens", "output_tokens")),
        *(sa.Column(name, sa.Text) for name in ("digest", "tags")),
        *(sa.Column(name, sa.Integer) for name in ("calls", "failed_calls")),
        sa.Column("audit_probability", sa.Double),
        sa.Column("audit_picked", sa.Boolean),
    )
    op.create_index("decisions_at", "decisions", ["at"])
    op.create_table(
        "details",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("request", sa.Text),
        sa.Column("response", sa.Text),
    )
    op.create_table(
        "audits",
        *_of_an_event(),
        sa.Column("status", sa.Text),
        sa.Column("probability", sa.Double),
        *(sa.Column(name, sa.Text) for name in ("compare", "why")),
        *(sa.Column(name, sa.Double) for name in ("quality", "strong_quality", "harm")),
        *(sa.Column(name, sa.Double) for name in ("strong_cost_usd", "cost_usd")),
        sa.Column("event", sa.Text, nullable=False),
    )
    op.create_table(
        "feedback",
        *_of_an_event(),
        sa.Column("quality", sa.Double),
        *(sa.Column(name, sa.Text) for name in ("by", "corrected")),
    )
    for table in ("audits", "feedback"):
        op.create_index(f"{table}_decision", table, ["decision"])
        op.create_index(f"{table}_at", table, ["at"])
    op.create_table(
        "policies",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text),
        sa.Column("document", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("fingerprint", "note")),
        sa.Column("saved_at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "activations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _of_an_event() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
