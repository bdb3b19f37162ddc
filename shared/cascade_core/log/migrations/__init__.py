"""Steps from one form of a log's database to the next, run by Alembic; see `log.database`."""
