"""How one language refuses: patterns of what stands at the start of a clause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from cascade_core.refusals.plain import one_spelling

Script = Literal["latin", "cyrillic", "arabic", "devanagari", "han", "kana", "hangul"]

_NAME = re.compile(r"<([a-z]+)>")
_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, eq=False)
class Language:
    """The patterns of one language; each is one line, and all of them are in lower case.

    A line is a regular expression for text that `simplified` has prepared; `<name>` stands for a
    part in `parts`. A sentence is read clause by clause: what leads up to a refusal is passed over,
    and the first clause that neither does so nor refuses ends the reading. No pattern repeats a
    repetition, so that reading takes linear time.

    Attributes:
        script: What it is written in.
        hints: Words of which every refusal has one; a text without them is not read.
        stems: The same, as parts of words.
        parts: What `<name>` in a pattern stands for.
        apologies: What leads up to a refusal, and makes refusals of the `weak` ones.
        leads: What leads up to a refusal: interjections, conjunctions, "as an AI".
        prefaces: How clauses begin that may stand before a refusal: "I understand …".
        refusals: How clauses begin that refuse.
        weak: How clauses begin that refuse after an apology.
        not_after: What makes a clause no refusal, anywhere behind its beginning: "enough".
        contrasts: What turns from a refusal to something else: "but".
        offers: What follows a contrast and still is no help: "I can help you with others".
        helps: How a sentence begins that makes a limitation of a refusal before it: "here is".
    """

    script: Script
    hints: str
    refusals: str
    stems: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    apologies: str = ""
    leads: str = ""
    prefaces: str = ""
    weak: str = ""
    not_after: str = ""
    contrasts: str = ""
    offers: str = ""
    helps: str = ""

    @cached_property
    def refusal(self) -> re.Pattern[str]:
        """A clause that refuses."""
        return self._compiled(self.refusals)

    @cached_property
    def weak_refusal(self) -> re.Pattern[str]:
        """A clause that refuses after an apology."""
        return self._compiled(self.weak)

    @cached_property
    def apology(self) -> re.Pattern[str]:
        """An apology before a refusal."""
        return self._compiled(self.apologies)

    @cached_property
    def lead(self) -> re.Pattern[str]:
        """What else leads up to a refusal."""
        return self._compiled(self.leads)

    @cached_property
    def preface(self) -> re.Pattern[str]:
        """The beginning of a clause that may stand before a refusal."""
        return self._compiled(self.prefaces)

    @cached_property
    def no_refusal(self) -> re.Pattern[str]:
        """What makes a clause none."""
        return self._compiled(self.not_after, before=self._spaced)

    @cached_property
    def contrast(self) -> re.Pattern[str]:
        """What turns away from a refusal."""
        return self._compiled(self.contrasts, before=self._spaced)

    @cached_property
    def offer(self) -> re.Pattern[str]:
        """What is no help yet."""
        return self._compiled(self.offers)

    @cached_property
    def help(self) -> re.Pattern[str]:
        """The beginning of a sentence that helps."""
        return self._compiled(self.helps)

    @property
    def _spaced(self) -> bool:
        return self.script not in {"han", "kana", "hangul"}

    def _compiled(self, lines: str, *, before: bool = False) -> re.Pattern[str]:
        patterns = [one_spelling(line.strip()) for line in lines.splitlines() if line.strip()]
        if not patterns:
            return _NEVER
        joined = "|".join(patterns)
        while (
            filled := _NAME.sub(lambda name: f"(?:{one_spelling(self.parts[name[1]])})", joined)
        ) != joined:
            joined = filled
        return re.compile(
            (r"(?<!\w)" if before else "") + f"(?:{joined})" + (r"(?!\w)" if self._spaced else "")
        )
