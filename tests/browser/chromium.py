"""Finds Chromium, installs it where there is none, and runs the tests of the pages on it.

    python -m tests.browser.chromium [arguments of pytest]

Debian's package is installed; the tests themselves install nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the program; None where there is none."""
    given = os.environ.get("CASCADE_CHROMIUM")
    return given or next(filter(None, map(shutil.which, PROGRAMS)), None)


def install() -> str:
    """Install it with apt; say what to do where that cannot be."""
    apt = shutil.which("apt-get")
    sudo = [] if os.geteuid() == 0 else [shutil.which("sudo") or "", "-n"]
    if apt is None or "" in sudo:
        sys.exit(
            "make test-browser needs Chromium and cannot install it here: install it, or run this "
            "as root or with sudo on Debian"
        )
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    try:
        for what in (
            ["update", "-q"],
            ["install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
        ):
            subprocess.run([*sudo, apt, *what], check=True, env=quiet)
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"make test-browser cannot install Chromium: apt-get ended with {error.returncode}"
        )
    found = chromium()
    if found is None:
        sys.exit("make test-browser: apt-get installed chromium, and it is not on the path")
    return found


def main() -> int:
    """Run pytest with it."""
    given = dict(os.environ, CASCADE_CHROMIUM=chromium() or install())
    arguments = sys.argv[1:] or ["tests/browser"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], env=given, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
