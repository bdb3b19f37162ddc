"""The features that can be read off a request and a draft, by name, and what each says.

Counts are given as `log(1 + n)`, so that a few long texts do not outweigh all
others in a linear model; shares lie in [0, 1]. `features` reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REQUEST: Mapping[str, str] = MappingProxyType(
    {
        "characters": "log(1 + characters)",
        "words": "log(1 + words)",
        "sentences": "log(1 + sentences)",
        "words_a_sentence": "log(1 + words a sentence)",
        "letters_a_word": "mean letters a word",
        "distinct_words": "share of the words that are different from each other",
        "numbers": "log(1 + numbers, in digits or spelled)",
        "distinct_numbers": "log(1 + different numbers)",
        "largest_number": "log(1 + largest number)",
        "fractions": "log(1 + numbers that are not whole, percentages, halves)",
        "quantities": "log(1 + words that relate amounts: each, twice, more, left)",
        "conditions": "log(1 + words that set conditions: if, unless, except)",
        "negations": "log(1 + negations)",
        "times": "log(1 + words for time: hour, week, year)",
        "questions": "log(1 + question marks)",
        "reasons": "log(1 + words that ask for reasons or ways: why, how, explain)",
        "commas": "log(1 + commas, semicolons and colons)",
        "names": "log(1 + capitalised words inside sentences)",
        "money": "log(1 + currency signs)",
        "lists": "log(1 + lines that begin like a list's)",
        "code": "log(1 + code marks: backticks, braces, markup)",
        "foreign": "share of characters outside ASCII",
    }
)
"""Of the request's text."""

DRAFT: Mapping[str, str] = MappingProxyType(
    {
        "characters": "log(1 + characters)",
        "words": "log(1 + words)",
        "sentences": "log(1 + sentences)",
        "lines": "log(1 + lines that are not empty)",
        "words_a_sentence": "log(1 + words a sentence)",
        "letters_a_word": "mean letters a word",
        "length_ratio": "log of (1 + words) over (1 + words of the request)",
        "distinct_words": "share of the words that are different from each other",
        "repeated": "share of the runs of four words that have been there before",
        "hedges": "log(1 + words of doubt: maybe, seems, approximately)",
        "turns": "log(1 + words that turn against what was said: however, but, actually)",
        "refusals": "log(1 + words of not knowing: sorry, cannot, unclear)",
        "suppositions": "log(1 + words that add what was not given: assume, let, suppose)",
        "conclusions": "log(1 + words that conclude: therefore, so, total)",
        "negations": "log(1 + negations)",
        "questions": "log(1 + question marks)",
        "exclamations": "log(1 + exclamation marks)",
        "lists": "log(1 + lines that begin like a list's)",
        "code": "log(1 + code marks: backticks, braces, markup)",
        "brackets": "log(1 + bracketed remarks)",
        "foreign": "share of characters outside ASCII",
        "shared_words": "share of the request's different words that the draft has",
        "own_words": "share of the draft's different words that the request has not",
        "numbers": "log(1 + numbers)",
        "distinct_numbers": "log(1 + different numbers)",
        "largest_number": "log(1 + largest number)",
        "fractions": "share of the numbers that are not whole",
        "new_fractions": "1 where the draft has numbers that are not whole and the request none",
        "negative_results": "log(1 + calculations that end below 0)",
        "numbers_used": "share of the request's different numbers that the draft has; 1 if none",
        "numbers_unsourced": "share of the numbers that no request or calculation gave",
        "equations": "log(1 + calculations that could be checked)",
        "wrong_equations": "log(1 + calculations that do not hold)",
        "right_equations": "share of the checked calculations that hold; 1 if none",
        "open_equations": "log(1 + equals signs that could not be checked)",
        "unfinished": "1 where it breaks off: an open bracket, an operator or comma at its end",
        "ends_sentence": "1 where it ends as a sentence does",
        "ends_number": "1 where its last line has a number",
        "states_result": "1 where its last line is marked as the result",
        "last_words": "log(1 + words of its last line)",
        "last_numbers": "log(1 + numbers of its last line)",
        "result": "log(1 + size of the last number)",
        "result_whole": "1 where the last number is whole",
        "result_given": "1 where the last number stands in the request",
        "result_times": "log(1 + times the last number is written)",
        "result_calculated": "1 where the last number is what the last calculation gave",
        "result_relative": "log of the last number over the request's largest",
    }
)
"""Of the draft's text, beside the request it answers."""
