# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP client against a real server, since keep-alive, retries and time limits are what matters."""

from __future__ import annotations

import json
import socket
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone import http_client
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.answer import Allowance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.http_client import RETRIES, HttpClient
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError

SECRET = "ApiKey tmc12Example:SecretPart"


@dataclass
class Answer:
    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False  # close the connection instead of answering
    stall: bool = False  # never answer


@dataclass
class Server:
    """Gives the stated answers in turn, the last one for ever, and records what it was asked."""

    url: str
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    requests: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def calls(self) -> list[str]:
        return [f"{method} {path}" for method, path, _headers, _body in self.requests]


@pytest.fixture
def server() -> t.Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            state.connections += 1

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            state.requests.append((self.command, self.path, dict(self.headers), body))
            answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            if answer.stall:
                state.over.wait()
            if answer.drop or answer.stall:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(answer.body.encode())), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        do_GET = do_POST = do_DELETE = handle_one

        def log_message(self, *args: t.Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *_arguments: None  # type: ignore[method-assign]  # a client may hang up
    state = Server(f"http://127.0.0.1:{httpd.server_port}/api")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before retries, not really made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def make_client(url: str, timeout: float = 5, concurrency: int = 4, **headers: str) -> HttpClient:
    return HttpClient(url, {"Authorization": SECRET, "api-version": "v1", **headers}, timeout=timeout, verify=True, concurrency=concurrency)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_request_and_its_answer(server: Server) -> None:
    server.answers = [Answer(body='{"ok": [1]}')]
    answer = make_client(server.url).request_json("POST", "/appliances", params={"cursor": "", "limit": 5}, json={"a": 1})
    assert answer == {"ok": [1]}
    [(method, path, headers, body)] = server.requests
    assert (method, path, json.loads(body)) == ("POST", "/api/appliances?cursor=&limit=5", {"a": 1})
    assert (headers["Authorization"], headers["api-version"], headers["Content-Type"]) == (SECRET, "v1", "application/json")


def test_given_headers_win(server: Server) -> None:
    make_client(server.url, **{"Content-Type": "application/vnd.api+json"}).request_json("POST", "/x", json={})
    assert server.requests[0][2]["Content-Type"] == "application/vnd.api+json"


def test_requests_leave_nothing_for_the_next_one(server: Server) -> None:
    server.answers = [Answer(headers={"Set-Cookie": "seen=1"}), Answer()]
    client = make_client(server.url)
    client.request_json("POST", "/x", params={"q": "ä b"}, json={"a": 1})
    client.request_json("GET", "/y")
    client.request_json("DELETE", "/z")
    assert server.calls == ["POST /api/x?q=%C3%A4+b", "GET /api/y", "DELETE /api/z"]
    for _method, _path, headers, body in server.requests[1:]:
        assert body == ""
        assert not {"Content-Type", "Cookie"} & set(headers)
        assert headers.get("Content-Length", "0") == "0"


@pytest.mark.parametrize("answer", [Answer(status=204, body=""), Answer(body="")])
def test_no_body_is_none(server: Server, answer: Answer) -> None:
    server.answers = [answer]
    assert make_client(server.url).request_json("DELETE", "/appliances/1", expect=(200, 204)) is None


def test_connections_are_kept_and_shared(server: Server) -> None:
    client = make_client(server.url, concurrency=4)
    with ThreadPoolExecutor(4) as executor:
        list(executor.map(lambda number: client.request_json("GET", f"/{number}"), range(40)))
    assert len(server.requests) == 40
    assert server.connections <= 4


def test_netrc_does_not_replace_the_key(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    make_client(server.url).request_json("GET", "/x")
    assert server.requests[0][2]["Authorization"] == SECRET


def test_redirects_are_not_followed(server: Server) -> None:
    server.answers = [Answer(status=302, headers={"Location": server.url + "/elsewhere"})]
    with pytest.raises(ApiError, match="redirects elsewhere, which is not followed: check its URL") as caught:
        make_client(server.url).request_json("GET", "/x")
    assert caught.value.status == 302
    assert server.calls == ["GET /api/x"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_get_is_retried_with_growing_pauses(server: Server, pauses: list[float], status: int) -> None:
    server.answers = [Answer(status=status), Answer(status=status), Answer(status=status), Answer(body='{"ok": 1}')]
    assert make_client(server.url).request_json("GET", "/x") == {"ok": 1}
    assert len(server.requests) == 4
    assert server.connections == 1
    for pause, longest in zip(pauses, (0.5, 1, 2), strict=True):
        assert longest / 2 <= pause <= longest


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("retry_after", "pause"), [("7", 7), ("100000", 60)])
def test_retry_after_is_honoured_but_bounded(server: Server, pauses: list[float], status: int, retry_after: str, pause: float) -> None:
    server.answers = [Answer(status=status, headers={"Retry-After": retry_after}), Answer()]
    make_client(server.url).request_json("GET", "/x")
    assert pauses == [pause]


@pytest.mark.parametrize("retry_after", ["soon", "0", "Thu, 01 Jan 2015 00:00:00 GMT"])
def test_a_retry_after_that_says_nothing_is_ignored(server: Server, pauses: list[float], retry_after: str) -> None:
    server.answers = [Answer(status=503, headers={"Retry-After": retry_after}), Answer()]
    make_client(server.url).request_json("GET", "/x")
    assert len(pauses) == 1
    assert 0.25 <= pauses[0] <= 0.5


@pytest.mark.parametrize(("status", "hint"), [(429, "lower concurrency"), (503, "The service is down")])
def test_retries_end(server: Server, pauses: list[float], status: int, hint: str) -> None:
    server.answers = [Answer(status=status, body='{"message": "busy"}')]
    with pytest.raises(ApiError, match=hint) as caught:
        make_client(server.url).request_json("GET", "/x")
    assert (caught.value.status, caught.value.details) == (status, "busy")
    assert len(server.requests) == RETRIES + 1


@pytest.mark.parametrize("status", [500, 501])
def test_other_failures_are_not_retried(server: Server, pauses: list[float], status: int) -> None:
    server.answers = [Answer(status=status)]
    with pytest.raises(ApiError, match="The service is down"):
        make_client(server.url).request_json("GET", "/x")
    assert (len(server.requests), pauses) == (1, [])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("answer", [Answer(status=503, headers={"Retry-After": "1"}), Answer(status=502), Answer(status=504)])
def test_what_must_not_happen_twice_is_sent_once(server: Server, pauses: list[float], method: str, answer: Answer) -> None:
    server.answers = [answer]
    with pytest.raises(ApiError):
        make_client(server.url).request_json(method, "/x")
    assert (len(server.requests), pauses) == (1, [])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_refusal_for_too_many_requests_is_always_retried(server: Server, pauses: list[float], method: str) -> None:
    server.answers = [Answer(status=429), Answer(status=429, headers={"Retry-After": "3"}), Answer()]
    make_client(server.url).request_json(method, "/x")
    assert len(server.requests) == 3
    assert pauses[1] == 3


def test_a_repeatable_post_is_retried(server: Server, pauses: list[float]) -> None:
    server.answers = [Answer(status=503), Answer(drop=True), Answer(body='{"ok": 1}')]
    assert make_client(server.url).request_json("POST", "/search", json={"q": 1}, repeatable=True) == {"ok": 1}
    assert [json.loads(body) for _method, _path, _headers, body in server.requests] == [{"q": 1}] * 3


def test_a_get_survives_a_dropped_connection(server: Server, pauses: list[float]) -> None:
    server.answers = [Answer(drop=True), Answer(body='{"ok": 1}')]
    assert make_client(server.url).request_json("GET", "/x") == {"ok": 1}


@pytest.mark.parametrize("answer", [Answer(drop=True), Answer(stall=True)])
def test_a_post_of_unknown_fate_says_so(server: Server, answer: Answer) -> None:
    server.answers = [answer]
    with pytest.raises(ApiError, match="not known whether the request was carried out") as caught:
        make_client(server.url, timeout=0.2).request_json("POST", "/x")
    assert caught.value.status is None
    assert len(server.requests) == 1


def test_no_answer_in_time(server: Server, pauses: list[float]) -> None:
    server.answers = [Answer(stall=True)]
    with pytest.raises(ApiError, match=r"GET http://127.0.0.1:\d+/api/x: no answer: .*timed out.*raise api_timeout") as caught:
        make_client(server.url, timeout=0.1).request_json("GET", "/x")
    assert (caught.value.status, caught.value.method, caught.value.path) == (None, "GET", "/x")
    assert len(server.requests) == RETRIES + 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_listens(pauses: list[float], method: str) -> None:
    with pytest.raises(ApiError, match="no answer: .*refused.*Check the region and URL of the API"):
        make_client(f"http://127.0.0.1:{free_port()}/api").request_json(method, "/x")
    assert len(pauses) == RETRIES  # the request was never sent, so even a POST is tried again


def test_the_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/api"))
    monkeypatch.setenv("NO_PROXY", "")
    make_client("http://api.invalid/api").request_json("GET", "/x")
    assert server.calls == ["GET http://api.invalid/api/x"]


def test_a_proxy_that_is_down_is_no_direct_connection(server: Server, monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(ApiError, match="HTTP_PROXY"):
        make_client(server.url).request_json("GET", "/x")
    assert server.requests == []


def test_tls_that_is_none_is_not_retried(server: Server, pauses: list[float]) -> None:
    with pytest.raises(ApiError, match="ca_path"):
        make_client(server.url.replace("http:", "https:")).request_json("GET", "/x")
    assert pauses == []


def test_ca_path_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is ``False``; requests itself would take the environment's file."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/bundle.pem")
    client = HttpClient(f"https://127.0.0.1:{free_port()}", {}, timeout=1, verify=False, concurrency=1)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with pytest.raises(ApiError, match="refused"):
        client.request_json("GET", "/x")


@pytest.mark.parametrize(
    ("status", "body", "details", "hint"),
    [
        (400, '{"details": "bad logName"}', "bad logName", "refused the content of the request"),
        (401, '{"message": "Authorization Required"}', "Authorization Required", "API key is valid"),
        (403, '{"message": "no"}', "no", "lacks the right"),
        (404, '{"message": ""}', "{'message': ''}", "no such object"),
        (404, "", None, "no such object"),
        (409, '["in use"]', "['in use']", "run again"),
        (418, "<p>Teapot</p>\n\n  short", "<p>Teapot</p> short", "not documented"),
        (500, "x" * 10_000, "x" * 300 + "…", "service is down"),
    ],
)
def test_errors_say_what_was_asked_what_came_and_what_to_do(server: Server, status: int, body: str, details: str | None, hint: str) -> None:
    server.answers = [Answer(status=status, body=body)]
    with pytest.raises(ApiError) as caught:
        make_client(server.url).request_json("DELETE", "/appliances/3", params={"q": "x"})
    message = str(caught.value)
    assert message.startswith(f"DELETE {server.url}/appliances/3: HTTP {status}")
    assert hint in message
    assert details is None or details in message
    assert (caught.value.status, caught.value.details) == (status, details)
    assert "SecretPart" not in message


@pytest.mark.parametrize("body", ["<html>Please log in, your-token</html>", "{"])
def test_an_answer_that_is_no_json_is_not_quoted(server: Server, body: str) -> None:
    server.answers = [Answer(body=body, headers={"Content-Type": "text/html"})]
    with pytest.raises(ApiError, match="no JSON but text/html") as caught:
        make_client(server.url).request_json("GET", "/x")
    assert "your-token" not in str(caught.value)


def test_an_answer_that_breaks_off(server: Server) -> None:
    server.answers = [Answer(body='{"appliances": [', headers={"Content-Length": "100", "Connection": "close"})]
    with pytest.raises(ApiError, match="no answer|no JSON"):  # urllib3 1 does not notice by itself
        make_client(server.url).request_json("GET", "/x")


@pytest.mark.parametrize("url", ["network.example.com/api", "ftp://example.com", "https://user:hidden@example.com/api", ""])
def test_unusable_urls(url: str) -> None:
    with pytest.raises(InputError, match="must look like https://host/path") as caught:
        make_client(url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://", "https://[::1/api", "http://example.com:port", "https://*.example.com/api"])
def test_urls_that_no_request_could_go_to(url: str) -> None:
    with pytest.raises(InputError, match="The URL of the API cannot be used: .*[.]$"):
        make_client(url)


@pytest.mark.parametrize("value", ["Secret\nPart", "SecretPärt", "Secret\x00Part"])
def test_a_header_that_cannot_be_sent_is_not_shown(value: str) -> None:
    with pytest.raises(InputError, match="header Authorization") as caught:
        make_client("https://example.com", Authorization=value)
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
def test_a_body_that_never_ends(server: Server, monkeypatch: pytest.MonkeyPatch, encoding: dict[str, str]) -> None:
    monkeypatch.setattr(http_client, "Allowance", lambda: Allowance(100_000))
    server.answers = [Answer(body=" " * 200_000, headers={"Content-Length": str(10**12), **encoding})]
    with pytest.raises(ApiError, match="HTTP 200, but the answer is (larger|not compressed).*Check the URL of the API") as caught:
        make_client(server.url).request_json("GET", "/x")
    assert caught.value.status == 200


def test_only_gzip_is_asked_for(server: Server) -> None:
    make_client(server.url).request_json("GET", "/x")
    assert server.requests[0][2]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("body", "problem"),
    [("[" * 100_000, "has more than 50 objects"), ("[" * 60 + "]" * 60, "has more than 50 objects"), ('{"a": NaN}', "has a number that is none")],
)
def test_json_of_which_nothing_can_be_made(server: Server, body: str, problem: str) -> None:
    server.answers = [Answer(body=body)]
    with pytest.raises(ApiError, match=f"HTTP 200, but the answer {problem}"):
        make_client(server.url).request_json("GET", "/x")


@pytest.mark.parametrize("kind", ["text/html; charset=idna", "text/html; charset=hex", "text/html; charset=\u00ff"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_charset_that_is_none(server: Server, kind: str, status: int) -> None:
    server.answers = [Answer(status=status, body="no \U0001f600 JSON", headers={"Content-Type": kind})]
    with pytest.raises(ApiError, match=r"no JSON but|HTTP 400: no \U0001f600 JSON"):
        make_client(server.url).request_json("GET", "/x")


@pytest.mark.parametrize("retry_after", ["9" * 5000, "Thu, 01 Jan 99999 00:00:00 GMT", "Thu, 99 Foo 2015 99:99:99 GMT"])
def test_a_retry_after_beyond_all_measure(server: Server, pauses: list[float], retry_after: str) -> None:
    server.answers = [Answer(status=503, headers={"Retry-After": retry_after}), Answer()]
    make_client(server.url).request_json("GET", "/x")
    assert len(pauses) == 1
    assert pauses[0] <= 60


def test_half_characters_and_control_characters(server: Server) -> None:
    server.answers = [Answer(body=r'{"name": "\ud800\u001b"}'), Answer(status=400, body=r'{"details": "\u001b[2J\ud800"}')]
    client = make_client(server.url)
    assert client.request_json("GET", "/x") == {"name": "\ufffd\x1b"}
    with pytest.raises(ApiError, match="HTTP 400: \ufffd\\[2J\ufffd"):
        client.request_json("GET", "/x")
