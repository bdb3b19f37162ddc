"""`cascade tune`: a labelled table becomes a policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.visible import visible

_WEIGHED: dict[str, Literal["auto"] | bool] = {"auto": "auto", "always": True, "never": False}


def tune(  # noqa: PLR0913 - the command's options
    table: Annotated[
        str,
        typer.Argument(help="Labelled table: .csv, .jsonl, .parquet; or a log, by file or URL."),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Where the policy goes, as JSON; needed but for --suggest.")
    ] = None,
    suggest: Annotated[
        bool,
        typer.Option(
            "--suggest",
            help="Say which signals of the table are worth their price, and write nothing.",
        ),
    ] = False,
    quality: Annotated[
        float | None,
        typer.Option(help="Cheapest at this share of the last tier's quality, e.g. 0.98."),
    ] = None,
    harm: Annotated[
        float | None,
        typer.Option(help="Cheapest that loses at most this much quality per request, e.g. 0.02."),
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Best quality at this many USD per request.")
    ] = None,
    max_escalated: Annotated[
        float | None, typer.Option(help="Best quality with this share escalated.")
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(help="Promise it: how sure to be, e.g. 0.95 (always with --harm)."),
    ] = None,
    answered: Annotated[
        float | None,
        typer.Option(help="Give the last tier a threshold that answers this share, e.g. 0.95."),
    ] = None,
    answered_error: Annotated[
        float | None,
        typer.Option(help="Promise that the answered ones are wrong at most this often."),
    ] = None,
    signals: Annotated[
        str | None, typer.Option(help="Signals to use, with commas between; all by default.")
    ] = None,
    method: Annotated[
        Literal["auto", "signal", "logistic", "boosting"],
        typer.Option(help="How readings are combined."),
    ] = "auto",
    per_class: Annotated[
        bool | None,
        typer.Option(
            "--per-class/--one-for-all",
            help="Thresholds, and promises, for each class. Default: thresholds where they pay.",
        ),
    ] = None,
    skip: Annotated[bool, typer.Option(help="Learn which requests had better skip a tier.")] = True,
    benefit: Annotated[
        Literal["auto", "always", "never"],
        typer.Option(
            help="Thresholds go by what asking on would gain, too: where that serves better "
            "(never for --harm), always, or never."
        ),
    ] = "auto",
    commit: Annotated[
        bool,
        typer.Option(
            "--commit",
            help="Let streams be accepted by their first tokens, tested as one promise, without a "
            "benefit. The table needs the column t0_trajectory.",
        ),
    ] = False,
    policy: Annotated[
        str | None,
        typer.Option(
            help="Keep this policy's calibrators; all rows pick thresholds. A file, or a log's URL "
            "for its active one."
        ),
    ] = None,
    rules: Annotated[
        str | None,
        typer.Option(
            help="Take the rules of this policy along: a file, or a log's URL for its active one. "
            "Default: those of --policy, else of the log's active policy."
        ),
    ] = None,
    no_rules: Annotated[
        bool, typer.Option("--no-rules", help="Write a policy without rules.")
    ] = False,
    heaviest: Annotated[
        float | None,
        typer.Option(
            help="Most that a row, or a group of rows, can weigh; promises rest on it. "
            "Default: the most that one weighs in the table."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The policy's name in records; --out's by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random splits.")] = 0,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write a cascade even where the last tier alone costs less."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Turn labelled requests into a policy: calibrated confidences and thresholds.

    Ask for one of --quality, --harm, --max-cost, --max-escalated. With --confidence (and always
    with --harm) the rows are split, and what is promised is tested on rows that nothing was fitted
    to; where they cannot carry the promise, nothing is written and the exit status is 2. Nor is
    a cascade written where always asking one later tier serves better, unless --force is given. A
    policy that --out replaces is kept beside it as OUT.bak. Rules are not tuned: they are carried
    over from an earlier policy, and what is promised was tested without them.

    With --suggest no policy is written: it is said of each signal in the table what it costs per
    request, what it gains and up to which price; without a goal, at 0.98 of the last tier's
    quality.

    Example: cascade tune labels.csv --harm 0.02 --confidence 0.95 --out policy.json
    """
    from cascade_core.calibration.tuning import tune as make_policy
    from cascade_core.commands.carried import carried_rules, lost_rules
    from cascade_core.commands.checks import check_writable, keep_before
    from cascade_core.commands.logs import read_labels
    from cascade_core.commands.suggested import print_suggested, written_to
    from cascade_core.log.policies import load_policy
    from cascade_core.report.tuned import print_policy, tuning_bar

    if suggest:
        asked = {
            "quality": quality,
            "harm": harm,
            "max_cost": max_cost,
            "max_escalated": max_escalated,
            "confidence": confidence,
            "method": method,
            "seed": seed,
        }
        passed_over = {
            "--out": out,
            "--signals": signals,
            "--policy": policy,
            "--answered": answered,
            "--answered-error": answered_error,
            "--rules": rules,
            "--heaviest": heaviest,
            "--per-class": per_class,
            "--name": name,
            "--benefit": None if benefit == "auto" else benefit,
            "--commit": commit or None,
            "--no-skip": not skip or None,
            "--no-rules": no_rules or None,
            "--force": force or None,
        }
        needless = {option: value for option, value in passed_over.items() if value is not None}
        print_suggested(table, asked, needless, as_json=as_json)
        return
    out = written_to(out)
    check_writable(out, table=table)
    if out.suffix != ".json":
        msg = f"{out}: a policy is written as JSON; name a file that ends in .json"
        raise ConfigurationError(msg)
    chosen = signals is not None or method != "auto" or benefit != "auto"
    if policy is not None and chosen:
        msg = (
            "--signals, --method and --benefit have no use beside --policy, whose calibrators "
            "are kept"
        )
        raise ConfigurationError(msg)
    names = None if signals is None else [s.strip() for s in signals.split(",") if s.strip()]
    if names == []:
        msg = "--signals is empty: name some, or leave it out to use all in the table"
        raise ConfigurationError(msg)
    carried = carried_rules(table, policy=policy, rules=rules, leave_out=no_rules)
    with tuning_bar(quiet=as_json) as advance:
        labels = read_labels(table)
        carried.fit(len(labels.tiers))
        made = make_policy(
            labels,
            quality=quality,
            harm=harm,
            max_cost=max_cost,
            max_escalated=max_escalated,
            confidence=confidence,
            answered=answered,
            answered_error=answered_error,
            signals=names,
            method=method,
            per_class=per_class,
            skip=skip,
            benefit=_WEIGHED[benefit],
            commit=commit,
            policy=None if policy is None else load_policy(policy).policy,
            heaviest=heaviest,
            name=name or out.stem,
            seed=seed,
            force=force,
            advance=advance,
        )
    made = carried.into(made)
    lost = None if made.rules or no_rules else lost_rules(out)
    before = keep_before(out)
    made.save(out)
    if lost is not None:
        typer.echo(f"cascade: {visible(lost)}", err=True)
    assert made.tuned is not None  # noqa: S101 - it has just been
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "policy": str(out),
                    "replaced": None if before is None else str(before),
                    "thresholds": made.thresholds,
                    "classes": {c: rule.thresholds for c, rule in made.classes.items()},
                    "rules": [rule.name for rule in made.rules],
                    "promises": [p.model_dump() for p in made.promises],
                    **made.tuned.figures.model_dump(),
                },
                indent=2,
            )
        )
    else:
        print_policy(made, out, before=before, rules=carried.said())
