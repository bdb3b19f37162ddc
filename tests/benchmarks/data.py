"""Fetch the public answers of real models that `make bench-recorded` replays.

    python tests/benchmarks/data.py [--into .data] [--host URL] [--only NAME] [--accept]

Every file is fetched at a fixed commit. The first time its SHA-256 is written down and trusted;
from then on it must be the same. What is made of the files must be, to the last byte, the table
that the published figures were printed from.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import zlib
from pathlib import Path

from fetching import FetchError, fetch
from public_data import HOST, SOURCES, File, Source
from recorded_data import FETCHED

KNOWN = "checksums.json"


class Folder:
    """Where the data is kept: tables, raw files below them, and the digests of these.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = path / "raw" / KNOWN
        self.digests: dict[str, str] = {}
        if self._known.is_file():
            try:
                self.digests = dict(json.loads(self._known.read_text("utf-8")))
            except (ValueError, TypeError):
                raise FetchError(f"{self._known} is damaged: delete it") from None

    def place(self, file: File) -> Path:
        """Return where a raw file is kept."""
        return self.path / "raw" / file.repository / file.commit[:12] / file.path

    def table(self, source: Source) -> Path:
        """Return where a table is kept."""
        return self.path / f"{source.name}.csv.gz"

    def remember(self, url: str, digest: str) -> None:
        """Write down the digest of a file."""
        if self.digests.get(url) != digest:
            self.digests[url] = digest
            written = json.dumps(dict(sorted(self.digests.items())), indent=1)
            _write(self._known, written.encode())


def main(args: list[str] | None = None) -> int:
    """Fetch what is missing and make the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, default=FETCHED, help="the folder (%(default)s)")
    parser.add_argument("--host", default=HOST, help="where the repositories are served")
    parser.add_argument("--only", choices=[s.name for s in SOURCES], action="append")
    parser.add_argument(
        "--accept", action="store_true", help="keep a table that is not the published figures'"
    )
    given = parser.parse_args(args)
    wanted = [s for s in SOURCES if not given.only or s.name in given.only]
    try:
        folder = Folder(given.into)
        whole = [
            _make(source, folder, given.host.rstrip("/"), accept=given.accept) for source in wanted
        ]
    except FetchError as error:
        _complain(str(error))
        return 1
    except OSError as error:
        _complain(f"{given.into}: {error.strerror or error}")
        return 1
    if not all(whole):
        _complain(f"to fetch files anew, if one arrived damaged: rm -r {given.into / 'raw'}")
    if all(whole):
        _say(f"complete: make bench-recorded reads {given.into}")
    return 0 if all(whole) else 1


def _make(source: Source, folder: Folder, host: str, *, accept: bool) -> bool:
    """Make one table; tell whether it is there."""
    place = folder.table(source)
    if _is_made(place, None if accept else source.digest):
        _say(f"kept     {source.name}")
        return True
    raw, of = {}, len(source.files)
    for number, file in enumerate(source.files, 1):
        raw[file.path] = path = folder.place(file)
        url, had = file.url(HOST), path.is_file()
        folder.remember(url, fetch(file.url(host), path, folder.digests.get(url)))
        size = f"{path.stat().st_size / 1e3:,.0f} kB"
        what = f"{number}/{of} {file.repository}/{file.path} {size}"
        _say(f"{'kept    ' if had else 'fetched '} {what}")
    try:
        text = source.text(raw)
    except (KeyError, ValueError, IndexError) as error:
        why = f"{type(error).__name__}: {error}"
        _complain(f"{source.name} cannot be made of its files ({why})")
        return False
    same = _digest(text) == source.digest
    if not same and not accept:
        _complain(
            f"{source.name} differs from the table that the figures in docs/measured.md were "
            "printed from; it was not kept (data.py --accept keeps it: figures will differ)"
        )
        return False
    _write(place, gzip.compress(text, mtime=0))
    _say(f"made     {source.name}: {'as published' if same else 'NOT as published'}")
    return True


def _is_made(place: Path, digest: str | None) -> bool:
    """Tell whether a table is there whole, and the one of a digest."""
    try:
        text = gzip.decompress(place.read_bytes())
    except FileNotFoundError:
        return False
    except (EOFError, zlib.error, gzip.BadGzipFile):
        _say(f"damaged  {place}: it is made anew")
        return False
    return digest in {None, _digest(text)}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(line: str) -> None:
    sys.stderr.write(f"make data: {line}\n")


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _write(place: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(place.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    sys.exit(main())
