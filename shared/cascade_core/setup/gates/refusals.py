"""Answers that refuse."""

from __future__ import annotations

import re
from functools import cache

from cascade_core.draft import Draft
from cascade_core.request import Request

_UNABLE = r"(can(no|['’])?t|can\ not|(am|['’]m)\ (unable|not\ able)\ to|won['’]?t)"
_REFUSAL = rf"""^\W*(
        (i['’]?m|i\ am)\ (very\ |so\ |really\ )?sorry,?\ (but\ )?i\ ?{_UNABLE}\b
      | (unfortunately,?\ |sorry,?\ (but\ )?)?i\ ?{_UNABLE}
        \ (help(?!\ but)|assist|answer|comply|provide|discuss|fulfil+|do\ that|create|give)\b
      | as\ an?\ (ai|artificial|large\ language)\b[^.]{{0,60}}\b(can(no|['’])?t|unable|not\ able)\b
      | i\ (do\ not|don['’]?t)\ know\b
    )"""


@cache
def _refusal() -> re.Pattern[str]:
    return re.compile(_REFUSAL, re.IGNORECASE | re.VERBOSE)  # on use: it takes a millisecond


def not_refused(request: Request, draft: Draft) -> bool:
    """Fail what the provider marked as a refusal, and answers that open with one."""
    del request
    if draft.refusal or draft.finish == "content_filter":
        return False
    return bool(draft.tool_calls) or not _refusal().match(draft.text)
