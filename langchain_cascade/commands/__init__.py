"""Commands that need LangChain."""
