"""The policy document, as JSON or TOML: calibrators, thresholds, route, promises, defaults.

A policy is written by hand or by tuning and read by every adapter. It holds no
code and nothing is unpickled from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from cascade_core.errors import ConfigurationError
from cascade_core.files import write_whole
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.commitment import CommitRule
from cascade_core.invalid import first_problem, spell
from cascade_core.policy.evidence import Promise, Tuned
from cascade_core.policy.file import place_in, read_document, what_else
from cascade_core.policy.misfits import check_told_apart, misfits
from cascade_core.policy.route import Route
from cascade_core.policy.rules import Rule
from cascade_core.policy.tier_counts import handoff_in, possible_tiers

OnNoScore = Literal["escalate", "accept"]
OnToolCall = Literal["gates", "escalate"]
OnExhausted = Literal["raise", "best_draft"]
StreamingPolicy = Literal["abort", "buffer", "commit"]
Mode = Literal["serve", "shadow"]

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "on_no_score": get_args(OnNoScore),
    "on_tool_call": get_args(OnToolCall),
    "on_exhausted": get_args(OnExhausted),
    "streaming_policy": get_args(StreamingPolicy),
    "mode": get_args(Mode),
}
"""The settings that are a choice between words."""


def check_setting(name: str, choice: object, besides: Sequence[str] = ()) -> None:
    """Raise `ConfigurationError` where a choice is not one of its setting's; None is open.

    Args:
        name: The setting.
        choice: What was chosen.
        besides: What else a caller could have chosen, who has read that before.
    """
    if name not in SETTINGS:
        msg = f"unknown setting {name!r}; known: {', '.join(SETTINGS)}"
        raise ConfigurationError(msg)
    known = (*SETTINGS[name], *besides)
    if choice is not None and choice not in SETTINGS[name]:
        msg = f"{name}={choice!r}: choose one of {', '.join(map(repr, known))}"
        raise ConfigurationError(msg)


Threshold = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]


class ClassRule(BaseModel):
    """How one class of requests is treated differently.

    Attributes:
        thresholds: One for every tier but the last, in [0, 1]; one more is the last tier's, below
            which an answer is handed off (0 = never). Without it, the policy's holds.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    thresholds: tuple[Threshold, ...]


class Policy(BaseModel):
    """How a cascade decides.

    Attributes:
        version: Version of this format.
        name: How records refer to the policy.
        calibrators: How a draft's confidence is worked out, one for every tier but
            the last, and one for that where its answers are judged; None leaves readings as
            they are.
        commit: When drafts are accepted before they are finished, one for every tier but the last;
            None = never. A cascade does so with `streaming_policy="commit"`.
        thresholds: One for every tier but the last, in [0, 1]; one more is the last tier's, below
            which an answer is handed off (0 = never). None leaves them to the cascade.
        rules: What is done otherwise with some requests; the first that matches decides.
        classes: What differs for requests of a class, by the class's name.
        route: What is known of the tiers before they are asked; None asks every tier.
        defaults: Settings for requests that nothing else decides, by name:
            `on_no_score`, `on_tool_call`, `on_exhausted`, `streaming_policy`, `mode`.
        promises: What was tested to hold on fresh requests.
        tuned: Where the policy came from; None where it was written by hand.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    version: Literal[1] = 1
    name: str | None = None
    calibrators: tuple[Calibrator, ...] | None = None
    commit: tuple[CommitRule, ...] | None = None
    thresholds: tuple[Threshold, ...] | None = None
    rules: tuple[Rule, ...] = ()
    classes: dict[str, ClassRule] = Field(default_factory=dict)
    route: Route | None = None
    defaults: dict[str, str] = Field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    tuned: Tuned | None = None

    @field_validator("defaults")
    @classmethod
    def _known(cls, defaults: dict[str, str]) -> dict[str, str]:
        for name, choice in defaults.items():
            check_setting(name, choice)
        return defaults

    @field_validator("rules")
    @classmethod
    def _told_apart(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        check_told_apart(rules)
        return rules

    @model_validator(mode="after")
    def _of_as_many_tiers(self) -> Self:
        lengths = self._lengths()
        exact = None if self.route is None else len(self.route.stages)
        fits = possible_tiers(lengths.values(), exact) if lengths or exact else None
        calibrated = lengths.pop("calibrators", None)
        longest = max(lengths.values(), default=calibrated)
        # A threshold for the last tier and a calibrator for it go together.
        odd = calibrated is not None and longest != calibrated
        if calibrated is not None:
            lengths["calibrators"] = calibrated
        if fits == () or odd:
            given = {name: length + 1 for name, length in lengths.items()}
            if exact is not None:
                given["route.stages"] = exact
            said = ", ".join(f"{name} for {count} tiers" for name, count in given.items())
            msg = f"its parts are for different numbers of tiers: {said}"
            raise ValueError(msg)
        if self.rules and fits:
            counts = [count for count in fits if count > 1] or fits
            wrong = [list(misfits(self.rules, count)) for count in counts]
            if all(wrong):
                raise wrong[0][0]
        return self

    def _lengths(self) -> dict[str, int]:
        """Return how long the lists are that have an entry for each tier, or each but the last."""
        given = {f"classes.{name}": len(rule.thresholds) for name, rule in self.classes.items()}
        if self.thresholds is not None:
            given["thresholds"] = len(self.thresholds)
        if self.calibrators is not None:
            given["calibrators"] = len(self.calibrators)
        if self.commit is not None:
            given["commit"] = len(self.commit)
        return given

    def fits(self, tiers: int) -> bool:
        """Tell whether it is for so many tiers, or for any number."""
        if self.route is not None and len(self.route.stages) != tiers:
            return False
        return all(length in {tiers - 1, tiers} for length in self._lengths().values())

    @property
    def tiers(self) -> int | None:
        """How many tiers it is for; None where it fits any number.

        Where its lists could have a number for every tier or for every tier but the last, the
        table it was tuned on tells; without one, the last is taken to have none.
        """
        if self.route is not None:
            return len(self.route.stages)
        lengths = self._lengths()
        if self.thresholds is None and self.calibrators is None:
            return None
        found = possible_tiers(lengths.values())
        tuned = None if self.tuned is None else len(self.tuned.models)
        return tuned if tuned in found else found[0]

    def handoff(self, tiers: int, class_name: str | None = None) -> float | None:
        """Return the threshold below which an answer of the last tier is handed off.

        Args:
            tiers: How many tiers there are.
            class_name: The class of the request.

        Returns:
            None where none is.
        """
        own = self.classes.get(class_name or "")
        return handoff_in(tiers, None if own is None else own.thresholds, self.thresholds)

    def weighs(self, tier: int) -> bool:
        """Tell whether a tier's threshold is held against more than the confidence: a merit."""
        given = self.calibrators or ()
        return tier < len(given) and given[tier].weighs

    @property
    def early(self) -> tuple[CommitRule, ...] | None:
        """When a cascade with this policy accepts drafts by their first tokens; None = never."""
        return self.commit if self.defaults.get("streaming_policy") == "commit" else None

    @property
    def signals(self) -> tuple[str, ...] | None:
        """The signals that its calibrators read; None where it has none and any will do."""
        if self.calibrators is None:
            return None
        names = (name for calibrator in self.calibrators for name in calibrator.signals)
        return tuple(dict.fromkeys(names))

    @property
    def fingerprint(self) -> str:
        """A digest of everything that decides; equal for policies that decide alike."""
        beside = {"name", "promises", "tuned", *(() if self.rules else ("rules",))}
        beside |= {"commit"} if self.commit is None else set()
        deciding = self.model_dump_json(exclude=beside)
        return hashlib.sha256(deciding.encode()).hexdigest()[:16]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, checked like those of a policy that is read.

        Args:
            update: What is to differ, by field.
            deep: Whether parts are copied too.

        Raises:
            ConfigurationError: A value does not fit, so what is saved could not be read again.
        """
        copy = super().model_copy(deep=deep)
        given = {name: getattr(copy, name) for name in copy.model_fields_set}
        return self._checked({**given, **update}, "policy") if update else copy

    def save(self, path: str | Path) -> None:
        """Write the policy as JSON; the file is either whole or not there.

        Raises:
            ConfigurationError: It cannot be written, or a rule asks a function, which no file
                holds; the message names the path.
        """
        for rule in self.rules:
            if rule.in_python:
                msg = (
                    f"policy {path} cannot be written: rule {rule.name!r} asks a function, and a "
                    "file holds no code; give it beside what a file can hold, "
                    "as Policy(rules=[...])"
                )
                raise ConfigurationError(msg)
        text = self.model_dump_json(indent=2, exclude_defaults=False, exclude_none=True)
        write_whole(Path(path), text + "\n", source=f"policy {path}")

    @classmethod
    def load(cls, source: Policy | Mapping[str, Any] | str | Path | None) -> Policy:
        """Read a policy.

        Args:
            source: A policy, its content, or the path of a JSON or TOML file;
                None gives an empty policy.

        Raises:
            ConfigurationError: The file cannot be read or does not fit; the
                message names the file and the field.
        """
        if source is None:
            return cls()
        if isinstance(source, cls):
            return source
        if isinstance(source, Mapping):
            return cls._checked(_whole(dict(source), "policy"), "policy")
        if not isinstance(source, str | Path):
            msg = f"policy= takes a Policy, a mapping or a file path, not {type(source).__name__}"
            raise ConfigurationError(msg)
        path = Path(source)
        named = f"policy {path}"
        return cls._checked(_whole(read_document(path), named), named, path)

    @classmethod
    def _checked(cls, content: object, where: str, file: Path | None = None) -> Self:
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            if other := what_else(content, cls.model_fields):
                raise ConfigurationError(f"{where} {other}") from None
            path, problem = first_problem(error, content, cls)
            where += place_in(file, path) if file else ""
            msg = f"{where}: {spell(path) or 'the document'}: {problem}"
            raise ConfigurationError(msg) from None


def _whole(content: Any, where: str) -> Any:
    """Return a policy's content, all of whose texts can be written.

    Raises:
        ConfigurationError: One cannot.
    """
    try:
        json.dumps(content, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        held = error.object[max(0, error.start - 20) : error.start]
        msg = f"{where}: behind {held!r} a text holds half of a surrogate pair: take it out"
        raise ConfigurationError(msg) from None
    except (ValueError, TypeError, RecursionError):  # what does not fit is said by field
        pass
    return content
