# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Conformity API as an ASGI application, strict about everything that is documented."""

from __future__ import annotations

import typing as t
from fnmatch import fnmatchcase

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from lab.conformity_json import Json, account_json, event_json, setting_json, user_json
from lab.conformity_payloads import (
    ChangedSettingRequest,
    EventQuery,
    Model,
    NewSettings,
    NoQuery,
    Refused,
    SettingsQuery,
    SubscriptionRequest,
    parse_body,
    parse_query,
)
from lab.conformity_world import CommunicationSetting, ConformityAccount, ConformityWorld

BASE = "/api"
# What the gate finds out about the key and the endpoints need to know.
MAY_WRITE = "conformity_may_write"
ACTIVITY = "account.monitoring.activity"


def _query(request: Request, model: type[Model]) -> Model:
    return parse_query(model, request.query_params.multi_items())


async def _body(request: Request, model: type[Model]) -> Model:
    _query(request, NoQuery)
    return parse_body(model, await request.body())


def _may_write(request: Request) -> bool:
    return t.cast(bool, request.scope[MAY_WRITE])


class ConformityApi:
    """The endpoints, over one world."""

    def __init__(self, world: ConformityWorld) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes below the base path."""
        return [
            Route("/accounts", self.list_accounts, methods=["GET"]),
            Route("/accounts/{account_id}", self.get_account, methods=["GET"]),
            Route("/accounts/{account_id}/subscription", self.subscribe, methods=["PATCH"]),
            Route("/events", self.list_events, methods=["GET"]),
            Route("/users/whoami", self.whoami, methods=["GET"]),
            Route("/settings/communication", self.list_settings, methods=["GET"]),
            Route("/settings/communication", self.create_settings, methods=["POST"]),
            Route("/settings/communication/{setting_id}", self.change_setting, methods=["PATCH"]),
            Route("/settings/{setting_id}", self.get_setting, methods=["GET"]),
            Route("/settings/{setting_id}", self.delete_setting, methods=["DELETE"]),
        ]

    async def list_accounts(self, request: Request) -> Response:
        _query(request, NoQuery)
        return JSONResponse({"data": [self._account_json(account) for account in self._world.accounts()]})

    async def get_account(self, request: Request) -> Response:
        _query(request, NoQuery)
        shown = self._account_json(self._account(request))
        return JSONResponse({"data": [shown] if self._world.spec.account_data == "list" else shown})

    async def subscribe(self, request: Request) -> Response:
        account = self._account(request)
        wanted = (await _body(request, SubscriptionRequest)).data.attributes.subscriptionType
        self._world.subscribe(account.spec.id, wanted)
        return JSONResponse({"data": self._account_json(account)})

    async def list_events(self, request: Request) -> Response:
        query = _query(request, EventQuery)
        ids = [account_id for account_id in query.accountIds.split(",") if account_id] or [account.spec.id for account in self._world.accounts()]
        if any(self._world.account(account_id) is None for account_id in ids):
            raise HTTPException(403, "No access to one of the accounts")
        regions = [region for region in query.regions.split(",") if region]
        # All events here are AWS's; of its own actions this Conformity keeps no record.
        entries = [
            event_json(account_id, event)
            for account_id, event in self._world.events(ids)
            if query.aws == "true" and event.at * 1000 >= query.since and (not regions or event.region in regions) and fnmatchcase(ACTIVITY, query.name)
        ]
        page = entries[query.number * query.size :][: query.size]
        return JSONResponse({"data": page, "meta": {"total": len(entries), "total-pages": -(-len(entries) // query.size)}})

    async def whoami(self, request: Request) -> Response:
        _query(request, NoQuery)
        return JSONResponse({"data": user_json("ADMIN" if _may_write(request) else "READONLY")})

    async def list_settings(self, request: Request) -> Response:
        account_id = _query(request, SettingsQuery).accountId
        if account_id is not None and self._world.account(account_id) is None:
            raise HTTPException(403, "No access to the account")
        visible = account_id is not None or _may_write(request)
        return JSONResponse({"data": [self._setting_json(request, setting) for setting in self._world.settings(account_id)] if visible else []})

    async def get_setting(self, request: Request) -> Response:
        _query(request, NoQuery)
        return JSONResponse({"data": self._setting_json(request, self._setting(request))})

    async def create_settings(self, request: Request) -> Response:
        """Nothing protects from duplicates."""
        wanted = (await _body(request, NewSettings)).data
        levels = [setting.relationships.account.data.id if setting.relationships.account.data else None for setting in wanted]
        for number, account_id in enumerate(levels):
            if account_id is not None and self._world.account(account_id) is None:
                raise Refused((f"/data/{number}/relationships/account/data/id", "there is no such account"))
        created = [
            self._world.add_setting(account_id, setting.attributes.model_dump(exclude_unset=True)) for account_id, setting in zip(levels, wanted, strict=True)
        ]
        return JSONResponse({"data": [self._setting_json(request, setting) for setting in created]})

    async def change_setting(self, request: Request) -> Response:
        """What happens to attributes that are not named is not documented; here they are gone."""
        setting = self._setting(request)
        attributes = (await _body(request, ChangedSettingRequest)).data.attributes
        if attributes.channel != setting.attributes["channel"]:
            raise Refused(("/data/attributes/channel", "the channel of a setting cannot be changed"))
        changed = self._world.change_setting(setting.id, attributes.model_dump(exclude_unset=True))
        return JSONResponse({"data": self._setting_json(request, changed)})

    async def delete_setting(self, request: Request) -> Response:
        _query(request, NoQuery)
        self._world.remove_setting(self._setting(request).id)
        return JSONResponse({"meta": {"status": "deleted"}})

    def _account(self, request: Request) -> ConformityAccount:
        account = self._world.account(request.path_params["account_id"])
        if account is None:
            raise HTTPException(404, "There is no such account")
        return account

    def _setting(self, request: Request) -> CommunicationSetting:
        setting = self._world.setting(request.path_params["setting_id"])
        if setting is None:
            raise HTTPException(404, "There is no such setting")
        return setting

    def _account_json(self, account: ConformityAccount) -> Json:
        return account_json(account, self._world.last_event_at(account.spec.id))

    @staticmethod
    def _setting_json(request: Request, setting: CommunicationSetting) -> Json:
        return setting_json(setting, with_configuration=_may_write(request))


def errors_response(status: int, *problems: tuple[str, str]) -> Response:
    """Answer in the API's own form of errors."""
    return JSONResponse({"errors": [{"status": status, "source": {"pointer": pointer}, "details": text} for pointer, text in problems]}, status_code=status)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return errors_response(422, *error.problems)


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return errors_response(error.status_code, ("", error.detail))


def create_conformity_app(world: ConformityWorld) -> Starlette:
    """Make the application, without authentication and faults."""
    endpoints = Router(ConformityApi(world).routes(), redirect_slashes=False)
    return Starlette(routes=[Mount(BASE, endpoints)], exception_handlers={Refused: _refused, HTTPException: _http_error})
