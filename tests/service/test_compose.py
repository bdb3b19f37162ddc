"""The service's files fit together: nothing is missing, nothing is secret, nothing floats."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "cookbooks" / "service"
COMPOSE = (FOLDER / "compose.yaml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
APPS = ["app-1", "app-2"]
OPTIONAL = {"PRICES"}


def read_from_environment(path: Path) -> set[str]:
    """The names in `os.environ[…]` and `os.environ.get(…)`."""
    source = path.read_text()
    ast.parse(source)
    return set(re.findall(r"os\.environ(?:\[|\.get\()\"(\w+)\"", source))


def test_every_variable_that_the_programs_read_is_set() -> None:
    for name, service in ((n, SERVICES[n]) for n in (*APPS, "policy")):
        file = "first_policy.py" if name == "policy" else "app.py"
        read = read_from_environment(FOLDER / file)
        assert read, file
        assert read - OPTIONAL <= set(service["environment"]), name


def test_nothing_secret_is_written_down() -> None:
    for name in ("POSTGRES_PASSWORD", "OPENAI_API_KEY"):
        assert re.findall(rf"\$\{{{name}[^}}]*\}}", COMPOSE), name
        assert not re.search(rf"\$\{{{name}:-", COMPOSE), "a default would be a secret"
    assert not re.search(
        r"sk-\w{8}", "".join(p.read_text() for p in FOLDER.iterdir() if p.is_file())
    )


def test_images_are_pinned() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    images += re.findall(r"^FROM (\S+)", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 4
    assert all(re.search(r":\d+\.\d+(\.\d+)?-\w+$", image) for image in images)


def test_who_waits_waits_for_what_is_there_and_healthy() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, (name, other)
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], (name, other)
    assert all("healthcheck" in SERVICES[name] for name in (*APPS, "proxy", "postgres", "redis"))


def test_the_proxy_knows_every_process_and_sends_no_request_twice() -> None:
    proxy = (FOLDER / "nginx.conf").read_text()
    assert re.findall(r"server ([\w-]+):8000;", proxy) == APPS
    assert "proxy_next_upstream off;" in proxy


def test_only_the_proxy_is_reached_from_outside_and_only_from_this_machine() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert published == {"proxy": ["127.0.0.1:8080:8080"]}
