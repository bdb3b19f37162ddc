"""Runs the tests that need real servers: PostgreSQL, Redis, Prometheus, and Phoenix.

    python tests/services.py [arguments of pytest]

PostgreSQL is started here and stopped; its data and its socket are in a folder under /tmp that goes
with it, and it listens on no port. Redis, on a socket too, Prometheus and Phoenix are started by their tests.
Debian's packages are installed where there are none; Phoenix, which takes spans, is in an
environment that the Makefile makes.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

TESTS = [
    "tests/service",
    "tests/core/log",
    "tests/core/guards",
    *(f"tests/core/review/test_{what}.py" for what in ("snapshot", "growth")),
    "tests/dashboard",
    "tests/core/telemetry/test_collector.py",
]
KILLS = "50"


def binaries() -> Path | None:
    """Return the folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=version)
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


def version(program: Path) -> int:
    return int(program.parts[-3]) if program.parts[-3].isdigit() else 0


def install(package: str, find: Callable[[], Path | None], what: str) -> Path:
    """Install a server with apt; say what to do where that cannot be.

    Args:
        package: Debian's name for it.
        find: Finds its programs.
        what: What it is, and its programs.
    """
    apt = shutil.which("apt-get")
    sudo = [] if os.geteuid() == 0 else [shutil.which("sudo") or "", "-n"]
    if apt is None or "" in sudo:
        sys.exit(
            f"make test-services needs {what} and cannot install it "
            "here: install it, or run this as root or with sudo on Debian"
        )
    # With RUNLEVEL=1 Debian starts no service of what it installs.
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
    try:
        for step in (
            ["update", "-q"],
            ["install", "-q", "-y", "--no-install-recommends", package],
        ):
            subprocess.run([*sudo, apt, *step], check=True, env=quiet)
    except subprocess.CalledProcessError as error:
        sys.exit(f"make test-services cannot install {what}: apt-get ended with {error.returncode}")
    found = find()
    if found is None:
        sys.exit(f"make test-services: apt-get installed {package}, and it is not there")
    return found


def prometheus() -> Path | None:
    """Return the folder of Prometheus and its promtool."""
    found = shutil.which("prometheus"), shutil.which("promtool")
    return None if None in found else Path(str(found[0])).parent


def redis_server() -> Path | None:
    """Return Redis's server."""
    found = shutil.which("redis-server")
    return None if found is None else Path(found)


def phoenix() -> Path | None:
    """Return Phoenix's program."""
    program = Path(__file__).resolve().parents[1] / ".venv-collector/bin/phoenix"
    return program if program.exists() else None


def unprivileged() -> dict[str, Any]:
    """Return whom to run the server as: it refuses to be root's."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def postgres() -> Iterator[str]:
    """Give the URL of a server that ends with this."""
    programs = binaries() or install("postgresql", binaries, "PostgreSQL's server (initdb, pg_ctl)")
    who = unprivileged()
    folder = Path(mkdtemp(prefix="cascade-pg-", dir="/tmp"))  # a socket's path has to be short
    if who:
        os.chown(folder, who["user"], who["group"])
    data, environment = folder / "data", dict(os.environ, HOME=str(folder), LC_ALL="C.UTF-8")

    def run(program: str, *args: str) -> None:
        said = subprocess.run(
            [programs / program, "-D", data, *args],
            **who,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if said.returncode:
            log = folder / "log"
            sys.stderr.write(log.read_text() if log.exists() else "")
            raise SystemExit(f"make test-services: {program} ended with status {said.returncode}")

    try:
        run("initdb", "-U", "cascade", "-A", "trust", "-E", "UTF8")
        options = f"-c listen_addresses='' -c max_connections=200 -k {folder}"
        run("pg_ctl", "-l", str(folder / "log"), "-o", options, "-w", "start")
        yield f"postgresql://cascade@/postgres?host={folder}"
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run pytest with the servers."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    watched = prometheus() or install("prometheus", prometheus, "Prometheus (with promtool)")
    redis = redis_server() or install("redis-server", redis_server, "Redis's server")
    with postgres() as url:
        given = dict(
            os.environ,
            CASCADE_TEST_POSTGRES=url,
            CASCADE_TEST_KILLS=KILLS,
            CASCADE_TEST_PROMETHEUS=str(watched),
            CASCADE_TEST_REDIS=str(redis),
        )
        collector = phoenix()
        if collector is not None:
            given["CASCADE_TEST_PHOENIX"] = str(collector)
        command = [sys.executable, "-m", "pytest", "-q", *(sys.argv[1:] or TESTS)]
        return subprocess.run(command, env=given, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
