"""Saves policy.json as the database's first policy, where it has none."""

import json
import os
import subprocess
import sys

POLICY = [sys.executable, "-m", "cascade_core", "policy", os.environ["DATABASE_URL"]]

listed = subprocess.run([*POLICY, "list", "--json"], capture_output=True, check=False)
if listed.returncode or not json.loads(listed.stdout):
    save = [*POLICY, "save", "policy.json", "--note", "the first", "--activate"]
    subprocess.run(save, check=True)
