"""What callers say of a model goes before what its profile says."""

import copy
import pickle

import pytest

from cascade_core import Tier
from cascade_core.abilities import Abilities
from cascade_core.errors import ConfigurationError
from cascade_core.given import bare_model, described

FOUND = Abilities(1000, shared=True, lacks=frozenset({"image", "tools"}))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, FOUND),
        ({"max_input_tokens": 50}, Abilities(50, lacks=FOUND.lacks)),
        ({"modalities": ["image"]}, {"audio", "video", "file", "tools"}),
        ({"modalities": ()}, {"image", "audio", "video", "file", "tools"}),
        ({"modalities": {"text", "images", "pdf"}}, {"audio", "video", "tools"}),
        ({"tools": True}, {"image"}),
        ({"n": False, "structured_output": False}, FOUND.lacks | {"n", "structured_output"}),
    ],
)
def test_what_is_said_goes_first(said, expected):
    if isinstance(expected, set | frozenset):
        expected = Abilities(1000, shared=True, lacks=frozenset(expected))
    assert described(FOUND, Tier("m", **said)) == expected


def test_nothing_said_changes_nothing():
    assert bare_model("m") == ("m", None)
    assert described(FOUND, None) is FOUND


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_input_tokens": 0}, r"Tier\(max_input_tokens=0\): give a whole number above 0"),
        ({"max_input_tokens": 2.5}, "give a whole number above 0"),
        ({"modalities": "image"}, "modalities= takes a list of what the model reads"),
        ({"modalities": ["smell"]}, "modalities= names 'smell', which is none of audio, file"),
    ],
)
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        Tier("m", **settings)


def test_one_in_another_is_refused():
    with pytest.raises(ConfigurationError, match="say everything in one"):
        Tier(Tier("m"))


def test_it_can_be_copied_and_pickled_and_shows_no_model():
    class Model:
        def __repr__(self):
            return "sk-secret"

    tier = Tier(Model(), max_input_tokens=8, tools=False)
    assert repr(tier) == "Tier(Model, max_input_tokens=8, tools=False)"
    named = Tier("openai:gpt-4o-mini", modalities=["text"])
    for made in (copy.deepcopy(named), pickle.loads(pickle.dumps(named))):
        assert repr(made) == repr(named) == "Tier('openai:gpt-4o-mini', modalities=['text'])"
