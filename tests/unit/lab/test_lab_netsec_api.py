# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over real HTTP: the documentation's own requests and answers, and how strict it is about everything else."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from lab_world import API_KEY, id_of, make_world

from lab.call_log import CallLog
from lab.faults import Faults, FaultSpec
from lab.netsec_api import create_netsec_app
from lab.netsec_gate import ApiGate
from lab.servers import AsgiServer, LoopThread
from lab.world import World

READ_ONLY_KEY = "key-that-may-only-read"


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> t.Any:
        return json.loads(self.text)


@dataclass
class Api:
    """A client that sends exactly what it is told."""

    port: int
    world: World
    faults: Faults
    calls: CallLog

    def ask(self, method: str, path: str, body: t.Any = None, *, key: str = API_KEY, headers: dict[str, str] | None = None) -> Answer:
        """Send a request as documented; ``headers`` replaces all of them."""
        if headers is None:
            headers = {"Authorization": f"ApiKey {key}", "api-version": "v1"}
            if body is not None:
                headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read().decode())
        connection.close()
        return answer

    def find(self, instance_id: str) -> list[t.Any]:
        criteria = [{"fieldName": "instanceId", "stringTest": "equal", "stringValue": instance_id}]
        return self.ask("POST", "/api/appliances/search", {"searchCriteria": criteria, "limit": 10, "cursor": ""}).json["appliances"]


@pytest.fixture(scope="module")
def serve() -> Iterator[t.Callable[[World], Api]]:
    loop = LoopThread()
    servers: list[AsgiServer] = []

    def start(world: World) -> Api:
        faults, calls = Faults(), CallLog()
        gate = ApiGate(create_netsec_app(world), world, api_key=API_KEY, read_only_key=READ_ONLY_KEY, delay=world.fleet.api.delay, faults=faults, calls=calls)
        server = AsgiServer(gate)
        loop.run(server.start())
        servers.append(server)
        return Api(server.port, world, faults, calls)

    async def stop() -> None:
        await asyncio.gather(*(server.stop() for server in servers))

    yield start
    loop.run(stop())
    loop.stop()


@pytest.fixture
def api(serve: t.Callable[[World], Api]) -> Api:
    """One appliance like that of the documentation's example, and one old one."""
    return serve(
        make_world(
            {
                "name": "documented",
                "region": "sa-east-1",
                "tos_version": "2020.10.0.10625",
                "dv_version": "4.0.0.9442",
                "log_types": {"system": {"group": "ips", "enabled": False}},
            },
            {"name": "old", "tos_version": "5.5.0.10625", "offers_ssl_inspection": False, "migration": "downloading"},
        )
    )


def test_the_list_is_as_documented(api: Api) -> None:
    instance_id = id_of(api.world, "documented")
    answer = api.ask("GET", f"/api/appliances?query={instance_id}")
    assert answer.status == 200
    placement = api.world.appliances[instance_id].placement
    assert answer.json == {
        "next": None,
        "totalCount": 1,
        "appliances": [
            {
                "ID": 1,
                "instanceId": instance_id,
                "provider": "AWS",
                "hostName": instance_id,
                "tosVersion": "2020.10.0.10625",
                "dvVersion": "4.0.0.9442",
                "auxDv": {"Malware": {"Version": None}},
                "providerMetadata": [
                    {"key": "accountId", "value": placement.account_id},
                    {"key": "availabilityZone", "value": "sa-east-1a"},
                    {"key": "instanceType", "value": "c5n.2xlarge"},
                    {"key": "region", "value": "sa-east-1"},
                    {"key": "vpc", "value": placement.vpc_id},
                ],
            }
        ],
    }


def test_a_search_is_as_documented(api: Api) -> None:
    instance_id = id_of(api.world, "documented")
    [found] = api.find(instance_id)
    assert found == api.ask("GET", "/api/appliances/1").json
    assert api.find("i-00000000") == []


def test_deleting_unregisters_and_answers_204_without_a_body(api: Api) -> None:
    answer = api.ask("DELETE", "/api/appliances/1")
    assert (answer.status, answer.text) == (204, "")
    assert api.ask("GET", "/api/appliances/1").status == 404
    assert api.ask("DELETE", "/api/appliances/1").status == 404
    assert api.find(id_of(api.world, "documented")) == []


def test_the_documented_log_configuration_is_taken(api: Api) -> None:
    before = api.ask("GET", "/api/appliances/1/cloudwatchlogconfig").json
    assert (before["next"], before["totalCount"], len(before["logTypes"])) == (None, None, 9)
    assert before["logTypes"][0] == {"logGroupName": "ips", "logStreamName": "system_{instance_id}", "logName": "system", "enable": False}

    change = {"logTypes": [{"logGroupName": "network-security-block-events", "logName": "ipsBlock", "enable": True}]}
    assert api.ask("POST", "/api/appliances/1/cloudwatchlogconfig", change).status == 200
    after = {entry["logName"]: entry for entry in api.ask("GET", "/api/appliances/1/cloudwatchlogconfig").json["logTypes"]}
    assert after["ipsBlock"] == {
        "logGroupName": "network-security-block-events",
        "logStreamName": "ipsBlock_{instance_id}",
        "logName": "ipsBlock",
        "enable": True,
    }
    assert after["system"] == before["logTypes"][0]


def test_the_whole_configuration_that_was_read_can_be_written_back(api: Api) -> None:
    log_types = api.ask("GET", "/api/appliances/1/cloudwatchlogconfig").json["logTypes"]
    assert api.ask("POST", "/api/appliances/1/cloudwatchlogconfig", {"logTypes": log_types}).status == 200
    assert api.ask("GET", "/api/appliances/1/cloudwatchlogconfig").json["logTypes"] == log_types


NINE_TYPES = ["system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection"]


def test_every_log_type_has_its_default_stream_and_can_be_switched_on(api: Api) -> None:
    offered = api.ask("GET", CONFIG).json["logTypes"]
    assert [entry["logName"] for entry in offered] == NINE_TYPES
    assert [entry["logStreamName"] for entry in offered] == [f"{name}_{{instance_id}}" for name in NINE_TYPES]
    assert all(list(entry) == ["logGroupName", "logStreamName", "logName", "enable"] for entry in offered)
    for name in NINE_TYPES:
        assert api.ask("POST", CONFIG, {"logTypes": [{"logGroupName": f"my/{name}", "logName": name, "enable": True}]}).status == 200
    assert [(entry["logGroupName"], entry["enable"]) for entry in api.ask("GET", CONFIG).json["logTypes"]] == [(f"my/{name}", True) for name in NINE_TYPES]


def test_a_refused_post_changes_nothing(api: Api) -> None:
    before = api.ask("GET", CONFIG).json
    assert api.ask("POST", CONFIG, {"logTypes": [LOG_TYPE, {**LOG_TYPE, "logName": "audit", "logGroupName": ""}]}).status == 400
    assert api.ask("GET", CONFIG).json == before


def test_the_documentations_example_for_all_appliances(serve: t.Callable[[World], Api]) -> None:
    api = serve(make_world({"name": "a"}, {"name": "b"}, {"name": "c"}))
    wanted = {"ipsBlock": "network-security-block-events", "ipsAlert": "network-security-alert-events"}
    for appliance in api.ask("GET", "/api/appliances").json["appliances"]:
        for name, group in wanted.items():
            path = f"/api/appliances/{appliance['ID']}/cloudwatchlogconfig"
            assert api.ask("POST", path, {"logTypes": [{"logGroupName": group, "logName": name, "enable": True}]}).status == 200
    for number in (1, 2, 3):
        enabled = [entry for entry in api.ask("GET", f"/api/appliances/{number}/cloudwatchlogconfig").json["logTypes"] if entry["enable"]]
        assert {entry["logName"]: entry["logGroupName"] for entry in enabled} == wanted


def test_an_account_without_appliances_lists_none(serve: t.Callable[[World], Api]) -> None:
    assert serve(make_world()).ask("GET", "/api/appliances").json == {"next": None, "totalCount": 0, "appliances": []}


def test_the_log_configuration_of_an_unknown_appliance_is_not_found(api: Api) -> None:
    assert api.ask("GET", "/api/appliances/99/cloudwatchlogconfig").status == 404
    assert api.ask("POST", "/api/appliances/99/cloudwatchlogconfig", {"logTypes": [LOG_TYPE]}).status == 404
    assert api.ask("PUT", CONFIG, {"logTypes": [LOG_TYPE]}).status == 405


def test_an_old_appliance_offers_and_takes_less(api: Api) -> None:
    names = [entry["logName"] for entry in api.ask("GET", "/api/appliances/2/cloudwatchlogconfig").json["logTypes"]]
    assert "sslInspection" not in names and len(names) == 8
    change = {"logTypes": [{"logGroupName": "g", "logName": "ipsBlock", "enable": True}]}
    answer = api.ask("POST", "/api/appliances/2/cloudwatchlogconfig", change)
    assert answer.status == 400 and "2020.10.0" in answer.json["details"]


def test_profiles_distributions_and_migrations(api: Api) -> None:
    assert api.ask("GET", "/api/profiles").json == {"profiles": [{"id": 1, "name": "Default-Profile"}]}
    sent = api.ask("POST", "/api/appliancedistributions", {"applianceId": 1, "type": "profile", "profile": {"id": 1}})
    assert sent.status == 200
    last = api.ask("GET", "/api/appliancedistributions?type=profile").json["distributions"][-1]
    assert (last["applianceId"], last["type"], last["profile"], last["state"]) == (1, "profile", {"id": 1}, "distributed")
    assert api.ask("POST", "/api/appliancedistributions", {"applianceId": 9, "type": "profile", "profile": {"id": 1}}).status == 404
    [status] = api.ask("GET", "/api/appliancemigrations").json["statuses"]
    assert (status["applianceId"], status["state"]) == (2, "downloading")
    assert set(status) == {"applianceId", "action", "state", "result", "message", "time"}


def test_deployment_tokens_at_the_default_path(api: Api) -> None:
    answer = api.ask("POST", "/api/deploymenttokens", {})
    assert answer.status == 200
    assert api.ask("POST", "/api/deploymenttokens").status == 200, "no body is needed"
    assert api.ask("POST", "/api/deploymenttokens", {"a": 1}).status == 400
    assert api.world.count_tokens()["unused"] == 2
    assert api.ask("DELETE", f"/api/deploymenttokens/{answer.json['id']}").status == 204
    assert api.ask("DELETE", "/api/deploymenttokens/none").status == 404
    assert api.world.count_tokens() == {"unused": 1, "used": 0, "revoked": 1, "expired": 0}


def test_the_token_endpoint_can_look_otherwise_or_be_absent(serve: t.Callable[[World], Api]) -> None:
    tokens = {"path": "/v2/enrolment", "token_field": "secret", "id_field": "name", "body_fields": ["description"]}
    other = serve(make_world(api={"deployment_tokens": tokens}))
    assert set(other.ask("POST", "/api/v2/enrolment", {"description": "x"}).json) == {"secret", "name"}
    assert other.ask("POST", "/api/v2/enrolment", {}).status == 400
    none = serve(make_world(api={"deployment_tokens": {"path": None}}))
    assert none.ask("POST", "/api/deploymenttokens", {}).status == 404


def test_pages_hold_ten_unless_told_and_end_with_null(serve: t.Callable[[World], Api]) -> None:
    api = serve(make_world(*({"name": f"a{number}"} for number in range(25))))
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        answer = api.ask("GET", f"/api/appliances?cursor={cursor}").json
        assert answer["totalCount"] == 25
        seen += [entry["ID"] for entry in answer["appliances"]]
        cursor, pages = answer["next"], pages + 1
    assert (seen, pages) == (list(range(1, 26)), 3)

    first = api.ask("GET", "/api/appliances?limit=5").json["next"]
    assert api.ask("GET", f"/api/appliances?limit=5&query=i-&cursor={first}").status == 400, "the cursor of another query"
    assert len(api.ask("GET", "/api/appliances?limit=1000").json["appliances"]) == 25
    criteria = [{"fieldName": "provider", "stringTest": "equal", "stringValue": "AWS"}]
    found = api.ask("POST", "/api/appliances/search", {"searchCriteria": criteria, "limit": 20}).json
    rest = api.ask("POST", "/api/appliances/search", {"searchCriteria": criteria, "limit": 20, "cursor": found["next"]}).json
    assert (len(found["appliances"]), len(rest["appliances"]), rest["next"]) == (20, 5, None)


def test_the_list_is_sorted_as_asked(serve: t.Callable[[World], Api]) -> None:
    api = serve(make_world({"name": "a", "host_name": "m"}, {"name": "b", "host_name": "z"}, {"name": "c", "host_name": "a", "tos_version": None}))

    def ids(query: str) -> list[int]:
        return [entry["ID"] for entry in api.ask("GET", f"/api/appliances?{query}").json["appliances"]]

    assert ids("sortBy=hostName") == [3, 1, 2]
    assert ids("sortBy=hostName&sortDirection=desc") == [2, 1, 3]
    assert ids("sortBy=tosVersion")[0] == 3


LIST = "/api/appliances"
SEARCH = "/api/appliances/search"
CRITERION = {"fieldName": "instanceId", "stringTest": "equal", "stringValue": "i-1"}
CONFIG = "/api/appliances/1/cloudwatchlogconfig"
LOG_TYPE = {"logGroupName": "g", "logName": "ipsBlock", "enable": True}
DISTRIBUTION = {"applianceId": 1, "type": "profile", "profile": {"id": 1}}


@pytest.mark.parametrize(
    ("method", "path", "body", "details"),
    [
        ("GET", f"{LIST}?page=2", None, "page"),
        ("GET", f"{LIST}?limit=0", None, "limit"),
        ("GET", f"{LIST}?limit=1001", None, "limit"),
        ("GET", f"{LIST}?limit=ten", None, "limit"),
        ("GET", f"{LIST}?limit=1&limit=2", None, "given twice"),
        ("GET", f"{LIST}?cursor=made-up", None, "cursor"),
        ("GET", f"{LIST}?sortBy=id", None, "sortBy"),
        ("GET", f"{LIST}?sortDirection=up", None, "sortDirection"),
        ("GET", f"{CONFIG}?limit=1", None, "limit"),
        ("POST", SEARCH, "{", "JSON"),
        ("POST", SEARCH, {}, "searchCriteria"),
        ("POST", SEARCH, {"searchCriteria": []}, "searchCriteria"),
        ("POST", SEARCH, {"searchCriteria": [{**CRITERION, "stringTest": "contains"}]}, "stringTest"),
        ("POST", SEARCH, {"searchCriteria": [{**CRITERION, "fieldName": "instanceID"}]}, "fieldName"),
        ("POST", SEARCH, {"searchCriteria": [CRITERION], "limit": "10"}, "limit"),
        ("POST", SEARCH, {"searchCriteria": [CRITERION], "page": 1}, "page"),
        ("POST", CONFIG, {"logTypes": []}, "logTypes"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logName": "ipsblock"}]}, "logName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "enable": "true"}]}, "enable"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "enabled": True}]}, "enabled"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logGroupName": "with space"}]}, "logGroupName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logGroupName": ""}]}, "without logGroupName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logStreamName": "a:b"}]}, "logStreamName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logStreamName": ""}]}, "logStreamName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logStreamName": None}]}, "logStreamName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logStreamName": "s" * 513}]}, "logStreamName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logGroupName": "g" * 513}]}, "logGroupName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logGroupName": None}]}, "logGroupName"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "logName": 5}]}, "logName"),
        ("POST", CONFIG, {"logTypes": [{"logName": "ipsBlock", "enable": True}]}, "logGroupName"),
        ("POST", CONFIG, {"logTypes": [{"logGroupName": "g", "enable": True}]}, "logName"),
        ("POST", CONFIG, {"logTypes": [{"logGroupName": "g", "logName": "ipsBlock"}]}, "enable"),
        ("POST", CONFIG, {"logTypes": [{**LOG_TYPE, "enable": 1}]}, "enable"),
        ("POST", CONFIG, {"logTypes": LOG_TYPE}, "logTypes"),
        ("POST", CONFIG, {"logTypes": None}, "logTypes"),
        ("POST", CONFIG, {}, "logTypes"),
        ("POST", CONFIG, [LOG_TYPE], "body"),
        ("POST", CONFIG, "", "JSON"),
        ("POST", CONFIG, {"logTypes": [LOG_TYPE, LOG_TYPE]}, "given twice"),
        ("POST", CONFIG, {"logTypes": [LOG_TYPE], "next": None}, "next"),
        ("POST", "/api/appliancedistributions", {**DISTRIBUTION, "type": "policy"}, "type"),
        ("POST", "/api/appliancedistributions", {**DISTRIBUTION, "profile": 1}, "profile"),
        ("POST", "/api/appliancedistributions", {**DISTRIBUTION, "applianceId": "1"}, "applianceId"),
        ("GET", "/api/appliancedistributions", None, "type"),
        ("POST", "/api/deploymenttokens", "{", "JSON"),
    ],
)
def test_what_is_not_documented_is_answered_400_with_details(api: Api, method: str, path: str, body: t.Any, details: str) -> None:
    answer = api.ask(method, path, body)
    assert answer.status == 400
    assert details in answer.json["details"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/appliances", {"api-version": "v1"}, 401),
        ("/api/appliances", {"Authorization": "ApiKey wrong", "api-version": "v1"}, 401),
        ("/api/appliances", {"Authorization": f"Bearer {API_KEY}", "api-version": "v1"}, 401),
        ("/api/appliances", {"Authorization": API_KEY, "api-version": "v1"}, 401),
        ("/api/appliances", {"api-secret-key": API_KEY, "api-version": "v1"}, 401),
        ("/api/appliances", {"Authorization": f"ApiKey {API_KEY}"}, 400),
        ("/api/appliances", {"Authorization": f"ApiKey {API_KEY}", "api-version": "v2"}, 400),
        ("/api/network/appliances", {"api-secret-key": API_KEY, "api-version": "v1"}, 200),
        ("/api/network/appliances", {"Authorization": f"ApiKey {API_KEY}", "api-version": "v1"}, 401),
        ("/api/network/appliances", {"api-secret-key": API_KEY}, 400),
    ],
)
def test_each_base_path_takes_its_own_header_and_the_api_version(api: Api, path: str, headers: dict[str, str], status: int) -> None:
    answer = api.ask("GET", path, headers=headers)
    assert answer.status == status
    if status == 401:
        assert answer.json == {"message": "Authorization Required"}


def test_a_key_without_rights_reads_and_is_forbidden_to_write(api: Api) -> None:
    assert api.ask("GET", "/api/appliances", key=READ_ONLY_KEY).status == 200
    assert api.ask("POST", SEARCH, {"searchCriteria": [CRITERION]}, key=READ_ONLY_KEY).status == 200
    assert api.ask("DELETE", "/api/appliances/1", key=READ_ONLY_KEY).status == 403
    assert api.ask("POST", CONFIG, {"logTypes": [LOG_TYPE]}, key=READ_ONLY_KEY).status == 403


def test_unknown_paths_methods_and_content_types_are_refused(api: Api) -> None:
    assert api.ask("GET", "/api/appliance").status == 404
    assert api.ask("GET", "/api/appliances/").status == 404
    assert api.ask("GET", "/api/appliances/i-1").status == 404
    assert api.ask("PUT", "/api/appliances/1", {}).status == 405
    headers = {"Authorization": f"ApiKey {API_KEY}", "api-version": "v1", "Content-Type": "text/plain"}
    answer = api.ask("POST", SEARCH, {"searchCriteria": [CRITERION]}, headers=headers)
    assert answer.status == 400 and "content type" in answer.json["details"]
    curls = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    assert api.ask("POST", SEARCH, {"searchCriteria": [CRITERION]}, headers=curls).status == 200


def test_faults_replace_the_answer(api: Api) -> None:
    for effect in (
        {"status": 503, "headers": {"Retry-After": "7"}, "body": "<html>Sorry</html>"},
        {"status": 409, "body": {"message": "conflict"}},
        {"merge": {"next": "again"}},
    ):
        api.faults.add(FaultSpec(target="api", match={"method": "GET", "path": "/appliances"}, effect=effect))
    outage, conflict, repeated, normal = (api.ask("GET", "/api/appliances") for attempt in range(4))
    assert (outage.status, outage.headers["Retry-After"], outage.text) == (503, "7", "<html>Sorry</html>")
    assert (conflict.status, conflict.json) == (409, {"message": "conflict"})
    assert (repeated.status, repeated.json["next"], repeated.json["totalCount"]) == (200, "again", 2)
    assert normal.json["next"] is None


def test_a_fault_can_drop_the_connection_or_delay_the_answer(api: Api) -> None:
    api.faults.add(FaultSpec(target="api", effect={"drop": True}))
    with pytest.raises(http.client.RemoteDisconnected):
        api.ask("GET", "/api/appliances")
    api.faults.add(FaultSpec(target="api", effect={"delay": 0.2}))
    start = time.monotonic()
    assert api.ask("GET", "/api/appliances").status == 200
    assert time.monotonic() - start >= 0.2


def test_an_answer_can_get_lost_after_the_request_was_carried_out(api: Api) -> None:
    first = api.ask("GET", "/api/appliances").json["appliances"][0]
    about_it = {"method": "DELETE", "instance_id": first["instanceId"]}
    api.faults.add(FaultSpec(target="api", match=about_it, effect={"lose": "answer"}))
    with pytest.raises(http.client.RemoteDisconnected):
        api.ask("DELETE", f"/api/appliances/{first['ID']}")
    assert api.ask("GET", f"/api/appliances/{first['ID']}").status == 404
    assert [call["status"] for call in api.calls.list("api")] == [200, None, 404]


def test_an_answer_can_end_in_the_middle(api: Api) -> None:
    whole = api.ask("GET", "/api/profiles").text
    api.faults.add(FaultSpec(target="api", effect={"lose": "half"}))
    with pytest.raises(http.client.IncompleteRead) as broken:
        api.ask("GET", "/api/profiles")
    assert broken.value.partial.decode() == whole[: len(whole) // 2]
    api.faults.add(FaultSpec(target="api", effect={"truncate": True}))
    answer = api.ask("GET", "/api/profiles")
    assert (answer.status, answer.text) == (200, whole[: len(whole) // 2])


def test_the_answer_time_can_be_set(serve: t.Callable[[World], Api]) -> None:
    api = serve(make_world({"name": "a"}, api={"delay": 0.1}))
    start = time.monotonic()
    api.ask("GET", "/api/profiles")
    assert time.monotonic() - start >= 0.1


def test_every_call_is_recorded_without_the_key(api: Api) -> None:
    api.ask("GET", "/api/appliances?limit=1")
    api.ask("GET", "/api/network/profiles", headers={"api-secret-key": API_KEY, "api-version": "v1"})
    api.ask("GET", "/api/profiles", key="wrong")
    calls = [(call["method"], call["path"], call["query"], call["legacy"], call["status"]) for call in api.calls.list("api")]
    assert calls == [("GET", "/appliances", "limit=1", False, 200), ("GET", "/profiles", "", True, 200), ("GET", "/profiles", "", False, 401)]
    assert API_KEY not in json.dumps(api.calls.list())
