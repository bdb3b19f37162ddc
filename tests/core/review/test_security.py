"""Nobody without the token sees or writes anything, and no other site does through a browser."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from uvicorn.server import ServerState

from cascade_core.errors import ConfigurationError
from cascade_core.log.reading import database_to_read
from cascade_core.log.urls import only_read
from cascade_core.review import app as app_module
from cascade_core.review import serving
from cascade_core.review.forms import MOST_BYTES
from cascade_core.review.security import ANSWER_HEADERS
from cascade_core.review.serving import open_socket
from tests.core.review.logs import everything
from tests.core.review.served import HOST, SECRET, Asked, Server, ask, serve
from tests.core.traffic.storing import store

PAGES = ["/", "/thresholds", "/classes", "/decisions", "/policy"]
STATIC = ["/static/review.css", "/static/review.js", "/static/vendor/uPlot-1.6.32.iife.min.js"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "log.db"
    store(everything(), f"sqlite:///{file}")
    return file


@pytest.fixture
def asked(database: Path) -> Asked:
    return ask(database)


@pytest.fixture(scope="module")
def server(database: Path) -> Iterator[Server]:
    with serve(f"sqlite:///{database}") as started:
        yield started


# ---- the token -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [*PAGES, *STATIC, "/refresh", "/static/no.css", "/nowhere", "/%00"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "TRACE", "OPTIONS", "MADE-UP"])
def test_without_the_token_there_is_nothing_to_see(asked: Asked, path: str, method: str) -> None:
    answer = asked.client.request(method, path, follow_redirects=False)
    assert answer.status_code == 403
    assert "html" not in answer.headers["content-type"]
    assert asked.bench.source.shown not in answer.text


@pytest.mark.parametrize(
    "shown",
    ["", "wrong", "x" * 32, "ü", "\ud800", "%00", "a" * 50_000],
    ids=["none", "short", "as long", "no ascii", "half", "escape", "long"],
)
def test_a_wrong_token_is_none(asked: Asked, shown: str) -> None:
    told = shown.encode("utf-8", "replace").decode()
    assert asked.client.get("/", params={"token": told}).status_code == 403
    headers = {"Authorization": b"Bearer " + told.encode()}
    assert asked.client.get("/", headers=headers).status_code == 403
    cookie = {"Cookie": b"cascade_review_8123=" + told.encode()}
    assert asked.client.get("/", headers=cookie).status_code == 403


def test_the_token_becomes_a_cookie_and_leaves_the_address(asked: Asked) -> None:
    token = asked.bench.token
    answer = asked.client.get(f"/classes?since=7d&token={token}&by=tag", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/classes?since=7d&by=tag"
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert "expires" not in cookie  # it ends with the browser
    page = asked.client.get(answer.headers["location"])
    assert page.status_code == 200
    assert token not in page.text
    assert token not in str(page.headers)


@pytest.mark.parametrize("path", ["/decisions/a%3Fb%23c%25d%2Fe", "/decisions/a%5Cb"])
def test_the_address_without_the_token_is_of_the_same_page(asked: Asked, path: str) -> None:
    answer = asked.client.get(f"{path}?token={asked.bench.token}", follow_redirects=False)
    assert answer.headers["location"].replace("/e", "%2Fe") == path


def test_a_token_in_the_address_leads_nowhere_else(asked: Asked) -> None:
    answer = asked.client.get(
        f"http://{HOST}//evil.example/?token={asked.bench.token}", follow_redirects=False
    )
    assert answer.headers["location"] == "/evil.example/"


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example", "/\\evil.example", ""])
def test_reading_again_leads_nowhere_else(asked: Asked, to: str) -> None:
    answer = asked.enter().get("/refresh", params={"to": to}, follow_redirects=False)
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_a_token_is_compared_in_a_time_that_says_nothing(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []

    def compare(shown: bytes, right: bytes) -> bool:
        compared.append(shown)
        return hmac.compare_digest(shown, right)

    monkeypatch.setattr(secrets, "compare_digest", compare)
    asked.client.get("/?token=guess", headers={"Cookie": "cascade_review_8123=other"})
    asked.client.get("/", headers={"Authorization": "Bearer third"})
    assert {b"guess", b"other", b"third"} <= set(compared)


def test_two_reviews_do_not_take_each_others_cookies(database: Path, server: Server) -> None:
    with serve(f"sqlite:///{database}", "--read-only") as other:
        first, second = server.send(_get(server)), other.send(_get(other))
        cookies = [
            said.partition(b"set-cookie: ")[2].partition(b"=")[0] for said in (first, second)
        ]
        assert cookies == [f"cascade_review_{each.port}".encode() for each in (server, other)]
        assert server.token != other.token


def _get(server: Server) -> bytes:
    return (
        f"GET /?token={server.token} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


# ---- other sites -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:8123", "", f"{HOST}.evil"]
)
def test_under_another_name_nothing_is_shown(asked: Asked, host: str) -> None:
    """A site whose name was made to lead here would be of the same origin for a browser."""
    answer = asked.enter().get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert asked.bench.source.shown not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": f"https://{HOST}"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_another_site_cannot_send_a_form(asked: Asked, headers: dict[str, str]) -> None:
    client = asked.enter()
    form = {"csrf": asked.bench.csrf, "note": "x"}
    answer = client.post("/write", data=form, headers=headers)
    assert answer.status_code == 403
    assert asked.written == []


@pytest.mark.parametrize("proof", [None, "", "wrong", "ü"])
def test_a_form_without_the_pages_proof_writes_nothing(asked: Asked, proof: str | None) -> None:
    form = {"note": "x"} if proof is None else {"note": "x", "csrf": proof}
    answer = asked.enter().post("/write", data=form)
    assert answer.status_code == 403
    assert "load the page again" in answer.text
    assert asked.written == []


def test_a_form_of_the_page_is_taken(asked: Asked) -> None:
    client = asked.enter()
    own = {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/write", data={"note": "x", "csrf": asked.bench.csrf}, headers=own)
    assert answer.status_code == 200
    by_script = {"X-CSRF-Token": asked.bench.csrf, **own}
    client.post("/write", data={"note": "y"}, headers=by_script)
    assert asked.written == [{"note": "x"}, {"note": "y"}]


def test_a_program_that_has_the_token_needs_no_more(asked: Asked) -> None:
    headers = {"Authorization": f"Bearer {asked.bench.token}"}
    asked.client.post("/write", data={"note": "x"}, headers=headers)
    assert asked.written == [{"note": "x"}]


def test_a_form_has_a_size(asked: Asked) -> None:
    form = {"csrf": asked.bench.csrf, "note": "x" * MOST_BYTES}
    assert asked.enter().post("/write", data=form).status_code == 413
    assert asked.written == []


# ---- writing -----------------------------------------------------------------------------------


def _routes(asked: Asked) -> list[Route]:
    found = [route for route in asked.app.routes if not isinstance(route, Mount)]
    assert all(isinstance(route, Route) for route in found)
    return found  # type: ignore[return-value]


def test_only_forms_are_posted_and_forms_are_only_posted(asked: Asked) -> None:
    for route in _routes(asked):
        takes_forms = getattr(route.endpoint, "takes_forms", False)
        assert takes_forms == (route.methods == {"POST"}), route.path
        assert takes_forms or route.methods == {"GET", "HEAD"}, route.path


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "MADE-UP"])
def test_other_methods_are_refused(asked: Asked, method: str) -> None:
    client = asked.enter()
    assert client.request(method, "/").status_code == 405
    assert client.request(method, "/write").status_code == 405
    assert client.request("GET", "/write").status_code == 405
    assert asked.written == []


def test_head_is_get_without_its_page(asked: Asked) -> None:
    answer = asked.enter().head("/")
    assert answer.status_code == 200
    assert answer.text == ""


def test_read_only_refuses_every_form(database: Path) -> None:
    asked = ask(database, read_only=True)
    client = asked.enter()
    posts = [route for route in _routes(asked) if route.methods == {"POST"}]
    assert posts
    for route in posts:
        path = route.path.replace("{", "").replace("}", "")
        answer = client.post(path, data={"csrf": asked.bench.csrf, "note": "x"})
        assert answer.status_code == 403, path
        assert "--read-only" in answer.text
        bearer = {"Authorization": f"Bearer {asked.bench.token}"}
        assert client.post(path, headers=bearer).status_code == 403
    assert asked.written == []
    assert "Read only." in client.get("/").text


def test_a_database_that_is_only_read_refuses_what_is_written(database: Path) -> None:
    import sqlalchemy as sa

    opened = database_to_read(only_read(f"sqlite:///{database}"))
    with opened.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM decisions"))
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            connection.execute(sa.text("DELETE FROM decisions"))
    with pytest.raises(ConfigurationError, match="there is no file"):
        database_to_read(only_read(f"sqlite:///{database}.not"))


def test_an_odd_name_of_a_file_can_be_read_only(tmp_path: Path) -> None:
    file = tmp_path / "a b%20#ü.db"
    store(everything(), f"sqlite:///{file}")
    with database_to_read(only_read(f"sqlite:///{file}")).reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar()


def test_a_servers_database_is_asked_to_refuse_too() -> None:
    only = only_read("postgresql://u@h/db?sslmode=require")
    assert only.endswith("?sslmode=require&options=-c%20default_transaction_read_only%3Don")
    assert only_read(only) == only
    assert only_read("sqlite:///x.db?mode=ro") == "sqlite:///x.db?mode=ro"


# ---- answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *((path, 200) for path in [*PAGES, *STATIC]),
        ("/nowhere", 404),
        ("/static/no.css", 404),
        ("/static/", 404),
        ("/write", 405),
        ("/?since=nonsense", 400),
        ("/broken", 500),
    ],
)
def test_every_answer_says_what_a_browser_may_do_with_it(
    asked: Asked, path: str, status: int
) -> None:
    answer = asked.enter().get(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in ANSWER_HEADERS} == ANSWER_HEADERS
    assert "server" not in answer.headers


def test_refusals_say_the_same(asked: Asked) -> None:
    for answer in (asked.client.get("/"), asked.client.get("/", headers={"Host": "evil.example"})):
        assert {name: answer.headers.get(name) for name in ANSWER_HEADERS} == ANSWER_HEADERS


def test_scripts_and_styles_are_the_servers_own(asked: Asked) -> None:
    policy = ANSWER_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for path in PAGES:
        text = asked.enter().get(path).text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "<script>" not in text
        assert "http://" not in text
        assert "https://" not in text


def test_an_error_shows_nothing_of_what_people_wrote(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = asked.enter().get("/broken")
    assert answer.text == "this page could not be made (RuntimeError); the others still work"
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "Traceback" not in said
    assert "RuntimeError at " in said
    assert asked.client.get("/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/%2e%2e%2fapp.py",
        "/static/vendor/../../app.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..%00/app.py",
    ],
)
def test_files_beside_the_static_ones_are_not_served(server: Server, path: str) -> None:
    """Over a socket: a client in Python would tidy the path first."""
    answer = server.get(path)
    assert answer.split(b" ", 2)[1] in {b"404", b"400", b"500"}
    assert b"Starlette" not in answer
    assert b"root:" not in answer
    assert (app_module.STATIC.parent / "app.py").is_file()


# ---- the server ----------------------------------------------------------------------------------


def test_it_listens_on_loopback_alone(server: Server) -> None:
    """Every address of the machine but this one refuses, those of the loopback network too."""
    socket.create_connection(("127.0.0.1", server.port), timeout=30).close()
    # In a process of its own: these tests may connect to this one address alone.
    other = f"import socket; socket.create_connection(('127.0.0.2', {server.port}), timeout=30)"
    ran = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
    assert "ConnectionRefusedError" in ran.stderr


def test_a_port_that_is_taken_is_one_clear_error() -> None:
    with open_socket(0) as taken:
        assert taken.getsockname()[0] == "127.0.0.1"
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"--port {port} cannot be taken"):
            open_socket(port)


def test_bad_and_slow_clients_do_not_stop_it(server: Server) -> None:
    slow = []
    for _ in range(50):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        slow.append(connection)
    try:
        assert b" 200 " not in server.get("/", f"X-Long: {'x' * 1_000_000}")[:20]
        assert b" 400 " in server.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")[:20]
        assert b" 200 " in server.get("/")[:20]
    finally:
        for connection in slow:
            connection.close()


def test_a_socket_that_wants_to_be_more_gets_a_page(server: Server) -> None:
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: x"]
    assert b" 101 " not in server.get("/", *upgrade)[:20]


@pytest.mark.processes
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_with_nothing_to_say(database: Path, told: signal.Signals) -> None:
    with serve(f"sqlite:///{database}") as server:
        assert b" 200 " in server.get("/")[:20]
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        server.process.send_signal(told)
        out, err = server.process.communicate(timeout=30)
        idle.close()
    assert server.process.returncode == 0
    assert server.token not in out + err  # its first line was read; nothing was logged since
    assert err == ""


@pytest.mark.processes
def test_whoever_ends_it_as_soon_as_it_has_an_address_gets_status_0(database: Path) -> None:
    with serve(f"sqlite:///{database}") as server:
        server.process.send_signal(signal.SIGINT)
        out, err = server.process.communicate(timeout=30)
    assert (server.process.returncode, err) == (0, ""), out


def test_what_it_serves_read_only_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    store(everything(), f"sqlite:///{file}")
    before = _all(file)
    with serve(f"sqlite:///{file}", "--read-only") as server:
        for path in PAGES:
            assert b" 200 " in server.get(path)[:20]
        head = f"POST /write HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        refused = server.send(
            f"{head}Authorization: Bearer {server.token}\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        assert refused.split(b" ", 2)[1] in {b"403", b"404", b"405"}
    assert _all(file) == before


def _all(file: Path) -> list[str]:
    database = sqlite3.connect(file)
    try:
        return list(database.iterdump())
    finally:
        database.close()


def test_the_client_of_these_tests_is_no_browser(asked: Asked) -> None:
    """It sends neither Origin nor Sec-Fetch-Site unless a test says so."""
    assert isinstance(asked.client, TestClient)
    assert not {"origin", "sec-fetch-site"} & set(asked.client.headers)


def test_a_connection_that_asks_for_nothing_is_closed() -> None:
    async def opened() -> bytes:
        config = uvicorn.Config(lambda: None, http=serving._Impatient, lifespan="off")
        config.load()
        state = ServerState()
        served = await asyncio.get_running_loop().create_server(
            lambda: serving._Impatient(config, state, {}), "127.0.0.1", 0
        )
        async with served:
            reader, writer = await asyncio.open_connection(*served.sockets[0].getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: ")
            found = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "SECONDS_TO_ASK", 0.05)
        assert asyncio.run(opened()) == b""
