# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control endpoint: order faults, see the truth, see the calls. Only for whoever runs the lab; it has a port of its own."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.call_log import CallLog
from lab.faults import Faults, FaultSpec
from lab.world import World


def create_control_app(world: World, *, faults: Faults, calls: CallLog, report: Callable[[], dict[str, t.Any]], stop: Callable[[], None]) -> Starlette:
    """Make the application.

    :param report: returns the state of the whole lab.
    :param stop: ends the lab.
    """

    async def add_fault(request: Request) -> Response:
        try:
            spec = FaultSpec.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(faults.add(spec).as_json(), status_code=201)

    async def list_faults(_request: Request) -> Response:
        return JSONResponse(faults.as_json())

    async def clear_faults(_request: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    # Not async, so that Starlette runs it in a thread: it waits for moto's lock.
    def show_world(_request: Request) -> Response:
        return JSONResponse(report())

    def list_calls(request: Request) -> Response:
        return JSONResponse(calls.list(request.query_params.get("target")))

    async def clear_calls(_request: Request) -> Response:
        calls.clear()
        return Response(status_code=204)

    async def issue_token(request: Request) -> Response:
        token = world.issue_token(float(request.query_params["lifetime"]) if "lifetime" in request.query_params else None)
        return JSONResponse({"token": token.value, "id": token.id}, status_code=201)

    async def end(_request: Request) -> Response:
        stop()
        return Response(status_code=202)

    return Starlette(
        routes=[
            Route("/_lab/faults", add_fault, methods=["POST"]),
            Route("/_lab/faults", list_faults, methods=["GET"]),
            Route("/_lab/faults", clear_faults, methods=["DELETE"]),
            Route("/_lab/world", show_world, methods=["GET"]),
            Route("/_lab/calls", list_calls, methods=["GET"]),
            Route("/_lab/calls", clear_calls, methods=["DELETE"]),
            Route("/_lab/tokens", issue_token, methods=["POST"]),
            Route("/_lab/stop", end, methods=["POST"]),
        ]
    )
