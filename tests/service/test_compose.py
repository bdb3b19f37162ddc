"""The service's files fit together: nothing is missing, nothing is secret, nothing floats."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.running import in_process

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "cookbooks" / "service"
COMPOSE = (FOLDER / "compose.yaml").read_text()
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
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


def test_compose_can_read_it() -> None:
    compose_spec = pytest.importorskip("compose_spec", reason="is of the group test")
    plain = yaml.safe_load(COMPOSE)
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(plain)).validate()
    plain["services"]["proxy"]["restrat"] = "always"
    with pytest.raises(ValueError, match="restrat"):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(plain))


def test_the_proxy_knows_every_process_and_sends_no_request_twice() -> None:
    proxy = (FOLDER / "nginx.conf").read_text()
    assert re.findall(r"server ([\w-]+):8000 resolve;", proxy) == APPS
    (again,) = re.findall(r"^\s*proxy_next_upstream (.*);", proxy, re.MULTILINE)
    assert "non_idempotent" not in again


def test_a_process_has_time_to_finish_what_it_answers_and_to_write_it_down() -> None:
    command = json.loads(re.search(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[1])
    waits = int(command[command.index("--timeout-graceful-shutdown") + 1])
    app = (FOLDER / "app.py").read_text()
    model = int(re.search(r"timeout=(\d+), max_retries=0", app)[1])
    log = int(re.search(r"flush_log, (\d+)\)", app)[1])
    proxy = int(re.search(r"proxy_read_timeout (\d+)s", (FOLDER / "nginx.conf").read_text())[1])
    assert 2 * model < waits < proxy
    for name in APPS:
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > waits + log


def test_an_image_has_no_rights_and_no_more_files_than_it_needs() -> None:
    lines = DOCKERFILE.splitlines()
    assert "USER nobody" in lines[lines.index("COPY . .") :]
    for name in (*APPS, "policy"):
        assert SERVICES[name]["cap_drop"] == ["ALL"], name
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert "**/.env" in ignored
    copied = {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {name.partition("/")[0] for name in packages} < copied
    assert {"pyproject.toml", project["project"]["readme"], "cookbooks/service"} < copied


def test_what_is_there_all_the_time_is_there_again_after_a_crash() -> None:
    again = {name for name, service in SERVICES.items() if service.get("restart")}
    assert again == SERVICES.keys() - {"policy"}


@pytest.mark.processes
def test_the_first_policy_comes_into_use_only_where_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    environment = dict(os.environ, DATABASE_URL=url, PYTHONPATH=f"{ROOT}:{ROOT / 'shared'}")
    cascade = in_process(monkeypatch, capfd)

    def run(program: str) -> None:
        subprocess.run([sys.executable, program], cwd=FOLDER, env=environment, check=True)

    def policy(*action: str) -> dict[str, Any]:
        return json.loads(cascade("policy", url, *action, "--json").out)

    other = tmp_path / "other.json"
    other.write_text('{"name": "other", "thresholds": [0.5]}')
    policy("save", str(other))  # the tables are there, and nothing is in use
    run("first_policy.py")
    assert policy("list")["active"] == 2
    policy("activate", "1")
    run("first_policy.py")
    assert policy("list")["active"] == 1


def test_only_the_proxy_is_reached_from_outside_and_only_from_this_machine() -> None:
    published = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert published == {"proxy": ["127.0.0.1:8080:8080"]}
