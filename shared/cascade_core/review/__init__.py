"""The review page: a team looks at a log, moves a threshold or a rule, and saves what it chose.

A Starlette application on loopback. Each page is a module that returns its routes; what they share
is one `Workbench`.
"""
