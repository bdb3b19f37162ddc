"""The folder that bulk work is written to: parts that are whole or not there.

A part is named after the ids of its batch, so a batch that Ray gives to another worker, because
the first one died, finds what was written and asks nothing twice. Rows that failed lie in files of
their own, named after the run: they are asked again by the next one, and replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from cascade_core.errors import ConfigurationError
from cascade_core.files import FileError, finite, read_json_lines, replacing
from cascade_core.scale.rows import mark_of_id

PartKind: TypeAlias = Literal["parquet", "jsonl"]
Marks: TypeAlias = npt.NDArray[np.bytes_]

_MARK = "S32"
_DONE = "done-"


@dataclass(frozen=True, slots=True)
class PartsFolder:
    """The parts in one folder, which every worker has to see.

    Attributes:
        folder: The folder.
        kind: What its files are.
        run: Names this run's failed rows.
    """

    folder: Path
    kind: PartKind
    run: str

    @classmethod
    def at(cls, out: str | Path, kind: str, run: str) -> PartsFolder:
        """Take a folder, and make it where there is none.

        Raises:
            ConfigurationError: It is no folder, or holds parts of another kind.
        """
        if kind not in get_args(PartKind):
            raise ConfigurationError(
                f"format {kind!r}: give one of {', '.join(get_args(PartKind))}"
            )
        if not isinstance(out, str | Path):
            raise ConfigurationError(f"out is {type(out).__name__}: give the path of a folder")
        folder = Path(out).absolute()  # a worker's working directory is another one
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{out}: give a folder for the parts ({error.strerror or 'it cannot be made'})"
            raise ConfigurationError(msg) from None
        odd = next((p for p in folder.glob("part-*") if p.suffix != f".{kind}"), None)
        if odd is not None:
            msg = f"{out} holds {odd.name}: go on with that format, or give another folder"
            raise ConfigurationError(msg)
        return cls(folder, kind, run)  # type: ignore[arg-type]

    def is_there(self, batch: str) -> bool:
        """Tell whether a batch was written before."""
        return self._part(batch).exists()

    def write(
        self,
        batch: str,
        answered: Sequence[Mapping[str, Any]],
        failed: Sequence[Mapping[str, Any]],
    ) -> None:
        """Write a batch; once its part is there, it is never done again.

        Raises:
            FileError: The folder cannot be written.
        """
        if failed:
            self._write(self.folder / f"failed-{self.run}-{batch}.{self.kind}", failed)
        if answered:
            self._write(self._part(batch), answered)

    def finish(self) -> None:
        """Take away what earlier runs failed on: it is answered, or has failed in this run too."""
        kept = f"failed-{self.run}-"
        left = (*self.folder.glob(".*.tmp"), *self.folder.glob(f"{_DONE}*"))
        for path in (*self.folder.glob("failed-*"), *left):
            if not path.name.startswith(kept):
                path.unlink(missing_ok=True)

    def keep_done(self) -> None:
        """Write down which rows are answered, for the workers: they share a machine's memory of it.

        Raises:
            FileError: A part cannot be read, or the folder cannot be written.
        """
        marks = [mark_of_id(row_id) for row_id in self._done_ids()]
        with replacing(self._kept_done) as file:
            np.save(file, np.sort(np.array(marks, dtype=_MARK)))

    def forget(self) -> None:
        """Take away what `keep_done` wrote."""
        self._kept_done.unlink(missing_ok=True)

    def done_before(self) -> Marks:
        """Return the marks of all rows that were answered when the run began; see `is_done`.

        Raises:
            ConfigurationError: The worker does not see the folder.
        """
        try:
            found: Marks = np.load(self._kept_done, mmap_mode="r")
        except OSError as error:
            msg = f"{self.folder} is not seen by all workers: give a folder that they share"
            raise ConfigurationError(msg) from error
        return found

    def _done_ids(self) -> Iterator[str]:
        for path in sorted(self.folder.glob(f"part-*.{self.kind}")):
            for row in self._read(path, ["id"]):
                if not isinstance(row.get("id"), str):
                    raise FileError(str(path), "has a row without its id; delete it")
                yield row["id"]

    @property
    def _kept_done(self) -> Path:
        return self.folder / f"{_DONE}{self.run}.npy"

    def _part(self, batch: str) -> Path:
        return self.folder / f"part-{batch}.{self.kind}"

    def _write(self, path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        with replacing(path) as file:
            if self.kind == "jsonl":
                file.writelines(_lines(rows))
                return
            arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
            parquet.write_table(arrow.Table.from_pylist([_storable(row) for row in rows]), file)

    def _read(self, path: Path, columns: list[str] | None) -> Iterator[Mapping[str, Any]]:
        if self.kind == "jsonl":
            for _, row in read_json_lines(path):
                yield row
            return
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=columns):
                    yield from batch.to_pylist()
        except (OSError, arrow.ArrowException):
            raise FileError(str(path), "is no Parquet file, or is damaged; delete it") from None


def is_done(ids: Sequence[str], done: Marks) -> list[bool]:
    """Tell of each id whether it is among those done."""
    if not len(done) or not ids:
        return [False] * len(ids)
    marks = np.array([mark_of_id(row_id) for row_id in ids], dtype=_MARK)
    places = np.minimum(np.searchsorted(done, marks), len(done) - 1)
    return [bool(found) for found in done[places] == marks]


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield f"{json.dumps(finite(dict(row)), ensure_ascii=False)}\n".encode("utf-8", "replace")


def _storable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in row.items()
    }
