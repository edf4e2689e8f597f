# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the Network Security API's endpoints: authentication and the API's version."""

from __future__ import annotations

import re
import typing as t

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from lab.api_gate import Gate, same_key
from lab.call_log import CallLog
from lab.faults import Faults
from lab.netsec_api import BASE, LEGACY_BASE
from lab.world import UnknownId, World

API_VERSION = "v1"
_APPLIANCE = re.compile(r"/appliances/(\d+)(?:/|$)")
READING_POSTS = frozenset({"/appliances/search"})


def below_base(path: str) -> tuple[str, bool]:
    """Return the path below the API's base, and whether the base is that of legacy accounts."""
    if path == LEGACY_BASE or path.startswith(LEGACY_BASE + "/"):
        return path.removeprefix(LEGACY_BASE), True
    return path.removeprefix(BASE), False


class ApiGate(Gate):
    """ASGI middleware. Of a path that names an appliance, its ``instance_id`` is a fact as well.

    :param world: knows which instance an ID of the API stands for.
    :param api_key: key with all rights.
    :param read_only_key: key that may only read; writing with it is answered 403.
    """

    target = "api"

    def __init__(self, app: ASGIApp, world: World, *, api_key: str, read_only_key: str, delay: float, faults: Faults, calls: CallLog) -> None:
        super().__init__(app, delay=delay, faults=faults, calls=calls)
        self._world = world
        self._api_key = api_key
        self._read_only_key = read_only_key

    def facts(self, path: str) -> dict[str, t.Any]:
        """Return the path below the base, which base it is, and which instance the path is about."""
        below, legacy = below_base(path)
        api_id = _APPLIANCE.match(below)
        try:
            instance_id = self._world.appliance_by_api_id(int(api_id[1])).instance_id if api_id else ""
        except UnknownId:
            instance_id = ""
        return {"path": below, "legacy": legacy, "instance_id": instance_id}

    def refusal(self, request: Request) -> Response | None:
        """Check the key and the version."""
        path, legacy = below_base(request.url.path)
        key = _presented_key(request.headers, legacy)
        if same_key(key, self._read_only_key):
            if request.method != "GET" and path not in READING_POSTS:
                return JSONResponse({"message": "Forbidden: the API key's role does not allow this"}, status_code=403)
        elif not same_key(key, self._api_key):
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
