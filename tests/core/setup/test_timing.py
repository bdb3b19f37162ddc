"""Settings that nothing reads yet."""

import math
import warnings

import pytest

from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.setup.engine import Engine
from cascade_core.setup.settings import CascadeSettings
from tests.core.making import make_tiers


def made(**settings):
    return Engine(CascadeSettings(tiers=(), **settings), make_tiers(2))


@pytest.mark.parametrize("given", [{"deadline": 8.0}, {"deadline": 1}, {"hedge": True}])
def test_one_that_is_given_is_said_to_have_no_effect(given):
    (name,) = given
    with pytest.warns(CascadeWarning, match=f"^{name}= has no effect in this release"):
        made(**given)


@pytest.mark.parametrize("given", [{}, {"deadline": None, "hedge": None}, {"hedge": False}])
def test_nothing_is_said_where_none_is_asked_for(given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(**given)


@pytest.mark.parametrize(
    "given",
    [{"deadline": bad} for bad in (0, -3.0, math.nan, math.inf, True, "8")]
    + [{"hedge": bad} for bad in ("x", 0.5, 2, [True])],
)
def test_what_will_never_do_is_an_error(given):
    ((name, value),) = given.items()
    with pytest.raises(ConfigurationError) as caught:
        made(**given)
    assert str(caught.value).startswith(f"{name}={value!r}: give")
