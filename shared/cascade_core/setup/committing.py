"""Makes a policy's rules of accepting drafts by their first tokens ready, where they are wanted."""

from __future__ import annotations

from cascade_core.errors import ConfigurationError
from cascade_core.fitted.commitment import ReadyRule
from cascade_core.policy.document import Policy


def read_commits(
    document: Policy, streaming_policy: str | None, tiers: int
) -> tuple[ReadyRule | None, ...]:
    """Return one rule for every tier but the last; none at all where no draft is committed to.

    Args:
        document: The policy.
        streaming_policy: What the cascade does with streams.
        tiers: How many tiers there are.

    Raises:
        ConfigurationError: The rules are wanted and not there, or are for other tiers.
    """
    if streaming_policy != "commit":
        return ()
    if document.commit is None:
        msg = (
            "streaming_policy='commit' accepts drafts by their first tokens, and only a rule that "
            "was fitted and tested can tell which: give a policy that has one (cascade tune TABLE "
            "--harm 0.02 --commit), or leave it at 'abort'"
        )
        raise ConfigurationError(msg)
    if len(document.commit) != tiers - 1:
        msg = (
            f"the policy's commit has rules for {len(document.commit) + 1} tiers, and there are "
            f"{tiers}: it needs one for every tier but the last"
        )
        raise ConfigurationError(msg)
    return tuple(ReadyRule(rule) if rule.checkpoints else None for rule in document.commit)
