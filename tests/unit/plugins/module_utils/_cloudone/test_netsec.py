# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Network Security API: every call with its documented request and answer."""

from __future__ import annotations

import typing as t

import pytest
import requests
import responses

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone import netsec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import DeploymentToken, NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import (
    API_KEY,
    BASE_URL,
    Script,
    appliance,
    log_config,
    log_type,
    page,
    search_body,
)

PARAMS: dict[str, t.Any] = {
    "api_key": API_KEY,
    "cloudone_region": "us-1",
    "netsec_url": None,
    "legacy_account": False,
    "api_timeout": 5,
    "validate_certs": True,
    "ca_path": None,
}
FIRST = {"cursor": "", "limit": 1000}


@pytest.fixture
def script() -> t.Iterator[Script]:
    with Script() as calls:
        yield calls


@pytest.fixture
def api(script: Script) -> NetsecApi:
    return netsec_api(PARAMS, 1)


def test_list_all_pages(script: Script, api: NetsecApi) -> None:
    script.expect("GET", "/appliances", page(appliance(1, "i-1"), appliance(2, "i-2"), following="b"), query=FIRST)
    script.expect("GET", "/appliances", page(appliance(3, "i-3"), following="c"), query={**FIRST, "cursor": "b"})
    script.expect("GET", "/appliances", page(appliance(4, "i-4"), following=""), query={**FIRST, "cursor": "c"})
    assert [(one.id, one.instance_id) for one in api.list_appliances()] == [(1, "i-1"), (2, "i-2"), (3, "i-3"), (4, "i-4")]


def test_list_with_a_query(script: Script, api: NetsecApi) -> None:
    script.expect("GET", "/appliances", {"next": None, "totalCount": 0}, query={**FIRST, "query": "sa-east & 1"})
    assert api.list_appliances("sa-east & 1") == []


@pytest.mark.parametrize("cursors", [["b", "b"], ["b", "c", "b"]])
def test_a_cursor_that_repeats(script: Script, api: NetsecApi, cursors: list[str]) -> None:
    for asked, following in zip(["", *cursors], cursors, strict=False):
        script.expect("GET", "/appliances", page(following=following), query={**FIRST, "cursor": asked})
    with pytest.raises(ApiError, match="GET /appliances: the pages do not end, the same cursor came twice"):
        api.list_appliances()


def test_pages_that_never_end(script: Script, api: NetsecApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec, "MOST_PAGES", 3)
    for number in range(3):
        script.expect("GET", "/appliances", page(following=f"{number + 1}"), query={**FIRST, "cursor": str(number or "")})
    with pytest.raises(ApiError, match="GET /appliances: the pages do not end, there are more than 3"):
        api.list_appliances()


def test_pages_that_are_too_much_together(script: Script, api: NetsecApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec, "LARGEST_LIST", 1000)
    script.expect("GET", "/appliances", page(appliance(1, "i-1"), following="b"), query=FIRST)
    script.expect("GET", "/appliances", page(appliance(2, "i-2"), appliance(3, "i-3")), query={**FIRST, "cursor": "b"})
    with pytest.raises(ApiError, match="the answer is larger than"):
        api.list_appliances()


def test_find(script: Script, api: NetsecApi) -> None:
    script.expect_search("i-1", appliance(5, "i-1"))
    script.expect_search("i-2")
    assert [one.id for one in api.find("i-1")] == [5]
    assert api.find("i-2") == []


def test_find_takes_only_what_was_searched_for(script: Script, api: NetsecApi) -> None:
    script.expect_search("i-1", appliance(5, "i-1"), appliance(6, "i-11"), appliance(7, "I-1"))
    assert [one.id for one in api.find("i-1")] == [5]


def test_find_reads_all_pages(script: Script, api: NetsecApi) -> None:
    script.expect("POST", "/appliances/search", page(appliance(5, "i-1"), following="b"), body=search_body("i-1"))
    script.expect("POST", "/appliances/search", page(appliance(6, "i-1")), body={**search_body("i-1"), "cursor": "b"})
    assert [one.id for one in api.find("i-1")] == [5, 6]


def test_get(script: Script, api: NetsecApi) -> None:
    script.expect("GET", "/appliances/5", appliance(5, "i-1"))
    assert api.get(5).instance_id == "i-1"


def test_unregister(script: Script, api: NetsecApi) -> None:
    script.expect("DELETE", "/appliances/5", status=204)
    script.expect("DELETE", "/appliances/5", {"message": "Not Found"}, status=404)
    script.expect("DELETE", "/appliances/5", {"message": "in use"}, status=409)
    assert api.unregister(5) is True
    assert api.unregister(5) is False
    with pytest.raises(ApiError, match="HTTP 409: in use. The object is in use"):
        api.unregister(5)


def test_an_answer_with_content_is_no_proof_that_an_appliance_was_unregistered(script: Script, api: NetsecApi) -> None:
    script.expect("DELETE", "/appliances/5", {"login": "https://proxy.example/login"}, status=200)
    with pytest.raises(ApiError, match=r"DELETE /appliances/5: the API answered with content, where it documents none.*Run again"):
        api.unregister(5)


def test_log_types(script: Script, api: NetsecApi) -> None:
    path = "/appliances/5/cloudwatchlogconfig"
    block = {"logGroupName": "network-security-block-events", "logName": "ipsBlock", "enable": True}
    script.expect("GET", path, log_config(log_type("system")))
    script.expect("POST", path, {}, body={"logTypes": [block]})
    script.expect("POST", path, {"details": "no such logName"}, status=400, body={"logTypes": []})
    assert api.log_types(5) == [{"logGroupName": "ips", "logStreamName": "system_{instance_id}", "logName": "system", "enable": False}]
    api.set_log_types(5, [block])
    with pytest.raises(ApiError) as caught:
        api.set_log_types(5, [])
    assert caught.value.details == "no such logName"


def test_profiles_and_distributions(script: Script, api: NetsecApi) -> None:
    posted = {"applianceId": 5, "type": "profile", "profile": {"id": 1}}
    script.expect("GET", "/profiles", {"profiles": [{"id": 1, "name": "Default-Profile"}]})
    script.expect("POST", "/appliancedistributions", body=posted)
    script.expect("GET", "/appliancedistributions", {"next": "b", "anyName": [posted]}, query={"type": "profile"})
    script.expect("GET", "/appliancedistributions", {"next": None, "anyName": [posted]}, query={"type": "profile", "cursor": "b"})
    script.expect("GET", "/appliancedistributions", {"totalCount": 0}, query={"type": "profile"})
    assert api.profiles() == [{"id": 1, "name": "Default-Profile"}]
    api.distribute_profile(5, 1)
    assert api.profile_distributions() == [posted, posted]
    assert api.profile_distributions() == []


def test_migrations(script: Script, api: NetsecApi) -> None:
    status = {"applianceId": 5, "action": "upgrade", "state": "downloading", "result": "", "message": "", "time": ""}
    script.expect("GET", "/appliancemigrations", {"statuses": [status]})
    assert api.migrations() == [status]


@pytest.mark.parametrize(
    ("answer", "token_field", "id_field", "token"),
    [
        ({"token": "secret-token"}, "token", "id", DeploymentToken("secret-token", None)),
        ({"token": "secret-token", "id": 17}, "token", "id", DeploymentToken("secret-token", "17")),
        ({"data": {"value": "secret-token", "key": "k"}}, "data.value", "data.key", DeploymentToken("secret-token", "k")),
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_create_a_deployment_token(script: Script, api: NetsecApi, answer: t.Any, token_field: str, id_field: str, token: DeploymentToken, status: int) -> None:
    script.expect("POST", "/deploymenttokens", answer, body={"kind": "x"}, status=status)
    created = api.create_deployment_token("deploymenttokens/", {"kind": "x"}, token_field, id_field)
    assert created == token
    assert "secret-token" not in repr(created)


@pytest.mark.parametrize(
    "answer", [{"tokens": {"value": "secret-token"}}, {"token": 5, "tokens": "secret-token"}, {"tokens": "secret-token", "token": ""}, ["secret-token"]]
)
def test_a_token_that_is_not_where_it_is_expected(script: Script, api: NetsecApi, answer: t.Any) -> None:
    script.expect("POST", "/deploymenttokens", answer, body={})
    with pytest.raises(ApiError, match="no text in 'token'; its fields are: .*Set token_field") as caught:
        api.create_deployment_token("/deploymenttokens", {}, "token", "id")
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 405])
def test_an_endpoint_for_tokens_that_is_not_there(script: Script, api: NetsecApi, status: int) -> None:
    script.expect("POST", "/deploymenttokens", {"message": "no"}, status=status, body={})
    with pytest.raises(ApiError, match="is not documented: set its path, or create a token by hand") as caught:
        api.create_deployment_token("/deploymenttokens", {}, "token", "id")
    assert caught.value.status == status


def test_a_token_that_may_not_be_created(script: Script, api: NetsecApi) -> None:
    script.expect("POST", "/deploymenttokens", {"message": "no"}, status=403, body={})
    with pytest.raises(ApiError, match="lacks the right"):
        api.create_deployment_token("/deploymenttokens", {}, "token", "id")


def test_revoke_a_deployment_token(script: Script, api: NetsecApi) -> None:
    script.expect("DELETE", "/deploymenttokens/a%2Fb", status=204)
    script.expect("DELETE", "/deploymenttokens/17", status=404)
    assert api.revoke_deployment_token("/deploymenttokens", "a/b") is True
    assert api.revoke_deployment_token("deploymenttokens", "17") is False


@pytest.mark.parametrize(
    "answer", [[], "text", 5, {"appliances": "x"}, {"appliances": {"ID": 1}}, {"appliances": [1]}, {"appliances": [{"instanceId": "i-1"}]}]
)
def test_an_answer_of_another_shape(script: Script, api: NetsecApi, answer: t.Any) -> None:
    script.expect("GET", "/appliances", answer, query=FIRST)
    with pytest.raises(ApiError, match="GET /appliances: the answer cannot be used"):
        api.list_appliances()


def test_an_answer_without_a_body(script: Script, api: NetsecApi) -> None:
    script.expect("GET", "/appliances", query=FIRST)
    script.expect("GET", "/appliances/1")
    with pytest.raises(ApiError, match="the answer cannot be used"):
        api.list_appliances()
    with pytest.raises(ApiError, match="the answer cannot be used: an appliance has no numeric ID"):
        api.get(1)


def test_two_lists_of_distributions_are_not_guessed_at(script: Script, api: NetsecApi) -> None:
    script.expect("GET", "/appliancedistributions", {"old": [], "new": []}, query={"type": "profile"})
    with pytest.raises(ApiError, match="no object with one list of objects"):
        api.profile_distributions()


@pytest.mark.parametrize(
    ("changes", "url", "headers"),
    [
        ({}, BASE_URL, {"Authorization": f"ApiKey {API_KEY}"}),
        ({"cloudone_region": "trend-us-1"}, "https://network.trend-us-1.cloudone.trendmicro.com/api", {"Authorization": f"ApiKey {API_KEY}"}),
        ({"netsec_url": "http://127.0.0.1:8080/api/"}, "http://127.0.0.1:8080/api", {"Authorization": f"ApiKey {API_KEY}"}),
        ({"legacy_account": True}, "https://cloudone.trendmicro.com/api/network", {"api-secret-key": API_KEY}),
        ({"legacy_account": True, "netsec_url": "https://other/api"}, "https://other/api", {"api-secret-key": API_KEY}),
        ({"api_key": f"{API_KEY}\n"}, BASE_URL, {"Authorization": f"ApiKey {API_KEY}"}),
    ],
)
def test_where_and_as_whom(changes: dict[str, t.Any], url: str, headers: dict[str, str]) -> None:
    with responses.RequestsMock() as calls:
        calls.get(f"{url}/profiles", json={"profiles": []})
        netsec_api({**PARAMS, **changes}, 2).profiles()
        sent = calls.calls[0].request.headers
    assert {name: sent[name] for name in headers} == headers
    assert sent["api-version"] == "v1"
    assert ("Authorization" in sent) != ("api-secret-key" in sent)


AUTHORITIES = requests.certs.where()


@pytest.mark.parametrize(
    ("changes", "verify"),
    [({}, True), ({"ca_path": AUTHORITIES}, AUTHORITIES), ({"validate_certs": False}, False), ({"validate_certs": False, "ca_path": "/none.pem"}, False)],
)
def test_certificates(monkeypatch: pytest.MonkeyPatch, changes: dict[str, t.Any], verify: bool | str) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with responses.RequestsMock() as calls:
        calls.get(f"{BASE_URL}/profiles", json={"profiles": []})
        netsec_api({**PARAMS, **changes}, 1).profiles()
        assert calls.calls[0].request.req_kwargs["verify"] == verify  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "concurrency", "message"),
    [
        ({"api_key": " \n"}, 1, "api_key is empty"),
        ({"api_key": "two\nlines"}, 1, "header Authorization"),
        ({"cloudone_region": "us-1.example.com/"}, 1, "cloudone_region must be a region"),
        ({"cloudone_region": ""}, 1, "cloudone_region must be a region"),
        ({"netsec_url": "example.com"}, 1, "must look like https://host/path"),
        ({"api_timeout": 0}, 1, "api_timeout must be at least 1"),
        ({}, 0, "concurrency must be at least 1"),
    ],
)
def test_options_that_cannot_be_used(changes: dict[str, t.Any], concurrency: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        netsec_api({**PARAMS, **changes}, concurrency)
