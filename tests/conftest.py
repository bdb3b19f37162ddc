"""What every test may count on: no network but loopback, no keys, no tracing.

Parts with fixtures of their own keep them in a conftest beside their tests.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from pytest_socket import socket_allow_hosts

from tests.left_logs import forget_logs

# Before any test module imports LangChain, which reads these once.
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGCHAIN_TRACING_V2"] = "false"

# Before numpy is imported: two workers, each with a thread of BLAS for every core, wait for each
# other; on a busy machine that makes small products many times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = ["127.0.0.1", "localhost", "::1"]

# All that is imported and collected stays: looking through it for garbage finds none, at two fifths
# of the collection's time. `pytest_collection_finish` lets the collector look again.
gc.disable()

# A deadline measures the machine, not the code. The same examples every time: what fails here
# fails everywhere. `--hypothesis-profile=others` looks at others.
settings.register_profile("same", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("others", deadline=None, print_blob=True)
# Of code that is broken on purpose it is enough to know that an example tells.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("same")


DAY = 86_400
BEFORE_MIDNIGHT = 30
"""Seconds at the end of a day in which no test begins.

Budgets and limits are a day's: a test that begins in one and ends in the next has two of each.
"""


def _let_the_day_end() -> None:
    while (left := DAY - time.time() % DAY) < BEFORE_MIDNIGHT:
        time.sleep(left)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record",
        action="store_true",
        help="Record the cassettes of tests/recorded anew; network and keys are left as they are.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Give every HTTP client an empty folder of certificates.

    On loopback nothing is encrypted, and each client read all the certificates of the machine.
    """
    if not config.getoption("--record"):
        os.environ.pop("SSL_CERT_FILE", None)
        os.environ["SSL_CERT_DIR"] = os.devnull  # where none is


def pytest_runtest_setup(item: pytest.Item) -> None:
    _let_the_day_end()
    if not item.config.getoption("--record"):
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Leave the next test no log that lost or cannot write what this one gave it."""
    yield
    forget_logs()


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A test that needs a real key fails here as it would on a machine that has none."""
    if request.config.getoption("--record"):
        return
    for name in [name for name in os.environ if name.endswith("_API_KEY")]:
        monkeypatch.delenv(name)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector pass over all that was imported, and look less often.

    Going through every module, again and again, was a quarter of the suite's time.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture
def only_new_garbage() -> None:
    """Let `gc.collect()` look at what the test makes, and not at everything made before."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Labelled answers of real models, which are too large to live with the code."""
    from tests.benchmarks.recorded_data import data_dir as recorded

    folder = recorded()
    if not folder.is_dir():
        pytest.skip("no real answers here: set CASCADE_DATA to the folder that holds them")
    return folder
