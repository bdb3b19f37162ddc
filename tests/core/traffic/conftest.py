"""The command line runs in this process, as for the other commands."""

from tests.core.commands.conftest import cascade

__all__ = ["cascade"]
