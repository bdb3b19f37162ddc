"""Asking every tier about a sample of requests, to get the labelled table that tuning reads.

Read in this order: `examine` (one request), `grade` (how good an answer is),
`runner` (all requests), `journal` (what survives a kill), `row` (the table).
Nothing here knows a framework: an adapter says how one request is examined.
"""
