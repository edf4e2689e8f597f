# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the endpoints of an API: the record of calls, faults, the answer time, and whatever refuses a request early."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import typing as t
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.call_log import CallLog
from lab.faults import ApiEffect, Faults, Target


class Gate(ABC):
    """ASGI middleware.

    Facts that a fault can match: ``method``, ``path`` below the base, ``query``, and what :meth:`facts` adds.

    :cvar target: what faults and recorded calls name the API.
    :param delay: seconds that every answer takes.
    """

    target: t.ClassVar[Target]

    def __init__(self, app: ASGIApp, *, delay: float, faults: Faults, calls: CallLog) -> None:
        self._app = app
        self._delay = delay
        self._faults = faults
        self._calls = calls

    @abstractmethod
    def facts(self, path: str) -> dict[str, t.Any]:
        """Return ``path`` below the base, and whatever else shall be recorded about a path."""

    @abstractmethod
    def refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that does not get as far as an endpoint."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        assert scope["type"] == "http"
        call = {"method": scope["method"], "query": scope["query_string"].decode(), **self.facts(scope["path"])}

        async def record_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._calls.record(self.target, **call, status=message["status"])
            await send(message)

        await asyncio.sleep(self._delay)
        effect = self._faults.due(self.target, ApiEffect, call)
        if effect is not None and (effect.drop or effect.lose == "answer"):
            self._calls.record(self.target, **call, status=None)
        with contextlib.suppress(ClientDisconnect):  # whose patience was over while a fault let it wait
            await self._handle(scope, receive, record_and_send, effect)

    async def _handle(self, scope: Scope, receive: Receive, send: Send, effect: ApiEffect | None) -> None:
        if effect is not None:
            await asyncio.sleep(effect.delay)
            if effect.drop:
                _drop_connection(receive)
                return
            if effect.status is not None:
                await _stated_answer(effect)(scope, receive, send)
                return
        refusal = self.refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
        elif effect is not None and effect.merge is not None:
            await self._app(scope, receive, _Merging(send, effect.merge))
        elif effect is not None and (effect.lose or effect.truncate):
            await self._app(scope, receive, _Losing(send, receive, effect))
        else:
            await self._app(scope, receive, send)


def same_key(presented: str, key: str) -> bool:
    """Compare keys without telling by the time it takes where they differ."""
    return hmac.compare_digest(presented.encode(), key.encode())


def _stated_answer(effect: ApiEffect) -> Response:
    """Return the answer that a fault states."""
    assert effect.status is not None
    if isinstance(effect.body, str):
        return Response(effect.body, effect.status, effect.headers, media_type=None if "content-type" in effect.headers else "text/html")
    return JSONResponse(effect.body, effect.status, effect.headers)


class _Whole(ABC):
    """Waits until an answer is complete on its way out, and lets a subclass send something else."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: MutableMapping[str, t.Any] = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._send_instead(self._body)

    @abstractmethod
    async def _send_instead(self, body: bytes) -> None:
        """Send an answer, or none, once the body is complete."""

    async def _send_body(self, body: bytes) -> None:
        """Send the answer with another body."""
        headers = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
        await self._send({**self._start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


class _Merging(_Whole):
    """Puts fields into a JSON answer."""

    def __init__(self, send: Send, fields: dict[str, t.Any]) -> None:
        super().__init__(send)
        self._fields = fields

    async def _send_instead(self, body: bytes) -> None:
        await self._send_body(json.dumps({**json.loads(body), **self._fields}).encode())


class _Losing(_Whole):
    """Loses an answer, or the second half of it."""

    def __init__(self, send: Send, receive: Receive, effect: ApiEffect) -> None:
        super().__init__(send)
        self._receive = receive
        self._effect = effect

    async def _send_instead(self, body: bytes) -> None:
        half = body[: len(body) // 2]
        if self._effect.truncate:
            await self._send_body(half)
            return
        if self._effect.lose == "half":
            await self._send(self._start)
            await self._send({"type": "http.response.body", "body": half, "more_body": True})
        _drop_connection(self._receive)


def _drop_connection(receive: Callable[[], Awaitable[Message]]) -> None:
    """Close the client's connection without an answer. ASGI has no message for that, so uvicorn's own object is asked."""
    cycle = receive.__self__  # type: ignore[attr-defined]
    cycle.transport.abort()
    cycle.disconnected = True
