"""The cascade as an LLM."""
