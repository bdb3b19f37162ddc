"""What a log of decisions says of the traffic that it kept: who answered, why, and what it cost.

Only the narrow columns are read, never a prompt or an answer, so that a million decisions fit.
"""
