# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the Conformity API's endpoints: its gateway's authentication, and the content type."""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from lab.api_gate import Gate, same_key
from lab.call_log import CallLog
from lab.conformity_api import BASE, MAY_WRITE, errors_response
from lab.faults import Faults

CONTENT_TYPE = "application/vnd.api+json"


class ConformityGate(Gate):
    """ASGI middleware.

    :param api_key: key of an administrator.
    :param read_only_key: key that may only read; writing with it is answered 403.
    """

    target = "conformity"

    def __init__(self, app: ASGIApp, *, api_key: str, read_only_key: str, delay: float, faults: Faults, calls: CallLog) -> None:
        super().__init__(app, delay=delay, faults=faults, calls=calls)
        self._api_key = api_key
        self._read_only_key = read_only_key

    def facts(self, path: str) -> dict[str, t.Any]:
        """Return the path below the base."""
        return {"path": path.removeprefix(BASE)}

    def refusal(self, request: Request) -> Response | None:
        """Check the key, the right to write, and the content type, which even requests without a body must have."""
        scheme, _space, key = request.headers.get("authorization", "").partition(" ")
        may_write = same_key(key, self._api_key)
        if scheme != "ApiKey" or not (may_write or same_key(key, self._read_only_key)):
            return JSONResponse({"Message": "User is not authorized to access this resource with an explicit deny"}, status_code=403)
        if not may_write and request.method != "GET":
            return errors_response(403, ("", "The role of this API key does not allow this"))
        if request.headers.get("content-type") != CONTENT_TYPE:
            return errors_response(415, ("/", f"the content type must be {CONTENT_TYPE}"))
        request.scope[MAY_WRITE] = may_write
        return None
