# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Network Security API: one method per call, nothing decided here."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.answer import MEBIBYTE, Allowance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.http_client import HttpClient
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.options import api_key, http_client, regional_url
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError

Json = dict[str, t.Any]

API_VERSION = "v1"
LEGACY_URL = "https://cloudone.trendmicro.com/api/network"
PAGE_SIZE = 1000  # the documented default of 10 would make a large fleet a hundred requests

# What ends a list that never would.
MOST_PAGES = 10_000
LARGEST_LIST = 256 * MEBIBYTE


@dataclass(frozen=True)
class DeploymentToken:
    """A secret with which one appliance may register."""

    token: str = field(repr=False)
    id: str | None


class NetsecApi:
    """Version 1 of the API. Every method raises :class:`ApiError`."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def list_appliances(self, query: str | None = None) -> list[Appliance]:
        """Every appliance, all pages.

        :param query: only those that have this text in their ID, instance ID, provider, versions or host name.
        """
        return _appliances("GET", "/appliances", self.list_entries(query))

    def list_entries(self, query: str | None = None) -> list[Json]:
        """The same as :meth:`list_appliances`, each entry as the API gives it, also where it is of no use."""
        params: dict[str, str | int] = {"cursor": "", "limit": PAGE_SIZE}
        if query:
            params["query"] = query
        return self._get_list("/appliances", "appliances", params)

    def find(self, instance_id: str) -> list[Appliance]:
        """The appliances with this instance ID: none, one, or (a fault of the account's data) several."""
        path = "/appliances/search"
        criteria = [{"fieldName": "instanceId", "stringTest": "equal", "stringValue": instance_id}]

        def search(cursor: str, allowance: Allowance) -> t.Any:
            body = {"searchCriteria": criteria, "limit": PAGE_SIZE, "cursor": cursor}
            return self._http.request_json("POST", path, json=body, repeatable=True, allowance=allowance)

        found = _appliances("POST", path, _all_pages("POST", path, "appliances", search))
        # What is found may be unregistered next, so the search is not taken at its word.
        return [appliance for appliance in found if appliance.instance_id == instance_id]

    def get(self, appliance_id: int) -> Appliance:
        """One appliance by the API's number."""
        path = f"/appliances/{appliance_id}"
        return _appliances("GET", path, [self._http.request_json("GET", path)])[0]

    def unregister(self, appliance_id: int) -> bool:
        """Remove the appliance from the account.

        :returns: ``False`` if it was not there any more.
        """
        return self._delete(f"/appliances/{appliance_id}")

    def log_types(self, appliance_id: int) -> list[Json]:
        """The log streaming of one appliance: ``logName``, ``logGroupName``, ``logStreamName``, ``enable`` of each log type."""
        return self._get_list(f"/appliances/{appliance_id}/cloudwatchlogconfig", "logTypes")

    def set_log_types(self, appliance_id: int, log_types: t.Sequence[Json]) -> None:
        """Set the log streaming; give every log type, since what happens to the others is not documented."""
        # The whole configuration is sent, so sending it twice comes to the same.
        self._http.request_json("POST", f"/appliances/{appliance_id}/cloudwatchlogconfig", json={"logTypes": list(log_types)}, repeatable=True)

    def profiles(self) -> list[Json]:
        """The profiles (sets of policies) of the account: ``id`` and ``name`` of each."""
        return self._get_list("/profiles", "profiles")

    def profile_distributions(self) -> list[Json]:
        """The distributions of profiles to appliances.

        Documented of an entry is what is posted: ``applianceId``, ``type`` and ``profile.id``. The name of the list in the answer is
        not documented, so it is found by being the only one.
        """
        return self._get_list("/appliancedistributions", None, {"type": "profile"})

    def distribute_profile(self, appliance_id: int, profile_id: int) -> None:
        """Start to distribute a profile to an appliance."""
        body = {"applianceId": appliance_id, "type": "profile", "profile": {"id": profile_id}}
        self._http.request_json("POST", "/appliancedistributions", json=body, expect=(200, 201, 202))

    def migrations(self) -> list[Json]:
        """The states of software migrations: ``applianceId``, ``action``, ``state`` (``start``, ``downloading``, ``finish``), ``time``."""
        return self._get_list("/appliancemigrations", "statuses")

    def create_deployment_token(self, path: str, body: Json, token_field: str, id_field: str) -> DeploymentToken:
        """Create a token. Nothing of this call is documented by the vendor, hence the parameters.

        :param path: of the endpoint, below the base URL.
        :param token_field: where in the answer the token stands; dots lead into nested objects.
        :param id_field: where its ID stands, if anywhere.
        """
        path = _normalised(path)
        try:
            answer = self._http.request_json("POST", path, json=body, expect=(200, 201))
        except ApiError as error:
            if error.status in (404, 405):
                raise _clarified(error, "The endpoint for deployment tokens is not documented: set its path, or create a token by hand.") from error
            raise
        token = _dig(answer, token_field)
        if not isinstance(token, str) or not token:
            names = ", ".join(sorted(answer)) if isinstance(answer, dict) else "none"
            raise ApiError(f"POST {path}: the answer has no text in {token_field!r}; its fields are: {names}. Set token_field.", method="POST", path=path)
        token_id = _dig(answer, id_field)
        return DeploymentToken(token, None if token_id is None else str(token_id))

    def revoke_deployment_token(self, path: str, token_id: str) -> bool:
        """Revoke a token.

        :returns: ``False`` if it was not there any more.
        """
        return self._delete(f"{_normalised(path)}/{quote(token_id, safe='')}")

    def _delete(self, path: str) -> bool:
        try:
            answer = self._http.request_json("DELETE", path, expect=(200, 204))
        except ApiError as error:
            if error.status == 404:
                return False
            raise
        if answer is not None:
            # Taken for a success, an appliance could register anew while its old entry is still listed.
            problem = "the API answered with content, where it documents none. Is a proxy or a login page in between? Run again: that looks what was done."
            raise ApiError(f"DELETE {path}: {problem}", method="DELETE", path=path)
        return True

    def _get_list(self, path: str, key: str | None, params: t.Mapping[str, str | int] | None = None) -> list[Json]:
        """Read a list over all pages; ``key`` as for :func:`_all_pages`."""

        def ask(cursor: str, allowance: Allowance) -> t.Any:
            return self._http.request_json("GET", path, params={**(params or {}), **({"cursor": cursor} if cursor else {})}, allowance=allowance)

        return _all_pages("GET", path, key, ask)


def netsec_api(params: t.Mapping[str, t.Any], concurrency: int) -> NetsecApi:
    """Make the API from a module's options; asks nothing yet.

    :param params: the options of ``cloudone_spec()``.
    :param concurrency: how many threads will use it.
    :raises InputError: an option that cannot be used.
    """
    key = api_key(params)
    credentials = {"api-secret-key": key} if params["legacy_account"] else {"Authorization": f"ApiKey {key}"}
    return NetsecApi(http_client(_base_url(params), {"api-version": API_VERSION, **credentials}, params, concurrency))


def _base_url(params: t.Mapping[str, t.Any]) -> str:
    if params["netsec_url"]:
        return str(params["netsec_url"])
    return LEGACY_URL if params["legacy_account"] else regional_url("network", params)


def _appliances(method: str, path: str, entries: t.Sequence[t.Any]) -> list[Appliance]:
    try:
        return [Appliance.from_api(entry) for entry in entries]
    except ValueError as error:
        raise ApiError(f"{method} {path}: the answer cannot be used: {error}.", method=method, path=path) from error


def _all_pages(method: str, path: str, key: str | None, ask: t.Callable[[str, Allowance], t.Any]) -> list[Json]:
    """Collect a list over all pages.

    :param key: the list's name in the answer; ``None``: the only list that is there.
    :param ask: requests one page, given its cursor, ``""`` for the first, and what all pages together may bring in.
    """
    entries: list[Json] = []
    cursors = {""}
    cursor = ""
    allowance = Allowance(LARGEST_LIST)
    while True:
        answer = ask(cursor, allowance)
        entries += _list(method, path, key, answer)
        cursor = str(answer.get("next") or "")
        if not cursor:
            return entries
        if cursor in cursors or len(cursors) == MOST_PAGES:
            why = "the same cursor came twice" if cursor in cursors else f"there are more than {MOST_PAGES}"
            problem = f"the pages do not end, {why}. Run again; if it stays so, tell the support of the API."
            raise ApiError(f"{method} {path}: {problem}", method=method, path=path)
        cursors.add(cursor)


def _list(method: str, path: str, key: str | None, answer: t.Any) -> list[Json]:
    """The list in one answer. One that is missing or null is empty: so the API says "none"."""
    if isinstance(answer, dict):
        found: list[t.Any] = [answer.get(key) or []] if key else [value for value in answer.values() if isinstance(value, list)] or [[]]
        if len(found) == 1 and isinstance(found[0], list) and all(isinstance(entry, dict) for entry in found[0]):
            return found[0]
    wanted = f"a list of objects in {key!r}" if key else "one list of objects"
    raise ApiError(f"{method} {path}: the answer cannot be used, it is no object with {wanted}. Check the URL of the API.", method=method, path=path)


def _normalised(path: str) -> str:
    """A path that a person typed, with the slashes that keep it below the base URL."""
    return "/" + path.strip("/")


def _dig(answer: t.Any, names: str) -> t.Any:
    for name in names.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _clarified(error: ApiError, hint: str) -> ApiError:
    return ApiError(f"{error} {hint}", method=error.method, path=error.path, status=error.status, details=error.details)
