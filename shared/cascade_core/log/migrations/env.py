"""What Alembic runs: the steps that a database lacks, in the transaction of whoever opened it."""

from __future__ import annotations

from alembic import context

from cascade_core.log.schema import metadata

if hasattr(context, "config"):  # it has one while Alembic runs this
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table=context.config.attributes["version_table"],
    )
    context.run_migrations()
