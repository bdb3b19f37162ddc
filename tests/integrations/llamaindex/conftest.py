"""Settings of the integrations themselves."""

from __future__ import annotations

import os

# LiteLLM fetches a list of prices when it is imported, unless told not to.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
