"""What is said of settings that do not fit."""

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.setup.constructor import plain_errors
from cascade_core.setup.settings import CascadeSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"log_content": "perhaps"}, "CascadeSettings: log_content=: must be true or false"),
        ({"mode": 5}, "CascadeSettings: mode=: must be a text"),
    ],
)
def test_an_argument_that_does_not_fit_is_named_in_plain_words(given, said):
    with pytest.raises(ConfigurationError) as caught, plain_errors(CascadeSettings):
        CascadeSettings(tiers=[], **given)
    assert str(caught.value) == said
