# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers in threads, on loopback, at ports that the system chooses."""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import threading
import traceback
import typing as t
from collections.abc import Coroutine
from http import HTTPStatus

import uvicorn
from moto.moto_server.werkzeug_app import MotoRequestHandler
from starlette.types import ASGIApp
from werkzeug.serving import BaseWSGIServer, make_server

Value = t.TypeVar("Value")

LOOPBACK = "127.0.0.1"
# How many connections may wait to be accepted, and seconds that one may be idle.
BACKLOG = 512
KEEP_ALIVE = 60


class LoopThread:
    """An asyncio event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[t.Any, t.Any, Value]) -> Value:
        """Run a coroutine in the loop and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()


class AsgiServer:
    """uvicorn in a running event loop."""

    def __init__(self, app: ASGIApp) -> None:
        self._socket = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
        # asyncio does not see that this is TCP. Without it, the body of an answer waits 40 ms for the client to acknowledge the headers.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, lifespan="off", ws="none", log_level="warning", access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=KEEP_ALIVE
        )
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Answer requests from now on."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()


class _QuietHandler(MotoRequestHandler):
    """Answers one request after the other on a connection, as AWS does, where werkzeug's own closes it after each. Writes no access log."""

    protocol_version = "HTTP/1.1"
    # Small answers are sent at once: waiting for more would cost 40 ms each.
    disable_nagle_algorithm = True
    timeout = KEEP_ALIVE

    def run_wsgi(self) -> None:
        """Answer one request, the body of which is read to its end: the next one follows it."""
        environ = self.make_environ()
        stream = environ["wsgi.input"]
        announced = int(environ.get("CONTENT_LENGTH") or 0)
        content = stream.read() if environ.get("wsgi.input_terminated") else stream.read(announced)
        if len(content) < announced:
            self.close_connection = True  # The client is gone, and has asked nothing yet.
            return
        environ["wsgi.input"] = io.BytesIO(content)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            body = b"".join(self.server.app(environ, lambda status, headers, *_error: started.append((status, headers))))
        except ConnectionError:  # dropped on purpose
            raise
        except Exception:
            self.server.log("error", traceback.format_exc())
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        status, headers = started[-1]
        code, _space, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD" and not any(name.lower() == "content-length" for name, _value in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: calls are recorded elsewhere."""


class WsgiServer:
    """werkzeug's threaded server."""

    def __init__(self, app: t.Any) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with socket.create_server((LOOPBACK, 0), backlog=BACKLOG) as listening:  # werkzeug takes a copy of it
            self._server: BaseWSGIServer = make_server(LOOPBACK, 0, app, threaded=True, request_handler=_QuietHandler, fd=listening.fileno())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="lab-aws", daemon=True)

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._server.port}"

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()
