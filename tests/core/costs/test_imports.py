import os
import subprocess
import sys

MODULES = ["catalogue", "encodings", "names", "price_table", "prices", "rate", "tokens"]
HEAVY = ["genai_prices", "llama_index", "numpy", "tiktoken"]


def test_importing_costs_imports_nothing_heavy():
    script = "import sys\n"
    script += "".join(f"import cascade_core.costs.{module}\n" for module in MODULES)
    script += f"print([name for name in {HEAVY!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
