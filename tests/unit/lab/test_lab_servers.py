# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.client
import socket
import typing as t
from collections.abc import Iterator

import pytest

from lab.servers import LOOPBACK, WsgiServer


def app(environ: dict[str, t.Any], start_response: t.Callable[..., t.Any]) -> list[bytes]:
    """Answers with what it was sent, or by another path otherwise."""
    path = environ["PATH_INFO"]
    if path == "/broken":
        raise ValueError("broken on purpose")
    if path == "/dropped":
        raise ConnectionResetError
    start_response("404 Not Found" if path == "/missing" else "200 OK", [("X-Port", str(environ["REMOTE_PORT"]))])
    return [] if path == "/unread" else [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


@pytest.fixture(name="connection")
def fixture_connection() -> Iterator[http.client.HTTPConnection]:
    server = WsgiServer(app)
    server.start()
    connection = http.client.HTTPConnection(LOOPBACK, int(server.url.rpartition(":")[2]), timeout=5)
    yield connection
    connection.close()
    server.stop()


def ask(connection: http.client.HTTPConnection, method: str, path: str, **arguments: t.Any) -> tuple[int, bytes, str | None]:
    connection.request(method, path, **arguments)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers["X-Port"]


def test_one_connection_takes_many_requests(connection: http.client.HTTPConnection) -> None:
    answers = [
        ask(connection, "GET", "/"),
        ask(connection, "POST", "/", body=b"some"),
        ask(connection, "POST", "/unread", body=b"x" * 100_000),
        ask(connection, "POST", "/", body=iter([b"in ", b"chunks"]), encode_chunked=True),
        ask(connection, "POST", "/missing", body=b"some"),
        ask(connection, "POST", "/", body=b"more"),
    ]
    assert [answer[:2] for answer in answers] == [
        (200, b"GET "),
        (200, b"POST some"),
        (200, b""),
        (200, b"POST in chunks"),
        (404, b"POST some"),
        (200, b"POST more"),
    ]
    assert len({port for _status, _body, port in answers}) == 1


def test_an_application_that_fails_answers_500(connection: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture) -> None:
    assert ask(connection, "GET", "/broken")[0] == 500
    assert "broken on purpose" in caplog.text
    assert ask(connection, "GET", "/")[0] == 200


def test_a_connection_can_be_dropped(connection: http.client.HTTPConnection) -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        ask(connection, "GET", "/dropped")


def test_a_request_that_was_cut_in_the_middle_asks_for_nothing() -> None:
    asked: list[str] = []

    def note(environ: dict[str, t.Any], start_response: t.Callable[..., t.Any]) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        return app(environ, start_response)

    server = WsgiServer(note)
    server.start()
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection((LOOPBACK, port), timeout=5) as client:
        client.sendall(b"POST /cut HTTP/1.1\r\nHost: lab\r\nContent-Length: 100\r\n\r\nhalf")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    assert ask(connection, "POST", "/whole", body=b"some")[:2] == (200, b"POST some")
    connection.close()
    server.stop()
    assert asked == ["/whole"]
