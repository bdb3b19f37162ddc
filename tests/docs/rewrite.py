"""`make docs-output`: runs the pages and writes what their commands print into them.

Names pages by parts of their paths (`python -m tests.docs.rewrite how-to/agents`), or else all.
What prints the same as before stays as it is.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import httpx

from tests.docs.running import PAGES, ROOT, run, standin


def rewritten(text: str, fresh: dict[int, str]) -> str:
    """Return a page with new contents of the blocks that begin at some lines."""
    lines = text.splitlines(keepends=True)
    for start, content in sorted(fresh.items(), reverse=True):
        fence = re.match(r"(\s*)([`~]{3,})", lines[start - 1])
        assert fence
        end = next(n for n in range(start, len(lines)) if lines[n].strip() == fence[2])
        lines[start:end] = [textwrap.indent(content, fence[1])]
    return "".join(lines)


def main(names: list[str]) -> int:
    """Rewrite the pages named; status 1 where one cannot be run."""
    failed = 0
    with standin() as port:
        for path in PAGES:
            label = str(Path(path).relative_to(ROOT))
            if names and not any(name in label for name in names):
                continue
            httpx.post(f"http://127.0.0.1:{port}/begin", trust_env=False)
            try:
                page = run(path, port, rewrite=True)
            except Exception as error:  # noqa: BLE001 - the other pages are not to blame
                failed = 1
                sys.stderr.write(f"{label}: {type(error).__name__}: {error}\n")
                continue
            if page.fresh:
                path.write_text(rewritten(path.read_text("utf-8"), page.fresh), "utf-8")
                sys.stdout.write(f"{label}: {len(page.fresh)} blocks\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
