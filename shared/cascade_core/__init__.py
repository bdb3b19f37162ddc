"""The framework-neutral core of model cascades.

Start reading in `flow`: it holds the one decision loop. Nothing in this
package imports LangChain or LlamaIndex; adapters import it.
"""

from typing import TYPE_CHECKING

from cascade_core.draft import Draft
from cascade_core.errors import (
    BudgetExceeded,
    CascadeError,
    CascadeExhausted,
    CascadeWarning,
    ConfigurationError,
)
from cascade_core.given import Tier
from cascade_core.guards.breaker import Breaker
from cascade_core.guards.budget import Budget
from cascade_core.lazy import on_use, shown_before_use
from cascade_core.log.collect import collect_decisions
from cascade_core.loop.behind import flush_log
from cascade_core.policy.document import Policy
from cascade_core.policy.rules import Rule
from cascade_core.request import Request
from cascade_core.telemetry.worker import flush_telemetry
from cascade_core.verdict import Verdict

if TYPE_CHECKING:
    from cascade_core.guards.store import RedisStore as RedisStore
    from cascade_core.loop.feedback import record_feedback as record_feedback
    from cascade_core.setup.audit import Audit as Audit
    from cascade_core.setup.gates.runs import Runs as Runs
    from cascade_core.setup.learn import Learn as Learn
    from cascade_core.telemetry.setting import Telemetry as Telemetry
    from cascade_core.version import __version__ as __version__

__all__ = [
    "Audit",
    "Breaker",
    "Budget",
    "BudgetExceeded",
    "CascadeError",
    "CascadeExhausted",
    "CascadeWarning",
    "ConfigurationError",
    "Draft",
    "Learn",
    "Policy",
    "RedisStore",
    "Request",
    "Rule",
    "Runs",
    "Telemetry",
    "Tier",
    "Verdict",
    "collect_decisions",
    "flush_log",
    "flush_telemetry",
    "record_feedback",
]

__getattr__ = on_use(
    __name__,
    {
        "Audit": ".setup.audit",
        "Learn": ".setup.learn",
        "RedisStore": ".guards.store",
        "Runs": ".setup.gates.runs",
        "Telemetry": ".telemetry.setting",
        "record_feedback": ".loop.feedback",
        "__version__": ".version",
    },
)
__dir__ = shown_before_use(__name__)
