"""The commands that need no framework. Options only; the work is elsewhere."""
