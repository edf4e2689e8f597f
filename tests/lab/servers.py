# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers in threads, on loopback, at ports that the system chooses."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import typing as t
from collections.abc import Coroutine

import uvicorn
from moto.moto_server.werkzeug_app import MotoRequestHandler
from starlette.types import ASGIApp
from werkzeug.serving import BaseWSGIServer, make_server

Value = t.TypeVar("Value")

LOOPBACK = "127.0.0.1"


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
        self._socket = socket.create_server((LOOPBACK, 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(app, lifespan="off", ws="none", log_level="warning", access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=60)
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
    """Writes no access log, and sends small answers at once: waiting for more would cost 40 ms each."""

    disable_nagle_algorithm = True
    # Connections are kept alive, as AWS keeps them.
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: calls are recorded elsewhere."""


class WsgiServer:
    """werkzeug's threaded server."""

    def __init__(self, app: t.Any) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server: BaseWSGIServer = make_server(LOOPBACK, 0, app, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="lab-aws", daemon=True)

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()
