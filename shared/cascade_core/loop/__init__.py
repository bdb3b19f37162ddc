"""The decision loop: what is asked in which order, and what comes of it."""
