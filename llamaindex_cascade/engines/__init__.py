"""Cascades of synthesizers and of query engines."""
