"""Settings that put requests against the clock."""

import math
import warnings

import pytest

from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.setup.engine import Engine
from cascade_core.setup.notices import Notices
from cascade_core.setup.settings import CascadeSettings
from cascade_core.setup.timing import HEDGE, deadline_of
from tests.core.making import make_tiers


def made(**settings):
    return Engine(CascadeSettings(tiers=(), **settings), make_tiers(2))


def test_what_is_given_is_kept():
    assert made(deadline=8).deadline == 8.0
    assert made(hedge=True).hedge == HEDGE
    assert (made(hedge=0.25).hedge, made(hedge=1).hedge) == (0.25, 1.0)
    assert (made().deadline, made().hedge) == (None, 0.0)


def test_milliseconds_given_as_seconds_are_doubted_and_kept():
    with pytest.warns(CascadeWarning, match=r"deadline=8000 is in seconds, 133 minutes: .* give 8"):
        assert made(deadline=8000).deadline == 8000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(deadline=600)
    notices = Notices()
    with pytest.warns(CascadeWarning, match=r"metadata\['cascade_deadline'\]=2500 .* give 2.5"):
        assert deadline_of({"cascade_deadline": 2500}, None, notices) == 2500


@pytest.mark.parametrize("given", [{}, {"deadline": None, "hedge": None}, {"hedge": False}])
def test_nothing_is_said_where_none_is_asked_for(given):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(**given)


@pytest.mark.parametrize(
    "given",
    [{"deadline": bad} for bad in (0, -3.0, math.nan, math.inf, True, "8")]
    + [{"hedge": bad} for bad in ("x", 0, -0.5, 2, math.nan, [True])],
)
def test_what_will_never_do_is_an_error(given):
    ((name, value),) = given.items()
    with pytest.raises(ConfigurationError) as caught:
        made(**given)
    assert str(caught.value).startswith(f"{name}={value!r}: give")
