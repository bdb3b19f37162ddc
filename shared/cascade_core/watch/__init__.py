"""Learning in service: audits become policies, each tested before it decides and watched after.

`steward` decides, on plain tables and with no clock of its own; `trial` is the test that every
version has to keep passing; `fitting` makes versions; `passes` does it for a log and a database.
"""
