"""What cascades of synthesizers and of query engines share: how they are shown and copied."""

from __future__ import annotations

from pickle import PicklingError
from typing import Any, NoReturn, Self

from llamaindex_cascade.asking.engine import LLMEngine


class PipelineCascade:
    """A cascade of pipelines.

    A copy, deep or not, has the same tiers and what was learned about them:
    they hold connections and indexes, which have no copies.
    """

    _engine: LLMEngine

    def __repr__(self) -> str:
        """Say how many tiers there are and their thresholds."""
        plan = self._engine.plan
        return f"{type(self).__name__}({len(plan.tiers)} tiers, thresholds={list(plan.thresholds)})"

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
