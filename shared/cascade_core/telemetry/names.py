"""Every name that is sent: of spans, events, attributes and metrics. They stand nowhere else.

Those of OpenTelemetry follow one version of its conventions for generative AI, named by
`SCHEMA_URL`; what the conventions lack is called `cascade.…`.
"""

from __future__ import annotations

SCHEMA_URL = "https://opentelemetry.io/schemas/1.40.0"
"""The version of the semantic conventions that is followed."""

SCOPE = "model_cascade"
"""The instrumentation scope of all spans and metrics."""

# --- attributes of the conventions ----------------------------------------------------------------

ERROR_TYPE = "error.type"
OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
CONVERSATION = "gen_ai.conversation.id"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - tokens of text
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
EVALUATION_NAME = "gen_ai.evaluation.name"
EVALUATION_SCORE = "gen_ai.evaluation.score.value"

CHAT = "chat"
"""What a call of a model does, in the conventions' words."""

# --- attributes of cascades -----------------------------------------------------------------------

CASCADE = "cascade.name"
FRAMEWORK = "cascade.framework"
DECISION_ID = "cascade.decision.id"
OUTCOME = "cascade.outcome"
TIER = "cascade.tier"
REASON = "cascade.reason"
ACCEPTED = "cascade.accepted"
DRAFT_CONFIDENCE = "cascade.confidence"
DRAFT_MERIT = "cascade.merit"
THRESHOLD = "cascade.threshold"
CALIBRATED = "cascade.calibrated"
HANDOFF = "cascade.handoff"
HANDED_TO = "cascade.handed_to"
COST = "cascade.cost_usd"
CLASS = "cascade.class"
RULE = "cascade.rule"
POLICY = "cascade.policy"
POLICY_VERSION = "cascade.policy_version"
PURPOSE = "cascade.purpose"
CALL_OUTCOME = "cascade.call.outcome"
REASONING_TOKENS = "cascade.usage.reasoning_tokens"
TOKENS_SOURCE = "cascade.usage.source"
PART = "cascade.part"
"""Whether a call is part of a `request` or of an `audit`."""
AUDIT_STATUS = "cascade.audit.status"
AUDIT_WHY = "cascade.audit.why"
AUDIT_COMPARE = "cascade.audit.compare"
AUDIT_QUALITY = "cascade.audit.quality"
AUDIT_STRONG_QUALITY = "cascade.audit.strong_quality"
AUDIT_HARM = "cascade.audit.harm"

POLICY_CHANGE = "cascade.policy.change"
"""Whether a policy was `activated`, or what decided was `withdrawn` for the strongest tier."""

OTHER = "other"
"""What a metric calls a class, rule or model beyond the first `MOST_VALUES`."""

MOST_VALUES = 100
"""Values of an attribute of metrics that callers choose, at the most; never an id or a tag."""

# --- spans and their events -----------------------------------------------------------------------

SPAN_NAME = "cascade"
"""A decision: this and the cascade's name."""
AUDIT_SPAN = "cascade audit"

READING_EVENT = "gen_ai.evaluation.result"
"""One signal's reading of a draft."""
JUDGED_EVENT = "cascade.judged"
"""What became of a draft: its reason, which names the gate that it failed, its confidence."""

# --- metrics --------------------------------------------------------------------------------------

CALL_DURATION = "gen_ai.client.operation.duration"
TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105 - tokens of text

REQUESTS = "cascade.requests"
REQUEST_DURATION = "cascade.request.duration"
CALLS = "cascade.calls"
COST_USD = "cascade.cost"
COMPARED_COST = "cascade.cost.compared"
STRONG_COST = "cascade.cost.strong"
UNPRICED = "cascade.calls.unpriced"
ESCALATIONS = "cascade.escalations"
HANDOFFS = "cascade.handoffs"
LEFT_ALONE = "cascade.left_alone"
AUDITS = "cascade.audits"
HARM = "cascade.audit.harm"
AUDIT_SPENT = "cascade.audit.spent"
AUDIT_LIMIT = "cascade.audit.limit"
POLICY_ACTIVE = "cascade.policy.active"
POLICY_CHANGES = "cascade.policy.changes"
LOG_LOST = "cascade.log.lost"
TELEMETRY_LOST = "cascade.telemetry.lost"

METRICS = {
    CALL_DURATION: ("histogram", "s", "Seconds that calls of models took"),
    TOKEN_USAGE: ("histogram", "{token}", "Tokens that calls used, by gen_ai.token.type"),
    REQUESTS: ("counter", "{request}", "Requests, by what became of them"),
    REQUEST_DURATION: ("histogram", "s", "Seconds until requests were answered"),
    CALLS: ("counter", "{call}", "Calls of models, by what became of them"),
    COST_USD: ("counter", "USD", "What calls cost, as far as they have a price"),
    COMPARED_COST: ("counter", "USD", "What requests cost of which the next metric is known"),
    STRONG_COST: ("counter", "USD", "What the strongest tier alone would have cost for these"),
    UNPRICED: ("counter", "{call}", "Calls whose cost is not known"),
    ESCALATIONS: ("counter", "{draft}", "Drafts that were judged and not accepted, by reason"),
    HANDOFFS: ("counter", "{request}", "Requests whose last tier's answer was handed off"),
    LEFT_ALONE: ("counter", "{request}", "Requests that left a tier alone that keeps failing"),
    AUDITS: ("counter", "{audit}", "Audits, by what became of them"),
    HARM: ("histogram", "1", "Quality lost by not asking the strongest tier, of audits done"),
    AUDIT_SPENT: ("gauge", "USD", "What this UTC day's audits have cost, where a limit is set"),
    AUDIT_LIMIT: ("gauge", "USD", "The most that audits may cost in a UTC day"),
    POLICY_ACTIVE: ("gauge", "{version}", "Number of the policy's version in a database; 0: none"),
    POLICY_CHANGES: ("observed", "{change}", "Policies taken over while running, or taken back"),
    LOG_LOST: ("observed", "{record}", "Records that logs in databases have lost"),
    TELEMETRY_LOST: ("observed", "{request}", "Requests and audits that telemetry has lost"),
}
"""Of each metric: its kind, unit and description."""

SECONDS_BUCKETS = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64),
    *(1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
TOKEN_BUCKETS = tuple(float(4**power) for power in range(14))
HARM_BUCKETS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
UPPER_BOUNDS = {
    CALL_DURATION: SECONDS_BUCKETS,
    REQUEST_DURATION: SECONDS_BUCKETS,
    TOKEN_USAGE: TOKEN_BUCKETS,
    HARM: HARM_BUCKETS,
}
"""The upper bounds of histograms: those that the conventions advise, and for harm our own."""
