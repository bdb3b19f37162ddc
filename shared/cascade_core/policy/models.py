"""Whether models are those that a policy was tuned with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cascade_core.costs.names import same_model


def other_models(tuned: Sequence[str | None], tiers: Sequence[Sequence[str]]) -> Iterator[str]:
    """Say which tier is another model than when the policy was tuned.

    A tier without a name says nothing, and neither does a table that does not name its models.

    Args:
        tuned: The tiers' models as the table named them.
        tiers: The names of each tier's model now.
    """
    for place, (given, model) in enumerate(zip(tiers, tuned, strict=False)):
        names = [name for name in given if " " not in name]  # what has blanks describes a model
        if not names or model is None or same_model(names, [model]):
            continue
        moved = [k for k, each in enumerate(tuned) if each and same_model(names, [each])]
        if moved:
            yield (
                f"tier {place} is {names[0]}, which was tier {moved[0]} when the policy was "
                "tuned: its confidences and promises are about other drafts; give the tiers as "
                f"they were tuned ({' → '.join(map(str, tuned))})"
            )
            return
        yield (
            f"tier {place} is {names[0]}, and the policy was tuned with {model}: its thresholds, "
            "confidences and promises say nothing of another model's answers; tune one for it "
            "(cascade collect, cascade tune), or, where both are one model, give the tier the "
            "name in the table"
        )
