# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Conformity API: one method per call, nothing decided here."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.http_client import HttpClient
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.options import api_key, http_client, regional_url
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_milliseconds, to_milliseconds

Json = dict[str, t.Any]

CONTENT_TYPE = "application/vnd.api+json"
SCHEMES = {"apikey": "ApiKey", "bearer": "Bearer"}
SETTINGS_PATH = "/settings/communication"
AWS_EVENT = "account.monitoring.activity"  # the name of every event that came from AWS

WRONG_KEY_OR_RIGHTS = (
    "The API answers a wrong key and a missing right alike. Check that the API key is valid, not expired, and of this region and URL; "
    "if it is, give its role the right for this, and access to the account."
)
HINTS = {
    401: WRONG_KEY_OR_RIGHTS,
    403: WRONG_KEY_OR_RIGHTS,
    404: "There is no such object, or no longer: check its ID, and the region and URL of the API.",
    422: "The API refused the content of the request: correct what it names.",
}


@dataclass(frozen=True)
class Account:
    """A cloud account as Conformity knows it.

    :ivar id: Conformity's own ID of it.
    :ivar aws_account_id: 12 digits, or ``None`` where it is no account of AWS. Several accounts may have the same.
    :ivar has_real_time_monitoring: whether the subscription includes it, ``None`` where the API does not say.
    :ivar subscription_type: ``advanced`` includes real-time monitoring, ``essentials`` does not.
    :ivar last_monitoring_event_at: when Conformity last received an event from the account, if ever.
    """

    id: str
    name: str | None
    environment: str | None
    aws_account_id: str | None
    has_real_time_monitoring: bool | None
    subscription_type: str | None
    last_monitoring_event_at: datetime | None

    @classmethod
    def from_api(cls, entry: Json) -> Account:
        """Read the API's answer, of the older form and the newer, which lacks the flag and has the AWS account as a number.

        :raises ValueError: it is no account.
        """
        attributes = _attributes(entry)
        if not isinstance(entry.get("id"), str) or not entry["id"]:
            raise ValueError("an account has no ID")
        flag = attributes.get("has-real-time-monitoring")
        return cls(
            id=entry["id"],
            name=_text(attributes.get("name")),
            environment=_text(attributes.get("environment")),
            aws_account_id=aws_account_id(attributes.get("awsaccount-id")),
            has_real_time_monitoring=flag if isinstance(flag, bool) else None,
            subscription_type=_text(attributes.get("subscription-type")),
            last_monitoring_event_at=from_milliseconds(attributes.get("last-monitoring-event-date")),
        )

    def completed_by(self, other: Account) -> Account:
        """The same with what it lacks taken from another answer about it."""
        lacking = {name: getattr(other, name) for name, value in vars(self).items() if value is None}
        return dataclasses.replace(self, **lacking)


@dataclass(frozen=True)
class Event:
    """Something that happened in an account.

    :ivar service: as AWS names it, ``cloudfront.amazonaws.com``.
    :ivar identity: who did it.
    """

    name: str | None
    time: datetime
    service: str | None
    identity: str | None
    region: str | None
    description: str | None

    @classmethod
    def from_api(cls, entry: Json) -> Event:
        """Read the API's answer.

        :raises ValueError: it is no event.
        """
        attributes = _attributes(entry)
        time = from_milliseconds(attributes.get("time"))
        if time is None:
            raise ValueError("an event has no time")
        name, service, identity, region, description = (_text(attributes.get(field)) for field in ("name", "service", "identity", "region", "description"))
        return cls(name, time, service, identity, region, description)


class ConformityApi:
    """Every method raises :class:`ApiError`."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def accounts(self) -> list[Account]:
        """Every account to which the key has access. The API has no pages for them."""
        path = "/accounts"
        return _read(path, self._get(path), Account.from_api)

    def account(self, account_id: str) -> Account:
        """One account by Conformity's ID."""
        path = f"/accounts/{quote(account_id, safe='')}"
        return _one(path, _read(path, self._get(path), Account.from_api))

    def last_event(self, account_id: str, region: str, *, since: datetime) -> Event | None:
        """An event that Conformity received from an account and region of AWS, the first that it lists; ``None`` if there is none.

        :param since: only what happened after it; it knows its zone.
        """
        path = "/events"
        query: dict[str, str | int] = {
            "accountIds": account_id,
            "aws": "true",
            "cc": "false",
            "filter[name]": AWS_EVENT,
            "filter[regions]": region,
            "filter[since]": to_milliseconds(since),
            "page[size]": 1,
        }
        events = _read(path, self._get(path, query), Event.from_api)
        return events[0] if events else None

    def whoami(self) -> Json:
        """The user of the key: ``id``, ``attributes`` with its ``role``, ``relationships``."""
        path = "/users/whoami"
        return _one(path, self._get(path))

    def communication_settings(self, account_id: str | None) -> list[Json]:
        """The settings of an account, or with ``None`` those of the organisation.

        Each has ``id``, ``attributes`` and ``relationships``. Without the right to see it, ``attributes`` have no ``configuration``.
        """
        query: dict[str, str | int] = {} if account_id is None else {"accountId": account_id}
        found = self._get(SETTINGS_PATH, query)
        # An organisation's settings stand beside those of its accounts where the API is asked for more than one level.
        return [setting for setting in found if setting_account(setting, otherwise=account_id) == account_id]

    def create_communication_setting(self, payload: Json) -> str | None:
        """Create a setting.

        :param payload: the whole document, with ``data``.
        :returns: its ID, if the answer has it.
        """
        answer = self._http.request_json("POST", SETTINGS_PATH, json=payload, expect=(200, 201))
        created = [] if answer is None else _resources("POST", SETTINGS_PATH, answer)
        return _text(created[0].get("id")) if created else None

    def update_communication_setting(self, setting_id: str, payload: Json) -> None:
        """Change a setting.

        :param payload: the whole document, with ``data``.
        """
        self._http.request_json("PATCH", f"{SETTINGS_PATH}/{_setting(setting_id)}", json=payload, expect=(200, 204))

    def delete_communication_setting(self, setting_id: str) -> bool:
        """Delete a setting. Unlike changing one, that is done below ``/settings``.

        :returns: ``False`` if it was not there any more.
        """
        try:
            self._http.request_json("DELETE", f"/settings/{_setting(setting_id)}", expect=(200, 204))
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _get(self, path: str, query: t.Mapping[str, str | int] | None = None) -> list[Json]:
        return _resources("GET", path, self._http.request_json("GET", path, params=query))


def conformity_api(params: t.Mapping[str, t.Any], concurrency: int) -> ConformityApi:
    """Make the API from a module's options; asks nothing yet.

    :param params: the options of ``conformity_spec()``.
    :param concurrency: how many threads will use it.
    :raises InputError: an option that cannot be used.
    """
    headers = {"Authorization": f"{SCHEMES[params['conformity_authorization']]} {api_key(params)}", "Content-Type": CONTENT_TYPE}
    base_url = params["conformity_url"] or regional_url("conformity", params)
    return ConformityApi(http_client(base_url, headers, params, concurrency, HINTS))


def aws_account_id(value: t.Any) -> str | None:
    """The ID of an AWS account, which the API and people write as text or number, as 12 digits. ``None`` if it is none."""
    text = "" if isinstance(value, bool) else str(value).strip()
    return text.zfill(12) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def setting_account(setting: Json, *, otherwise: str | None = None) -> str | None:
    """The ID of the account that a communication setting is for, ``None`` if it is for the organisation.

    :param otherwise: the answer for a setting that does not say.
    """
    relationships = setting.get("relationships")
    account = relationships.get("account") if isinstance(relationships, dict) else None
    if not isinstance(account, dict) or "data" not in account:
        return otherwise
    return _text(account["data"].get("id")) if isinstance(account["data"], dict) else None


def _resources(method: str, path: str, answer: t.Any) -> list[Json]:
    """The objects in an answer, in whichever of the API's forms: one document or a list of them, with one object or a list of them."""
    documents = answer if isinstance(answer, list) else [answer]
    if not all(isinstance(document, dict) and "data" in document for document in documents):
        raise _unusable(method, path, "it has no 'data'. Check the URL of the API")
    found: list[t.Any] = []
    for document in documents:
        data = document["data"]
        found += data if isinstance(data, list) else [] if data is None else [data]
    if not all(isinstance(one, dict) for one in found):
        raise _unusable(method, path, "its 'data' holds something else than objects. Check the URL of the API")
    return found


T = t.TypeVar("T")


def _read(path: str, entries: t.Iterable[Json], reader: t.Callable[[Json], T]) -> list[T]:
    try:
        return [reader(entry) for entry in entries]
    except ValueError as error:
        raise _unusable("GET", path, str(error)) from error


def _one(path: str, found: t.Sequence[T]) -> T:
    if len(found) != 1:
        raise _unusable("GET", path, f"it holds {len(found)} objects where there should be one")
    return found[0]


def _unusable(method: str, path: str, why: str) -> ApiError:
    return ApiError(f"{method} {path}: the answer cannot be used: {why}.", method=method, path=path)


def _attributes(entry: Json) -> Json:
    attributes = entry.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _setting(setting_id: str) -> str:
    return quote(setting_id, safe=":")  # the API's own IDs have colons


def _text(value: t.Any) -> str | None:
    return None if value is None else str(value)
