"""Makes a policy's rules ready for the tiers of one cascade."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cascade_core.errors import ConfigurationError
from cascade_core.invalid import spell
from cascade_core.policy.document import Policy
from cascade_core.policy.file import place_in
from cascade_core.policy.matching import Rulebook
from cascade_core.policy.misfits import misfits
from cascade_core.tier import Tier


def make_rulebook(document: Policy, tiers: Sequence[Tier], file: Path | None) -> Rulebook | None:
    """Return a policy's rules, ready to be asked; None where it has none.

    Args:
        document: The policy.
        tiers: The cascade's.
        file: The file that the policy was read from, if any.

    Raises:
        ConfigurationError: A rule is for other tiers, or asks for what is not installed.
    """
    if not document.rules:
        return None
    for misfit in misfits(document.rules, len(tiers)):
        where = "policy" if file is None else f"policy {file}{place_in(file, misfit.path)}"
        raise ConfigurationError(f"{where}: {spell(misfit.path)}: {misfit}")
    return Rulebook(document.rules, len(tiers), tiers[0].model)
