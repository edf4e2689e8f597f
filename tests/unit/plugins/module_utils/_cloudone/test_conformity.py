# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Conformity API: every call with its documented request and answer."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import (
    Account,
    ConformityApi,
    Event,
    aws_account_id,
    conformity_api,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import (
    API_KEY,
    BASE_URL,
    ConformityScript,
    account,
    data,
    newer_account,
    setting,
)

PARAMS: dict[str, t.Any] = {
    "api_key": API_KEY + "\n",
    "cloudone_region": "us-1",
    "conformity_url": None,
    "conformity_authorization": "apikey",
    "api_timeout": 5,
    "validate_certs": True,
    "ca_path": None,
}
SINCE = datetime(2018, 3, 1, 12, 0, tzinfo=UTC)
EVENTS = {
    "accountIds": "ryi9NPivK",
    "aws": "true",
    "cc": "false",
    "filter[name]": "account.monitoring.activity",
    "filter[regions]": "us-east-1",
    "filter[since]": 1519905600000,
    "page[size]": 1,
}
EVENT = {
    "type": "events",
    "id": "rkTkAsr_GSJlpyCoB_M",
    "attributes": {
        "name": "account.monitoring.activity",
        "time": 1519922649000,
        "service": "cloudfront.amazonaws.com",
        "identity": "static-deployer",
        "region": "us-east-1",
        "description": "cloudfront.amazonaws.com/CreateInvalidation",
        "hasChildren": True,
    },
}


@pytest.fixture
def script() -> t.Iterator[ConformityScript]:
    with ConformityScript() as calls:
        yield calls


@pytest.fixture
def api(script: ConformityScript) -> ConformityApi:
    return conformity_api(PARAMS, 1)


def test_accounts(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("GET", "/accounts", data(account(), newer_account("55Yfrq_IT", **{"last-monitoring-event-date": None, "name": None})))
    older, newer = api.accounts()
    assert older == Account(
        id="AgA12vIwb",
        name="Test",
        environment="Test",
        aws_account_id="123456789013",
        has_real_time_monitoring=True,
        subscription_type="advanced",
        last_monitoring_event_at=datetime(2017, 8, 12, 20, 46, 39, tzinfo=UTC),
    )
    assert (newer.name, newer.aws_account_id, newer.has_real_time_monitoring, newer.last_monitoring_event_at) == (None, "012345678901", None, None)


def test_an_account_without_attributes(script: ConformityScript, api: ConformityApi) -> None:
    """Everything but the ID may be missing."""
    script.expect("GET", "/accounts", data({"id": "a"}))
    assert api.accounts() == [Account("a", None, None, None, None, None, None)]


def test_an_account_can_be_completed() -> None:
    listed = Account.from_api(newer_account("a", **{"last-monitoring-event-date": None}))
    read = Account.from_api(account("a", name="Other"))
    completed = listed.completed_by(read)
    assert (completed.name, completed.has_real_time_monitoring, completed.last_monitoring_event_at) == ("Test", True, read.last_monitoring_event_at)


@pytest.mark.parametrize("wrap", [lambda one: {"data": [one]}, lambda one: {"data": one}])
def test_one_account_in_a_list_or_alone(script: ConformityScript, api: ConformityApi, wrap: t.Callable[[t.Any], t.Any]) -> None:
    script.expect("GET", "/accounts/a%2Fb", wrap(account("a/b")))
    assert api.account("a/b").id == "a/b"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"data": [{"attributes": {}}]}, "an account has no ID"),
        ({"data": [{"id": 5}]}, "an account has no ID"),
        ({"data": ["text"]}, "something else than objects"),
        ({"accounts": []}, "no 'data'"),
        ([], "it holds 0 objects"),
        ({"data": None}, "it holds 0 objects"),
        ("text", "no 'data'"),
    ],
)
def test_answers_that_cannot_be_used(script: ConformityScript, api: ConformityApi, answer: t.Any, problem: str) -> None:
    script.expect("GET", "/accounts/a", answer)
    with pytest.raises(ApiError, match=f"GET /accounts/a: the answer cannot be used: .*{problem}"):
        api.account("a")


def test_the_last_event_of_a_region(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("GET", "/events", {"data": [EVENT], "meta": {"total-pages": 1}}, query=EVENTS)
    assert api.last_event("ryi9NPivK", "us-east-1", since=SINCE) == Event(
        name="account.monitoring.activity",
        time=datetime(2018, 3, 1, 16, 44, 9, tzinfo=UTC),
        service="cloudfront.amazonaws.com",
        identity="static-deployer",
        region="us-east-1",
        description="cloudfront.amazonaws.com/CreateInvalidation",
    )


def test_no_event(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("GET", "/events", {"data": [], "meta": {"total-pages": 0}}, query=EVENTS)
    assert api.last_event("ryi9NPivK", "us-east-1", since=SINCE) is None


def test_an_event_without_time_is_no_evidence(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("GET", "/events", data({"attributes": {"time": "soon"}}), query=EVENTS)
    with pytest.raises(ApiError, match="an event has no time"):
        api.last_event("ryi9NPivK", "us-east-1", since=SINCE)


def test_whoami(script: ConformityScript, api: ConformityApi) -> None:
    user = {"type": "users", "id": "517uNyIvG", "attributes": {"role": "ADMIN", "status": "ACTIVE"}}
    script.expect("GET", "/users/whoami", {"data": user})
    assert api.whoami() == user


def test_settings_of_an_account(script: ConformityScript, api: ConformityApi) -> None:
    mine, unsaid = setting("1", "a"), setting("2", "a")
    del unsaid["relationships"]
    script.expect("GET", "/settings/communication", data(mine, setting("3", None), setting("4", "b"), unsaid), query={"accountId": "a"})
    assert api.communication_settings("a") == [mine, unsaid]


def test_settings_of_the_organisation(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("GET", "/settings/communication", data(setting("1", "a"), setting("2", None)))
    assert api.communication_settings(None) == [setting("2", None)]


@pytest.mark.parametrize("answer", [[{"data": {"id": "7"}}], {"data": [{"id": "7"}]}, {"data": {"id": "7"}}])
@pytest.mark.parametrize("status", [200, 201])
def test_create(script: ConformityScript, api: ConformityApi, answer: t.Any, status: int) -> None:
    script.expect("POST", "/settings/communication", answer, body={"data": []}, status=status)
    assert api.create_communication_setting({"data": []}) == "7"


@pytest.mark.parametrize("text", ["", '{"data": null}'])
def test_create_where_the_answer_has_no_id(script: ConformityScript, api: ConformityApi, text: str) -> None:
    script.expect("POST", "/settings/communication", text=text, body={})
    assert api.create_communication_setting({}) is None


def test_update(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("PATCH", "/settings/communication/a:communication:slack-1", [{"data": {}}], body={"data": 1})
    api.update_communication_setting("a:communication:slack-1", {"data": 1})


@pytest.mark.parametrize(("status", "there"), [(200, True), (204, True), (404, False)])
def test_delete(script: ConformityScript, api: ConformityApi, status: int, there: bool) -> None:
    script.expect("DELETE", "/settings/a:communication:slack%2F1", text="" if status == 204 else '{"meta": {"status": "deleted"}}', status=status)
    assert api.delete_communication_setting("a:communication:slack/1") is there


def test_delete_that_is_refused(script: ConformityScript, api: ConformityApi) -> None:
    script.expect("DELETE", "/settings/1", {"errors": []}, status=403)
    with pytest.raises(ApiError, match="HTTP 403"):
        api.delete_communication_setting("1")


@pytest.mark.parametrize(
    ("status", "text", "message"),
    [
        (
            403,
            '{"Message": "User is not authorized to access this resource with an explicit deny"}',
            "HTTP 403: User is not authorized to access this resource with an explicit deny. The API answers a wrong key and a missing right alike.",
        ),
        (401, "", "Check that the API key is valid"),
        (
            422,
            '{"errors": [{"status": 422, "source": {"pointer": "/data/attributes/channel"}, "details": "is wrong"}, {"detail": "more"}, {"title": "t"}]}',
            "HTTP 422: /data/attributes/channel: is wrong; more; t. The API refused the content of the request",
        ),
        (422, '{"errors": [{"status": 422, "source": "x"}]}', "HTTP 422: {'status': 422, 'source': 'x'}."),
        (422, '{"errors": "odd", "message": "said"}', "HTTP 422: said."),
        (500, "<html>no JSON</html>", "HTTP 500: <html>no JSON</html>. The service is down"),
        (404, '{"errors": []}', "HTTP 404: {'errors': []}. There is no such object"),
    ],
)
def test_errors_say_what_to_do(script: ConformityScript, api: ConformityApi, status: int, text: str, message: str) -> None:
    script.expect("GET", "/users/whoami", text=text, status=status)
    with pytest.raises(ApiError) as caught:
        api.whoami()
    assert f"GET {BASE_URL}/users/whoami: HTTP {status}" in str(caught.value)
    assert message in str(caught.value)
    assert "SecretPart" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({"cloudone_region": "de-1"}, "https://conformity.de-1.cloudone.trendmicro.com/api/accounts"),
        ({"conformity_url": "https://eu-west-1-api.cloudconformity.com/v1/"}, "https://eu-west-1-api.cloudconformity.com/v1/accounts"),
    ],
)
def test_base_urls(options: dict[str, t.Any], url: str) -> None:
    with responses.RequestsMock() as calls:
        calls.add("GET", url, json=data())
        conformity_api({**PARAMS, **options}, 1).accounts()
        assert calls.calls[0].request.headers["Authorization"] == f"ApiKey {API_KEY}"


def test_vision_one() -> None:
    with responses.RequestsMock() as calls:
        calls.add("GET", "https://api.eu.xdr.trendmicro.com/beta/c1/conformity/accounts", json=data())
        options = {"conformity_url": "https://api.eu.xdr.trendmicro.com/beta/c1/conformity/", "conformity_authorization": "bearer"}
        conformity_api({**PARAMS, **options}, 1).accounts()
        assert calls.calls[0].request.headers["Authorization"] == f"Bearer {API_KEY}"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"api_key": " \n"}, "api_key is empty"),
        ({"cloudone_region": "us-1.evil.example/"}, "cloudone_region must be a region's name"),
        ({"conformity_url": "ftp://x"}, "must look like https://host/path"),
        ({"api_timeout": 0}, "api_timeout must be at least 1"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, t.Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        conformity_api({**PARAMS, **options}, 1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(123, "000000000123"), ("123456789012", "123456789012"), ("1234567890123", None), (None, None), (True, None), ("", None), ("١٢٣", None), ("a-b", None)],
)
def test_ids_of_aws_accounts(value: t.Any, expected: str | None) -> None:
    assert aws_account_id(value) == expected


@given(st.integers(0, 10**12 - 1))
def test_a_number_and_its_text_are_the_same_aws_account(number: int) -> None:
    text = f"{number:012d}"
    assert aws_account_id(number) == aws_account_id(text) == aws_account_id(f" {number}\n") == text
