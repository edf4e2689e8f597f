# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Conformity API over real HTTP: what is documented works, anything else is refused."""

from __future__ import annotations

import typing as t

import pytest
import requests
from rtm_lab import RtmLab

Json = dict[str, t.Any]
CONTENT_TYPE = "application/vnd.api+json"
ACCOUNTS = [
    {"name": "old", "id": "H19NxMi5-", "aws_account_id": "123456789012", "sample": "older", "last_event_days_ago": 2, "environment": "test"},
    {"name": "new", "aws_account_id": "012345678901", "sample": "newer"},
    {"name": "small", "id": "small", "aws_account_id": "012345678901", "sample": "older", "subscription": "essentials"},
]
SLACK = {
    "type": "communication",
    "channel": "slack",
    "enabled": True,
    "filter": {"riskLevels": ["HIGH", "VERY_HIGH", "EXTREME"]},
    "configuration": {"url": "https://hooks.slack.example/services/x", "channel": "#alerts", "displayTags": False},
}


class Api:
    """A client that says exactly what it is told."""

    def __init__(self, lab: RtmLab) -> None:
        self.lab = lab
        self.url = lab.lab.environment["CLOUDONE_CONFORMITY_URL"]
        self.key = lab.lab.environment["CLOUDONE_API_KEY"]

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **arguments: t.Any) -> requests.Response:
        usual = {"Authorization": f"ApiKey {self.key}", "Content-Type": CONTENT_TYPE}
        return requests.request(method, self.url + path, headers={**usual, **(headers or {})}, timeout=10, **arguments)

    def get(self, path: str, **params: t.Any) -> t.Any:
        response = self.call("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def post_setting(self, attributes: Json, account_id: str | None = "small") -> requests.Response:
        level = {"type": "accounts", "id": account_id} if account_id else None
        return self.call("POST", "/settings/communication", json={"data": [{"attributes": attributes, "relationships": {"account": {"data": level}}}]})


def refused(response: requests.Response, pointer: str, status: int = 422) -> None:
    assert response.status_code == status, response.text
    problems = response.json()["errors"]
    assert all(set(problem) == {"status", "source", "details"} and problem["status"] == status for problem in problems)
    assert [problem["source"]["pointer"] for problem in problems] == [pointer]


@pytest.fixture
def api(start_lab: t.Callable[..., RtmLab]) -> Api:
    return Api(start_lab(conformity={"accounts": ACCOUNTS}))


def test_the_base_is_that_of_the_api(api: Api) -> None:
    assert api.url.endswith("/api")
    for path in ("/v1/accounts", "/none", "", "/accounts/"):
        refused(api.call("GET", path), "", 404)
    refused(api.call("POST", "/accounts"), "", 405)


@pytest.mark.parametrize("authorization", ["ApiKey wrong", "Bearer {key}", "{key}", ""])
def test_a_bad_key_is_refused_by_the_gateway(api: Api, authorization: str) -> None:
    response = api.call("GET", "/accounts", headers={"Authorization": authorization.format(key=api.key)})
    assert (response.status_code, list(response.json())) == (403, ["Message"])


def test_the_content_type_is_needed(api: Api) -> None:
    refused(api.call("GET", "/accounts", headers={"Content-Type": "application/json"}), "/", 415)


def test_accounts_look_like_the_documented_samples(api: Api) -> None:
    old, new, small = api.get("/accounts")
    assert (old["id"], old["type"]) == ("H19NxMi5-", "accounts")
    last = old["attributes"].pop("last-monitoring-event-date")
    assert isinstance(last, int) and last > 1_500_000_000_000
    assert old["attributes"] == {
        "name": "old",
        "environment": "test",
        "awsaccount-id": "123456789012",
        "has-real-time-monitoring": True,
        "subscription-type": "advanced",
    }
    assert new["attributes"]["awsaccount-id"] == 12345678901, "a leading zero is lost"
    assert not {"has-real-time-monitoring", "last-monitoring-event-date"} & set(new["attributes"])
    assert (small["attributes"]["has-real-time-monitoring"], small["attributes"]["subscription-type"]) == (False, "essentials")
    assert small["attributes"]["last-monitoring-event-date"] is None
    refused(api.call("GET", "/accounts", params={"page[size]": 1}), "/page[size]")


def test_one_account_is_an_object_or_a_list(api: Api, start_lab: t.Callable[..., RtmLab]) -> None:
    assert api.get("/accounts/H19NxMi5-")["id"] == "H19NxMi5-"
    refused(api.call("GET", "/accounts/none"), "", 404)
    other = Api(start_lab(conformity={"accounts": ACCOUNTS, "account_data": "list"}))
    assert [account["id"] for account in other.get("/accounts/small")] == ["small"]


def test_the_subscription_can_be_changed_by_an_administrator(api: Api) -> None:
    body = {"data": {"attributes": {"subscriptionType": "advanced"}}}
    reader = {"Authorization": f"ApiKey {api.lab.lab.state_dir.read_description()['read_only_api_key']}"}
    refused(api.call("PATCH", "/accounts/small/subscription", json=body, headers=reader), "", 403)
    assert api.call("PATCH", "/accounts/small/subscription", json=body).status_code == 200
    attributes = api.get("/accounts/small")["attributes"]
    assert (attributes["subscription-type"], attributes["has-real-time-monitoring"]) == ("advanced", True)
    refused(api.call("PATCH", "/accounts/small/subscription", json={"data": {"attributes": {"subscriptionType": "gold"}}}), "/data/attributes/subscriptionType")
    refused(api.call("PATCH", "/accounts/small/subscription", json={"data": {"attributes": {}}}), "/data/attributes/subscriptionType")
    refused(api.call("PATCH", "/accounts/small/subscription", data=b"nothing"), "/")


def test_the_user_of_the_key_is_told(api: Api) -> None:
    assert api.get("/users/whoami")["attributes"]["role"] == "ADMIN"
    reader = {"Authorization": f"ApiKey {api.lab.lab.state_dir.read_description()['read_only_api_key']}"}
    assert api.call("GET", "/users/whoami", headers=reader).json()["data"]["attributes"]["role"] == "READONLY"


def test_events_take_the_documented_parameters_only(api: Api) -> None:
    query = {"accountIds": "H19NxMi5-,small", "aws": "true", "cc": "false", "filter[name]": "account.monitoring.activity"}
    assert api.get("/events", **query, **{"filter[regions]": "us-east-1", "filter[since]": 1, "page[size]": 1000, "page[number]": 0}) == []
    sizes = [("page[size]", 1001), ("page[size]", 0), ("page[number]", -1)]
    for name, value in [*sizes, ("filter[since]", "yesterday"), ("aws", "yes"), ("filter[until]", 1), ("limit", 1)]:
        refused(api.call("GET", "/events", params={name: value}), f"/{name}")
    refused(api.call("GET", "/events", params={"accountIds": "none"}), "", 403)
    refused(api.call("GET", "/events?aws=true&aws=true"), "/")


def test_a_communication_setting_lives(api: Api) -> None:
    created = api.post_setting(SLACK)
    assert created.status_code == 200
    (setting,) = created.json()["data"]
    assert setting["id"].startswith("small:communication:slack-")
    assert setting["attributes"] == SLACK
    assert setting["relationships"]["account"] == {"data": {"type": "accounts", "id": "small"}}
    assert api.get("/settings/communication", accountId="small") == [setting]
    assert api.get(f"/settings/{setting['id']}") == setting
    assert api.get("/settings/communication") == [], "it is not the organisation's"
    changed = {**SLACK, "enabled": False, "filter": {"regions": ["us-east-1"]}}
    answer = api.call("PATCH", f"/settings/communication/{setting['id']}", json={"data": {"type": "settings", "attributes": changed}})
    assert answer.json()["data"]["attributes"] == changed
    refused(api.call("PATCH", f"/settings/communication/{setting['id']}", json={"data": {"attributes": {**SLACK, "filter": {"riskLevels": ["BAD"]}}}}),
            "/data/attributes/filter/riskLevels/0")  # fmt: skip
    webhook = {"type": "communication", "channel": "webhook", "enabled": True, "configuration": {"url": "https://example.com"}}
    refused(api.call("PATCH", f"/settings/communication/{setting['id']}", json={"data": {"attributes": webhook}}), "/data/attributes/channel")
    assert api.call("DELETE", f"/settings/{setting['id']}").json() == {"meta": {"status": "deleted"}}
    refused(api.call("DELETE", f"/settings/{setting['id']}"), "", 404)
    refused(api.call("PATCH", f"/settings/communication/{setting['id']}", json={"data": {"attributes": SLACK}}), "", 404)


def test_nothing_protects_from_duplicates(api: Api) -> None:
    ids = {api.post_setting(SLACK, None).json()["data"][0]["id"] for _time in range(2)}
    assert {setting["id"] for setting in api.get("/settings/communication")} == ids and len(ids) == 2
    refused(api.call("GET", "/settings/communication", params={"accountId": "none"}), "", 403)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"channel": "pigeon"}, "/data/0/attributes/channel"),
        ({"colour": "red"}, "/data/0/attributes/colour"),
        ({"type": "other"}, "/data/0/attributes/type"),
        ({"enabled": "yes"}, "/data/0/attributes/enabled"),
        ({"filter": {"riskLevels": ["SEVERE"]}}, "/data/0/attributes/filter/riskLevels/0"),
        ({"filter": {"continents": []}}, "/data/0/attributes/filter/continents"),
        ({"configuration": {"channel": "#alerts"}}, "/data/attributes/configuration/url"),
        ({"configuration": {"url": "https://example.com"}}, "/data/attributes/configuration/channel"),
        ({"configuration": {"url": "not a url", "channel": "#alerts"}}, "/data/attributes/configuration/url"),
        ({"configuration": {"url": "https://example.com", "channel": "#a", "arn": "x"}}, "/data/attributes/configuration/arn"),
    ],
)
def test_a_setting_that_is_not_as_documented_is_refused(api: Api, change: Json, pointer: str) -> None:
    refused(api.post_setting({**SLACK, **change}), pointer)
    assert api.get("/settings/communication", accountId="small") == []


def test_a_setting_needs_its_configuration_and_an_account_that_is_there(api: Api) -> None:
    refused(api.post_setting({name: value for name, value in SLACK.items() if name != "configuration"}), "/data/0/attributes/configuration")
    refused(api.post_setting(SLACK, "none"), "/data/0/relationships/account/data/id")
    refused(api.call("POST", "/settings/communication", json={"data": [{"attributes": SLACK}]}), "/data/0/relationships")


@pytest.mark.parametrize(
    ("channel", "configuration"),
    [
        ("email", {"users": ["HyL7K6GrZ"], "channelName": "us"}),
        ("sms", {"users": ["HyL7K6GrZ"]}),
        ("pager-duty", {"serviceName": "net", "serviceKey": "0123"}),
        ("sns", {"arn": "arn:aws:sns:us-east-1:123456789012:alerts"}),
        ("ms-teams", {"url": "https://example.com/hook"}),
        ("webhook", {"url": "https://example.com/hook", "securityToken": "0123"}),
    ],
)
def test_every_channel_has_its_own_configuration(api: Api, channel: str, configuration: Json) -> None:
    attributes = {"type": "communication", "channel": channel, "enabled": True, "configuration": configuration}
    assert api.post_setting(attributes).status_code == 200
    assert api.post_setting({**attributes, "configuration": {}}).status_code == 422


def test_who_may_only_read_sees_no_configuration(start_lab: t.Callable[..., RtmLab]) -> None:
    hook = {"channel": "webhook", "configuration": {"url": "https://example.com/hook"}}
    api = Api(start_lab(conformity={"accounts": ACCOUNTS, "communication_settings": [{**hook, "account": "small"}, hook]}))
    reader = {"Authorization": f"ApiKey {api.lab.lab.state_dir.read_description()['read_only_api_key']}"}
    (shown,) = api.call("GET", "/settings/communication", params={"accountId": "small"}, headers=reader).json()["data"]
    assert "configuration" not in shown["attributes"]
    assert api.call("GET", "/settings/communication", headers=reader).json()["data"] == []
    (full,) = api.get("/settings/communication")
    assert full["attributes"]["configuration"] == hook["configuration"]


def test_calls_are_recorded_and_faults_fire(api: Api) -> None:
    control = api.lab.control
    control.add_fault("conformity", {"status": 503, "body": {"Message": "later"}}, match={"method": "GET", "path": "/acc*"})
    control.add_fault("conformity", {"drop": True}, match={"path": "/users/whoami"})
    assert api.call("GET", "/accounts").json() == {"Message": "later"}
    assert api.call("GET", "/accounts").status_code == 200
    with pytest.raises(requests.ConnectionError):
        api.call("GET", "/users/whoami")
    assert [(call["method"], call["path"], call["status"]) for call in control.calls("conformity")] == [
        ("GET", "/accounts", 503),
        ("GET", "/accounts", 200),
        ("GET", "/users/whoami", None),
    ]
    assert api.key not in str(control.calls())
