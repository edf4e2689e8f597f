# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS servers on loopback whose certificates an authority of the test's own has issued."""

from __future__ import annotations

import ssl
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

ANSWERS = {"json": ("application/json", b"{}"), "sts": ("text/xml", b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>")}


class TlsServer(ThreadingHTTPServer):
    """Answers every request alike.

    :param location: where to send clients on; ``None`` to answer them.
    :ivar seen: method and path of each request.
    """

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, answer: str, location: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = ANSWERS[answer]
        self.location = location
        self.seen: list[str] = []
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A client that breaks off the handshake is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: TlsServer

    def _answer(self) -> None:
        self.server.seen.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind, body = self.server.answer
        self.send_response(307 if self.server.location else 200)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer

    def log_message(self, *args: t.Any) -> None:
        pass


@contextmanager
def tls_server(
    authority: trustme.CA, *, names: str = "127.0.0.1", answer: str = "json", newest: ssl.TLSVersion | None = None, location: str | None = None
) -> Iterator[TlsServer]:
    """Start a server.

    :param names: what its certificate is for.
    :param newest: the newest version of TLS that it knows.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(names).configure_cert(context)
    if newest is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
    server = TlsServer(context, answer, location)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
