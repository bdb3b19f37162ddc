"""One request as LLMs and engines ask it alike: its session, calls, streams and events."""
