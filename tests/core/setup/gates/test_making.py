"""The gates a cascade has."""

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.setup.gates import DEFAULT_GATES, Gate, make_gates


def test_a_callers_checks_come_after_the_built_in_ones():
    def mine(_request, _draft):
        return True

    gate = Gate("gate_parser", mine)
    made = make_gates([mine, gate])
    assert made == (*DEFAULT_GATES, Gate("gate_custom", mine), gate)
    assert make_gates(None) == DEFAULT_GATES
    assert [gate.own for gate in made] == [True] * len(DEFAULT_GATES) + [False, False]


@pytest.mark.parametrize("entry", ["refusal", 5, None])
def test_what_is_no_function_is_no_gate(entry):
    with pytest.raises(ConfigurationError, match=r"give functions \(request, draft\) -> bool"):
        make_gates([entry])
