"""What fits spend their time on, and most of their tests do not look at, is done less often."""

import pytest

from cascade_core.calibration import areas


@pytest.fixture
def a_few_draws(monkeypatch):
    """Tell by 20 draws and not 100 whether a benefit or a reading is worth it: tests of these have all."""
    monkeypatch.setattr(areas, "_DRAWS", 20)
