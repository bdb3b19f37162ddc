"""Copies of a cascade of engines, in this process; for another there are none."""

from __future__ import annotations

from pickle import PicklingError
from typing import Any, NoReturn, Self


class SharingCopies:
    """The part of an engine that copies it.

    A copy, deep or not, has the same tiers and what was learned about them:
    they hold connections and indexes, which have no copies.
    """

    def __copy__(self) -> Self:
        """Return an engine with the same tiers."""
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return an engine with the same tiers."""
        return self.__copy__()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: LlamaIndex's engines would come back without parts of theirs.

        Raises:
            PicklingError: Always.
        """
        name = type(self).__name__
        msg = (
            f"a {name} cannot be pickled, for its tiers would lose parts; make it where it is used"
        )
        raise PicklingError(msg)
