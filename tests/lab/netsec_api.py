# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Network Security API as an ASGI application, strict about everything that is documented."""

from __future__ import annotations

import json
import typing as t

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from lab.appliance_state import ApplianceState, LogType
from lab.netsec_json import PROVIDER, Json, appliance_json, distribution_json, log_type_json, matches, migration_json
from lab.netsec_paging import page
from lab.netsec_payloads import (
    ApplianceQuery,
    DistributionQuery,
    DistributionRequest,
    LogConfigRequest,
    Model,
    NoQuery,
    Page,
    PayloadRefused,
    SearchCriterion,
    SearchRequest,
    parse_body,
    parse_query,
)
from lab.world import UnknownId, World

BASE = "/api"
LEGACY_BASE = "/api/network"
OLDEST_WITH_CLOUDWATCH = (2020, 10, 0)
# No content type is documented. A body is JSON, whether it is said to be, nothing is said, or curl says what it always says.
CONTENT_TYPES = frozenset({"application/json", "", "application/x-www-form-urlencoded"})


def _query(request: Request, model: type[Model]) -> Model:
    return parse_query(model, request.query_params.multi_items())


async def _body(request: Request, model: type[Model]) -> Model:
    _query(request, NoQuery)
    if request.headers.get("content-type", "").partition(";")[0].strip() not in CONTENT_TYPES:
        raise PayloadRefused("body: the content type must be application/json")
    return parse_body(model, await request.body())


def _api_id(request: Request) -> int:
    return t.cast(int, request.path_params["api_id"])


def _agrees(state: ApplianceState, criterion: SearchCriterion) -> bool:
    """Whether an appliance fulfils one condition of a search."""
    values = {
        "instanceId": state.instance_id,
        "hostName": state.spec.host_name,
        "provider": PROVIDER,
        "tosVersion": state.spec.tos_version,
        "dvVersion": state.spec.dv_version,
    }
    return values[criterion.fieldName] == criterion.stringValue


def _too_old(tos_version: str | None) -> bool:
    """Whether the appliance's software cannot stream logs to CloudWatch; one without a known version is not refused."""
    try:
        version = tuple(int(part) for part in (tos_version or "").split("."))
    except ValueError:
        return False
    return version < OLDEST_WITH_CLOUDWATCH


class NetsecApi:
    """The endpoints, over one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes below a base path."""
        routes = [
            Route("/appliances", self.list_appliances, methods=["GET"]),
            Route("/appliances/search", self.search_appliances, methods=["POST"]),
            Route("/appliances/{api_id:int}", self.get_appliance, methods=["GET"]),
            Route("/appliances/{api_id:int}", self.delete_appliance, methods=["DELETE"]),
            Route("/appliances/{api_id:int}/cloudwatchlogconfig", self.get_log_config, methods=["GET"]),
            Route("/appliances/{api_id:int}/cloudwatchlogconfig", self.set_log_config, methods=["POST"]),
            Route("/appliancedistributions", self.list_distributions, methods=["GET"]),
            Route("/appliancedistributions", self.distribute, methods=["POST"]),
            Route("/profiles", self.list_profiles, methods=["GET"]),
            Route("/appliancemigrations", self.list_migrations, methods=["GET"]),
        ]
        path = self._world.fleet.api.deployment_tokens.path
        if path is not None:
            routes.append(Route(path, self.create_token, methods=["POST"]))
            routes.append(Route(path + "/{token_id}", self.revoke_token, methods=["DELETE"]))
        return routes

    async def list_appliances(self, request: Request) -> Response:
        query = _query(request, ApplianceQuery)
        entries = [entry for entry in self._entries() if matches(entry, query.query)]
        entries.sort(key=lambda entry: (entry[query.sortBy] is not None, entry[query.sortBy] or ""), reverse=query.sortDirection == "desc")
        question = f"{query.query}|{query.sortBy}|{query.sortDirection}"
        return self._page("appliances", entries, query.cursor, query.limit, question)

    async def search_appliances(self, request: Request) -> Response:
        search = await _body(request, SearchRequest)
        # Only what is found is written as JSON: a whole fleet may be searched for one by one.
        found = ((api_id, state) for api_id, state in self._world.listed() if all(_agrees(state, criterion) for criterion in search.searchCriteria))
        entries = [appliance_json(api_id, state) for api_id, state in found]
        question = str(search.searchCriteria)
        return self._page("appliances", entries, search.cursor, search.limit, question)

    async def get_appliance(self, request: Request) -> Response:
        _query(request, NoQuery)
        return JSONResponse(appliance_json(_api_id(request), self._world.appliance_by_api_id(_api_id(request))))

    async def delete_appliance(self, request: Request) -> Response:
        _query(request, NoQuery)
        self._world.unregister_in_api(_api_id(request))
        return Response(status_code=204)

    async def get_log_config(self, request: Request) -> Response:
        _query(request, NoQuery)
        log_types = [log_type_json(log_type) for log_type in self._world.log_types(_api_id(request))]
        return JSONResponse({"next": None, "totalCount": None, "logTypes": log_types})

    async def set_log_config(self, request: Request) -> Response:
        wanted = (await _body(request, LogConfigRequest)).logTypes
        spec = self._world.appliance_by_api_id(_api_id(request)).spec
        if _too_old(spec.tos_version):
            raise PayloadRefused(f"the appliance runs {spec.tos_version}; streaming to CloudWatch needs 2020.10.0 or later")
        names = [change.logName for change in wanted]
        for change in wanted:
            if change.logName not in spec.offered_log_types:
                raise PayloadRefused(f"logTypes: this appliance has no log type {change.logName}")
            if change.enable and not change.logGroupName:
                raise PayloadRefused(f"logTypes: {change.logName} is to be enabled without logGroupName")
        if len(set(names)) < len(names):
            raise PayloadRefused("logTypes: a logName is given twice")
        self._world.set_log_types(_api_id(request), [LogType(change.logName, change.logGroupName, change.logStreamName, change.enable) for change in wanted])
        return JSONResponse({})

    async def list_distributions(self, request: Request) -> Response:
        query = _query(request, DistributionQuery)
        entries = [distribution_json(distribution) for distribution in self._world.distributions()]
        return self._page("distributions", entries, query.cursor, query.limit, "distributions")

    async def distribute(self, request: Request) -> Response:
        wanted = await _body(request, DistributionRequest)
        return JSONResponse(distribution_json(self._world.distribute(wanted.applianceId, wanted.profile.id)))

    async def list_profiles(self, request: Request) -> Response:
        _query(request, NoQuery)
        return JSONResponse({"profiles": [profile.model_dump() for profile in self._world.fleet.profiles]})

    async def list_migrations(self, request: Request) -> Response:
        _query(request, Page)
        return JSONResponse({"statuses": [migration_json(api_id, state) for api_id, state in self._world.migrations()]})

    async def create_token(self, request: Request) -> Response:
        """The vendor documents no such endpoint: see :class:`lab.fleet.DeploymentTokenSpec`."""
        spec = self._world.fleet.api.deployment_tokens
        body = await request.body()
        fields = json.loads(body) if body else {}
        if not isinstance(fields, dict) or set(fields) != set(spec.body_fields):
            raise PayloadRefused(f"the body must be an object with exactly these fields: {', '.join(spec.body_fields) or 'none'}")
        token = self._world.issue_token()
        return JSONResponse({spec.token_field: token.value, spec.id_field: token.id})

    async def revoke_token(self, request: Request) -> Response:
        _query(request, NoQuery)
        if not self._world.revoke_token(request.path_params["token_id"]):
            raise UnknownId
        return Response(status_code=204)

    def _entries(self) -> list[Json]:
        return [appliance_json(api_id, state) for api_id, state in self._world.listed()]

    @staticmethod
    def _page(name: str, entries: list[Json], cursor: str, limit: int, question: str) -> Response:
        shown, following = page(entries, cursor=cursor, limit=limit, question=question)
        return JSONResponse({"next": following, "totalCount": len(entries), name: shown})


async def _refused(_request: Request, error: Exception) -> Response:
    return JSONResponse({"details": str(error)}, status_code=400)


async def _no_json(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"details": "body: not valid JSON"}, status_code=400)


async def _unknown_id(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"message": "Not Found"}, status_code=404)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, status_code=error.status_code, headers=error.headers)


def create_netsec_app(world: World) -> Starlette:
    """Make the application: the same endpoints below both base paths, without authentication and faults."""
    endpoints = Router(NetsecApi(world).routes(), redirect_slashes=False)
    return Starlette(
        routes=[Mount(LEGACY_BASE, endpoints), Mount(BASE, endpoints)],
        exception_handlers={PayloadRefused: _refused, json.JSONDecodeError: _no_json, UnknownId: _unknown_id, HTTPException: _http_error},
    )
