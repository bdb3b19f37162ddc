"""The setting `telemetry=`: what it takes, and that nothing is looked at where nobody listens."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is missing")

from opentelemetry.sdk.trace import TracerProvider

from cascade_core import ConfigurationError, Telemetry
from cascade_core.errors import MissingPackageError
from cascade_core.telemetry.setting import read_telemetry
from tests.langchain import fakes

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("given", ["yes", 1, {}, object()])
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError, match="telemetry= takes True, False or a Telemetry"):
        read_telemetry(given)


def test_a_provider_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"tracer_provider=…\): str has no get_tracer"):
        Telemetry(tracer_provider="otlp")
    with pytest.raises(ConfigurationError, match=r"content=…\) takes True or False, not str"):
        Telemetry(content="yes")  # type: ignore[arg-type]


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)
    with pytest.raises(MissingPackageError, match=r"pip install 'model-cascade\[otel\]'"):
        read_telemetry(True)
    assert read_telemetry(None) == Telemetry()


def test_a_copy_in_another_process_uses_that_ones_providers() -> None:
    copied = pickle.loads(pickle.dumps(Telemetry(TracerProvider(), content=True)))
    assert copied == Telemetry(content=True)


def test_false_is_off_whatever_the_program_has_set() -> None:
    assert fakes.pair(telemetry=False).cascade._engine.telemetry is None


def test_nothing_is_imported_where_nobody_has_set_opentelemetry_up() -> None:
    program = (
        "import sys\n"
        "from cascade_core.telemetry.watch import TelemetryWatch\n"
        "from cascade_core.telemetry.setting import read_telemetry\n"
        "assert TelemetryWatch(read_telemetry(None), 'desk').begin() is None\n"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry')]\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")
