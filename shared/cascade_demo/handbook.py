"""The desk's rules as a system prompt, for models that were not trained on them.

The embedded models know the rules by training and do not read this. A hosted
model does, and has to answer in the desk's own words to be graded like them.
"""

from __future__ import annotations

from cascade_demo.knowledge import PASSAGES

INSTRUCTIONS = """\
You are the support desk of a shop. Answer with exactly one of the sentences in quotes below,
without the quotes, and nothing else. N, CARRIER, WEEKDAY and NAME in them stand for what
belongs there. For two questions write both answers, in order, on one line. You may first
write your working in square brackets."""

HANDBOOK = "\n\n".join(
    [INSTRUCTIONS, *(f"{passage.title}. {passage.text}" for passage in PASSAGES)]
)
