"""Makes the tables, saves policy.json, and brings it into use where no policy is."""

import json
import os
import subprocess
import sys
from typing import Any

POLICY = [sys.executable, "-m", "cascade_core", "policy", os.environ["DATABASE_URL"]]


def run(*action: str) -> Any:
    """Run `cascade policy`; what goes wrong there ends this too, and it can be run again."""
    said = subprocess.run([*POLICY, *action, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(said.stdout)


saved = run("save", "policy.json", "--note", "the first")
if run("list")["active"] is None:
    run("activate", str(saved["version"]))
