"""`make data`: files arrive whole or not at all, and the tables made of them are the recorded ones.

Nothing here leaves the machine: a server in a thread stands in for the repositories.
"""

from __future__ import annotations

import csv
import errno
import gzip
import hashlib
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import fetching, public_data
from tests.benchmarks.fetching import FetchError, fetch
from tests.benchmarks.recorded_data import FILES

ROOT = Path(__file__).resolve().parents[2]
BODY = bytes(range(256)) * 1000


class Server(ThreadingHTTPServer):
    """Serves bodies by path, and can be told to misbehave."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: dict[str, bytes] = {"/file": BODY}
        self.cuts: list[int] = []  # after so many bytes, one for each answer
        self.errors: list[int] = []  # statuses, one for each answer
        self.moved: dict[str, str] = {}
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.asked.append((self.path, asked))
        if server.errors:
            self.send_error(server.errors.pop(0))
            return
        if self.path in server.moved:
            self.send_response(302)
            self.send_header("Location", server.moved[self.path])
            self.end_headers()
            return
        body = server.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        tag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        start = 0
        if asked and self.headers.get("If-Range") == tag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        sent = body[start:]
        self.wfile.write(sent[: server.cuts.pop(0)] if server.cuts else sent)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# --- one file -------------------------------------------------------------------------------------


def test_a_file_arrives_whole_and_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "deep" / "file"
    digest = hashlib.sha256(BODY).hexdigest()
    assert fetch(f"{server.url}/file", place) == digest
    assert place.read_bytes() == BODY
    assert fetch(f"{server.url}/file", place, digest) == digest
    assert len(server.asked) == 1
    assert left(tmp_path) == ["file"]


def test_a_transfer_that_was_cut_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.cuts = [1000, 70_000]
    fetch(f"{server.url}/file", tmp_path / "file", pause=0)
    assert (tmp_path / "file").read_bytes() == BODY
    assert [asked for _, asked in server.asked] == [None, "bytes=1000-", "bytes=71000-"]
    assert left(tmp_path) == ["file"]


def test_a_later_run_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.cuts = [10, 10, 10, 10]
    with pytest.raises(FetchError, match="was cut; what has arrived is kept"):
        fetch(f"{server.url}/file", tmp_path / "file", pause=0)
    assert not (tmp_path / "file").exists()
    fetch(f"{server.url}/file", tmp_path / "file", pause=0)
    assert server.asked[-1][1] == "bytes=40-"
    assert (tmp_path / "file").read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(
    server: Server, tmp_path: Path
) -> None:
    server.cuts = [10] * fetching.TRIES
    with pytest.raises(FetchError):
        fetch(f"{server.url}/file", tmp_path / "file", pause=0)
    server.bodies["/file"] = b"other"
    fetch(f"{server.url}/file", tmp_path / "file", pause=0)
    assert (tmp_path / "file").read_bytes() == b"other"


def test_a_wrong_digest_is_said_and_nothing_is_kept(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="0000 was expected; it was not kept"):
        fetch(f"{server.url}/file", tmp_path / "file", "0" * 64, pause=0)
    assert left(tmp_path) == []


def test_a_file_that_was_changed_on_the_disk_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(FetchError, match="is not the file it was"):
        fetch(f"{server.url}/file", tmp_path / "file", "0" * 64)
    assert (tmp_path / "file").read_bytes() == b"mine"
    assert server.asked == []


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    server.moved["/old"] = f"{server.url}/file"
    fetch(f"{server.url}/old", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


def test_what_is_not_there_is_said_at_once(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="/none: 404 Not Found") as caught:
        fetch(f"{server.url}/none", tmp_path / "file", pause=0)
    assert not caught.value.hopeless
    assert len(server.asked) == 1
    assert left(tmp_path) == []


def test_a_server_that_is_busy_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.errors = [503, 429]
    fetch(f"{server.url}/file", tmp_path / "file", pause=0)
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("when", ["half of it is there", "it is moved"])
def test_without_space_nothing_is_left(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def half(response: Any) -> Iterator[bytes]:
        yield response.read(1000)
        full()

    if when == "it is moved":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(fetching, "_pieces", half)
    with pytest.raises(FetchError, match="cannot be written: No space left on device") as caught:
        fetch(f"{server.url}/file", tmp_path / "file")
    assert caught.value.hopeless
    assert left(tmp_path) == []


# --- all of them ----------------------------------------------------------------------------------


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tests/benchmarks/data.py", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_network_it_says_one_line_and_writes_nothing(tmp_path: Path) -> None:
    with Server() as closed:
        nowhere = closed.url
    ended = run("--into", str(tmp_path / "data"), "--host", nowhere, "--only", "routellm_gsm8k")
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("make data: no way to 127.0.0.1:")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_another_is_not_kept_unless_one_says_so(
    server: Server, tmp_path: Path
) -> None:
    source = public_data.SOURCES[0]
    answers, contaminated = source.files
    models = [name for name, _ in public_data._TWO.values()]
    columns = ["prompt", *models, *(f"{name}_response" for name in models)]
    text = ",".join(columns) + "\nHow many?,True,False,4,5\nSeen?,True,True,1,1\n"
    server.bodies = {
        answers.url(""): text.encode(),
        contaminated.url(""): b'{"eval_prompt": "Seen?"}\n',
    }
    given = ["--into", str(tmp_path), "--host", server.url, "--only", source.name]
    ended = run(*given)
    assert ended.returncode == 1
    assert "differs from the table that the figures in docs/measured.md" in ended.stderr
    assert f"if one arrived damaged: rm -r {tmp_path / 'raw'}" in ended.stderr
    assert ended.stdout.splitlines()[0].startswith("fetched  1/2 lm-sys/RouteLLM/routellm/evals")
    assert not (tmp_path / FILES[0]).exists()
    asked = len(server.asked)
    ended = run(*given, "--accept")
    assert ended.returncode == 0, ended.stderr
    assert len(server.asked) == asked
    with gzip.open(tmp_path / FILES[0], "rt", encoding="utf-8") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["id"], row["weak_correct"], row["strong_correct"]) == ("gsm8k-0", "1", "0")
    known = json.loads((tmp_path / "raw" / "checksums.json").read_text())
    assert known == {
        file.url(public_data.HOST): hashlib.sha256(server.bodies[file.url("")]).hexdigest()
        for file in source.files
    }


def test_the_tables_are_those_that_were_recorded(
    server: Server, tmp_path: Path, data_dir: Path
) -> None:
    server.bodies = dict(undone(data_dir))
    ended = run("--into", str(tmp_path), "--host", server.url)
    assert ended.returncode == 0, ended.stderr
    made = [line for line in ended.stdout.splitlines() if line.startswith("made")]
    assert made == [f"made     {source.name}: as published" for source in public_data.SOURCES]
    again = run("--into", str(tmp_path), "--host", server.url)
    assert again.stdout.splitlines()[:-1] == [f"kept     {s.name}" for s in public_data.SOURCES]
    # A table that is cut off on the disk is made anew of the files.
    table = tmp_path / FILES[0]
    whole = table.read_bytes()
    table.write_bytes(whole[: len(whole) // 2])
    healed = run("--into", str(tmp_path), "--only", public_data.SOURCES[0].name)
    assert (healed.returncode, healed.stderr, table.read_bytes()) == (0, "", whole)
    assert healed.stdout.startswith(f"damaged  {table}: it is made anew\n")
    known = tmp_path / "raw" / "checksums.json"
    known.write_text("{")
    ended = run("--into", str(tmp_path))
    assert (ended.returncode, ended.stderr) == (1, f"make data: {known} is damaged: delete it\n")


def undone(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Take the recorded tables apart, into files of the shape that their sources have."""
    tables = [list(_rows(folder / name)) for name in FILES]
    for source, rows, undo in zip(
        public_data.SOURCES, tables, (_routellm, _zeroeval, _choices), strict=True
    ):
        files = undo(rows)
        for file in source.files:
            yield file.url(""), files[file.path].encode()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(1 << 24)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _routellm(rows: list[dict[str, str]]) -> Mapping[str, str]:
    models = [name for name, _ in public_data._TWO.values()]
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["prompt", *models, *(f"{name}_response" for name in models)])
    by_id = {int(row["id"].removeprefix("gsm8k-")): row for row in rows}
    seen = []
    for place in range(max(by_id) + 1):
        row = by_id.get(place)
        if row is None:
            seen.append(f"left out {place}")
            writer.writerow([seen[-1], True, True, "", ""])
            continue
        right = [row[f"{which}_correct"] == "1" for which in ("weak", "strong")]
        said = [row[f"{which}_response"] for which in ("weak", "strong")]
        writer.writerow([row["prompt"], *right, *said])
    lines = "\n".join(json.dumps({"eval_prompt": prompt}) for prompt in seen)
    return {public_data._ANSWERS: written.getvalue(), public_data._CONTAMINATED: lines}


def _zeroeval(rows: list[dict[str, str]]) -> Mapping[str, str]:
    outputs: dict[str, dict[str, str]] = {}
    asked = {row["id"]: row for row in rows}
    for row in rows:
        for name in public_data._OTHERS:
            if (said := row[f"aux_answer__{name}"]) or name != row["weak_model"]:
                outputs.setdefault(name, {}).setdefault(row["id"], _said(said))
        into, out = public_data._PRICES[row["strong_model"]]
        paid = float(row["strong_cost"]) * 4e6
        length = round((paid - (len(row["prompt"]) + public_data._AROUND) * into) / out)
        of_strong = outputs.setdefault(row["strong_model"], {})
        of_strong[row["id"]] = _said(row["strong_answer"]).rjust(length)
    for row in rows:
        outputs.setdefault(row["weak_model"], {})[row["id"]] = row["weak_response"]
    return {
        public_data._answers_of(model): json.dumps(
            [
                {
                    "id": name,
                    "question": asked[name]["prompt"],
                    "answer": asked[name]["gold"],
                    "output": [text],
                }
                for name, text in texts.items()
            ]
        )
        for model, texts in outputs.items()
    }


def _said(answer: str) -> str:
    return "cut off" if not answer else json.dumps({"answer": answer.removesuffix(".0")})


def _choices(rows: list[dict[str, str]]) -> Mapping[str, str]:
    graded: dict[tuple[str, str, str], dict[int, tuple[str, str]]] = {}
    for row in rows:
        dataset, place = row["dataset"].removeprefix("bplaut_"), int(row["id"])
        for model, prompt, right, confidence in (
            (row["weak_model"], "first", row["weak_correct"], row["weak_conf"]),
            (row["weak_model"], "second", row["weak_correct_prompt2"], row["weak_conf_prompt2"]),
            (row["strong_model"], "first", row["strong_correct"], row["strong_conf"]),
        ):
            grade = "Correct" if right == "1" else "Wrong"
            graded.setdefault((dataset, model, prompt), {})[place] = grade, confidence
    files = {}
    for (dataset, model, prompt), answers in graded.items():
        for path in public_data._read_choices(dataset, model, prompt):
            start, end = path.partition("-q")[2].partition("_")[0].split("to")
            lines = [" ".join(answers[place]) for place in range(int(start), int(end))]
            files[path] = "\n".join(["grade confidence_level", *lines, ""])
    return files
