# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the Network Security API's endpoints: the record of calls, faults, the answer time, authentication."""

from __future__ import annotations

import asyncio
import hmac
import json
import typing as t
from collections.abc import Awaitable, Callable, MutableMapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.call_log import CallLog
from lab.faults import ApiEffect, Faults
from lab.netsec_api import BASE, LEGACY_BASE

API_VERSION = "v1"
READING_POSTS = frozenset({"/appliances/search"})


def below_base(path: str) -> tuple[str, bool]:
    """Return the path below the API's base, and whether the base is that of legacy accounts."""
    if path == LEGACY_BASE or path.startswith(LEGACY_BASE + "/"):
        return path.removeprefix(LEGACY_BASE), True
    return path.removeprefix(BASE), False


class ApiGate:
    """ASGI middleware.

    Facts that a fault can match: ``method``, and ``path`` below the base, without the query.

    :param api_key: key with all rights.
    :param read_only_key: key that may only read; writing with it is answered 403.
    """

    def __init__(self, app: ASGIApp, *, api_key: str, read_only_key: str, delay: float, faults: Faults, calls: CallLog) -> None:
        self._app = app
        self._api_key = api_key
        self._read_only_key = read_only_key
        self._delay = delay
        self._faults = faults
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        assert scope["type"] == "http"
        path, legacy = below_base(scope["path"])
        call = {"method": scope["method"], "path": path, "query": scope["query_string"].decode(), "legacy": legacy}

        async def record_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._calls.record("api", **call, status=message["status"])
            await send(message)

        await asyncio.sleep(self._delay)
        effect = self._faults.due("api", ApiEffect, {"method": scope["method"], "path": path})
        if effect is not None and effect.drop:
            self._calls.record("api", **call, status=None)
        await self._handle(scope, receive, record_and_send, path, legacy, effect)

    async def _handle(self, scope: Scope, receive: Receive, send: Send, path: str, legacy: bool, effect: ApiEffect | None) -> None:
        if effect is not None:
            await asyncio.sleep(effect.delay)
            if effect.drop:
                _drop_connection(receive)
                return
            if effect.status is not None:
                await _stated_answer(effect)(scope, receive, send)
                return
        refusal = self._refusal(Request(scope), path, legacy)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif effect is not None and effect.merge is not None:
            await self._app(scope, receive, _Merging(send, effect.merge))
        else:
            await self._app(scope, receive, send)

    def _refusal(self, request: Request, path: str, legacy: bool) -> Response | None:
        """Return the answer to a request that does not get as far as an endpoint."""
        key = _presented_key(request.headers, legacy)
        if _same(key, self._read_only_key):
            if request.method != "GET" and path not in READING_POSTS:
                return JSONResponse({"message": "Forbidden: the API key's role does not allow this"}, status_code=403)
        elif not _same(key, self._api_key):
            return JSONResponse({"message": "Authorization Required"}, status_code=401)
        if request.headers.get("api-version") != API_VERSION:
            return JSONResponse({"details": f"the header api-version must be {API_VERSION}"}, status_code=400)
        return None


def _presented_key(headers: Headers, legacy: bool) -> str:
    """Return the key from the one header that the base path takes; empty if there is none."""
    if legacy:
        return headers.get("api-secret-key", "")
    scheme, _space, key = headers.get("authorization", "").partition(" ")
    return key if scheme == "ApiKey" else ""


def _same(presented: str, key: str) -> bool:
    return hmac.compare_digest(presented.encode(), key.encode())


def _stated_answer(effect: ApiEffect) -> Response:
    """Return the answer that a fault states."""
    assert effect.status is not None
    if isinstance(effect.body, str):
        return Response(effect.body, effect.status, effect.headers, media_type=None if "content-type" in effect.headers else "text/html")
    return JSONResponse(effect.body, effect.status, effect.headers)


class _Merging:
    """Puts fields into a JSON answer on its way out."""

    def __init__(self, send: Send, fields: dict[str, t.Any]) -> None:
        self._send = send
        self._fields = fields
        self._start: MutableMapping[str, t.Any] = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = json.dumps({**json.loads(self._body), **self._fields}).encode()
        headers = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
        await self._send({**self._start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


def _drop_connection(receive: Callable[[], Awaitable[Message]]) -> None:
    """Close the client's connection without an answer. ASGI has no message for that, so uvicorn's own object is asked."""
    cycle = receive.__self__  # type: ignore[attr-defined]
    cycle.transport.abort()
    cycle.disconnected = True
