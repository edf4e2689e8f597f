# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
import typing as t
from datetime import timedelta

import boto3
import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_log_delivery_info
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW, REGION, Call, Calls, Json, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner

Record = t.Callable[[], Calls]

GROUP = "network-security-system"
SYSTEM = {"name": "system", "group": GROUP}
HOUR_AGO = round((NOW - timedelta(hours=1)).timestamp() * 1000)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves; the list holds the sleeps."""
    sleeps: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 1000 + sum(sleeps))
    monkeypatch.setattr(time, "sleep", sleeps.append)
    monkeypatch.setattr(netsec_log_delivery_info, "utc_now", lambda: NOW + timedelta(seconds=sum(sleeps)))
    return sleeps


@pytest.fixture
def look(run_module: Runner) -> Runner:
    def run(*instance_ids: str, appliances: t.Any = None, check_mode: bool = False, **options: t.Any) -> Json:
        listed = appliances or [{"instance_id": instance_id, "log_types": [SYSTEM]} for instance_id in instance_ids]
        return run_module(netsec_log_delivery_info.main, {"appliances": listed, "concurrency": 1, **options}, check_mode=check_mode)

    return run


def asked(stream: str, since: int = HOUR_AGO, **more: t.Any) -> Json:
    return {"logGroupName": GROUP, "logStreamName": stream, "startTime": since, "startFromHead": False, "limit": 1, **more}


def events_in_pages(*pages: list[int]) -> t.Callable[[Call], Json]:
    """Answers with these pages of events, by their times; after the last one the marker stays the same."""
    markers = {f"b/{number}": number for number in range(len(pages))}

    def answer(call: Call) -> Json:
        number = markers.get(call.parameters.get("nextToken", ""), -1) + 1
        page = pages[number] if number < len(pages) else []
        marker = f"b/{min(number, len(pages) - 1)}"
        return {"events": [{"timestamp": time} for time in page], "nextBackwardToken": marker, "nextForwardToken": "f/0"}

    return answer


def descriptions_know_of_no_events(calls: Calls, *names: str) -> None:
    calls.answer("DescribeLogStreams", lambda call: {"logStreams": [{"logStreamName": name} for name in names]})


def test_descriptions_that_prove_it_are_enough(aws: World, look: Runner, record_calls: Record) -> None:
    aws.log_stream(GROUP, "system_i-1", NOW - timedelta(minutes=50))
    aws.log_stream(GROUP, "system_i-10", NOW)
    calls = record_calls()
    result = look("i-1")
    assert (result["failed"], result["changed"]) == (False, False)
    stream = {"name": "system", "group": GROUP, "stream": "system_i-1", "exists": True, "last_event_at": "2026-03-01T11:10:00Z", "receiving": True}
    assert result["appliances"] == [
        {
            "instance_id": "i-1",
            "changed": False,
            "failed": False,
            "region": REGION,
            "receiving": True,
            "reason": "Every log stream receives events.",
            "streams": [{**stream, "waited": 0}],
        }
    ]
    assert [(call.operation, call.region, call.parameters) for call in calls.made] == [
        ("DescribeLogStreams", REGION, {"logGroupName": GROUP, "logStreamNamePrefix": "system_i-1"})
    ]


def test_a_description_that_is_behind_is_no_proof_of_silence(aws: World, look: Runner, record_calls: Record) -> None:
    aws.log_stream(GROUP, "system_i-1", NOW - timedelta(hours=2), NOW - timedelta(minutes=2), NOW - timedelta(minutes=3))
    calls = record_calls()
    descriptions_know_of_no_events(calls, "system_i-1")
    entry = look("i-1")["appliances"][0]
    assert (entry["receiving"], entry["streams"][0]["last_event_at"]) == (True, "2026-03-01T11:58:00Z")
    assert calls.operations == ["DescribeLogStreams", "GetLogEvents"]
    assert calls.of("GetLogEvents") == [asked("system_i-1")]


def test_an_empty_page_is_not_the_end(aws: World, look: Runner, record_calls: Record) -> None:
    calls = record_calls()
    descriptions_know_of_no_events(calls, "system_i-1")
    calls.answer("GetLogEvents", events_in_pages([], [], [HOUR_AGO + 1000]))
    entry = look("i-1")["appliances"][0]
    assert (entry["receiving"], entry["streams"][0]["last_event_at"]) == (True, "2026-03-01T11:00:01Z")
    assert calls.of("GetLogEvents") == [asked("system_i-1"), asked("system_i-1", nextToken="b/0"), asked("system_i-1", nextToken="b/1")]


def test_a_marker_that_comes_back_is_the_end(aws: World, look: Runner, record_calls: Record) -> None:
    calls = record_calls()
    descriptions_know_of_no_events(calls, "system_i-1")
    calls.answer("GetLogEvents", events_in_pages([], []))
    assert look("i-1")["appliances"][0]["receiving"] is False
    assert calls.of("GetLogEvents") == [asked("system_i-1"), asked("system_i-1", nextToken="b/0"), asked("system_i-1", nextToken="b/1")]


def test_events_that_are_too_old(aws: World, look: Runner) -> None:
    aws.log_stream(GROUP, "system_i-1", NOW - timedelta(hours=2))
    result = look("i-1")
    entry = result["appliances"][0]
    assert (result["failed"], entry["failed"], entry["receiving"], entry["streams"][0]["exists"]) == (False, False, False, True)
    assert "no event since 2026-03-01T11:00:00Z" in entry["reason"] and "the last one is of 2026-03-01T10:00:00Z" in entry["reason"]
    assert look("i-1", max_age=7200)["appliances"][0]["receiving"]


def test_since_comes_before_the_greatest_age(aws: World, look: Runner, record_calls: Record) -> None:
    aws.log_stream(GROUP, "system_i-1", NOW - timedelta(hours=2))
    appliance = {"instance_id": "i-1", "log_types": [SYSTEM]}
    assert look(appliances=[{**appliance, "since": "2026-03-01T12:00:00+02:00"}])["appliances"][0]["receiving"]
    calls = record_calls()
    assert not look(appliances=[{**appliance, "since": "2026-03-01T10:00:00.0001"}])["appliances"][0]["receiving"]
    assert {call["startTime"] for call in calls.of("GetLogEvents")} == {HOUR_AGO - 3600_000 + 1}


def test_missing_groups_and_streams_are_findings(aws: World, look: Runner, record_calls: Record) -> None:
    aws.log_stream(GROUP, "other")
    appliance = {"instance_id": "i-1", "log_types": [SYSTEM, {"name": "host", "group": "nowhere"}, {"name": "audit", "group": "off", "enabled": False}]}
    calls = record_calls()
    result = look(appliances=[appliance])
    entry = result["appliances"][0]
    assert (result["failed"], entry["receiving"]) == (False, False)
    assert [(stream["name"], stream["exists"], stream["last_event_at"]) for stream in entry["streams"]] == [("system", False, None), ("host", False, None)]
    assert "there is no log stream host_i-1 in the log group nowhere" in entry["reason"]
    assert calls.operations == ["DescribeLogStreams", "DescribeLogStreams"]


def test_a_group_with_many_streams_is_listed_once_in_pages(aws: World, look: Runner, record_calls: Record) -> None:
    instance_ids = [f"i-0{number:03}" for number in range(60)]
    for instance_id in instance_ids[:-1]:
        aws.log_stream(GROUP, f"system_{instance_id}", NOW)
    calls = record_calls()
    result = look(*instance_ids, concurrency=3)
    assert [entry["receiving"] for entry in result["appliances"]] == [True] * 59 + [False]
    assert calls.operations == ["DescribeLogStreams"] * 2
    assert calls.of("DescribeLogStreams")[0] == {"logGroupName": GROUP, "logStreamNamePrefix": "system_i-00"}
    assert calls.of("DescribeLogStreams")[1]["nextToken"]


def test_many_streams_with_nothing_in_common(aws: World, look: Runner, record_calls: Record) -> None:
    log_types = [{"name": f"{number}", "group": GROUP} for number in range(11)]
    aws.log_stream(GROUP, "3_i-1", NOW)
    calls = record_calls()
    entry = look(appliances=[{"instance_id": "i-1", "log_types": log_types}])["appliances"][0]
    assert [stream["receiving"] for stream in entry["streams"]] == [number == 3 for number in range(11)]
    assert calls.of("DescribeLogStreams") == [{"logGroupName": GROUP}]


class TestWaiting:
    def test_looks_again_only_for_what_is_missing(self, aws: World, look: Runner, record_calls: Record, clock: list[float]) -> None:
        aws.log_stream(GROUP, "system_i-1", NOW)
        aws.log_stream(GROUP, "system_i-2")
        calls = record_calls()

        def arrive(_call: Call) -> None:
            if len(clock) == 1:
                aws.log_stream(GROUP, "system_i-3")
            if len(clock) == 2:
                aws.log_stream(GROUP, "system_i-2", NOW)
                aws.log_stream(GROUP, "system_i-3", NOW)

        calls.react("DescribeLogStreams", arrive, times=99)
        calls.react("GetLogEvents", arrive, times=99)
        result = look("i-1", "i-2", "i-3", wait_timeout=60, wait_interval=5)
        assert [entry["receiving"] for entry in result["appliances"]] == [True, True, True]
        assert [entry["streams"][0]["waited"] for entry in result["appliances"]] == [0, 10, 10]
        assert clock == [5, 5]
        # What exists is not described again.
        assert [call["logStreamNamePrefix"] for call in calls.of("DescribeLogStreams")] == ["system_i-1", "system_i-2", "system_i-3", "system_i-3"]
        assert {call["logStreamName"] for call in calls.of("GetLogEvents")} == {"system_i-2", "system_i-3"}

    def test_ends_in_time(self, aws: World, look: Runner, clock: list[float]) -> None:
        result = look("i-1", wait_timeout=30, wait_interval=10)
        assert (result["failed"], result["appliances"][0]["receiving"], clock) == (False, False, [10, 10, 10])
        assert result["appliances"][0]["streams"][0]["waited"] == 30

    @pytest.mark.parametrize("options", [{}, {"wait_timeout": 600, "check_mode": True}])
    def test_looks_once(self, aws: World, look: Runner, clock: list[float], options: Json) -> None:
        assert not look("i-1", **options)["appliances"][0]["receiving"]
        assert clock == []

    def test_outlasts_throttling(self, aws: World, look: Runner, record_calls: Record, clock: list[float]) -> None:
        aws.log_stream(GROUP, "system_i-1", NOW)
        record_calls().fail("DescribeLogStreams", "ThrottlingException", times=2)
        assert look("i-1", wait_timeout=60)["appliances"][0]["receiving"]
        assert clock == [15, 15]

    def test_throttling_at_the_last_look_is_an_error(self, aws: World, look: Runner, record_calls: Record) -> None:
        record_calls().fail("DescribeLogStreams", "ThrottlingException")
        result = look("i-1")
        assert result["failed"] and "AWS is throttling: lower concurrency" in result["appliances"][0]["msg"]

    def test_a_missing_permission_is_not_waited_for(self, aws: World, look: Runner, record_calls: Record, clock: list[float]) -> None:
        aws.log_stream(GROUP, "system_i-1")
        aws.log_stream("other", "system_i-2", NOW)
        record_calls().fail("GetLogEvents", "AccessDeniedException", times=9)
        appliances = [{"instance_id": "i-1", "log_types": [SYSTEM]}, {"instance_id": "i-2", "log_types": [{"name": "system", "group": "other"}]}]
        result = look(appliances=appliances, wait_timeout=60)
        assert clock == []
        assert [entry["failed"] for entry in result["appliances"]] == [True, False]
        assert "Allow the IAM action logs:GetLogEvents" in result["appliances"][0]["msg"]
        assert result["appliances"][1]["receiving"]


def test_a_stream_that_is_deleted_meanwhile(aws: World, look: Runner, record_calls: Record) -> None:
    aws.log_stream(GROUP, "system_i-1")
    calls = record_calls()
    calls.react("GetLogEvents", lambda _call: boto3.client("logs").delete_log_group(logGroupName=GROUP) and None)
    assert look("i-1")["appliances"][0]["streams"][0]["exists"] is False


class TestRegions:
    def test_a_region_that_is_known_is_not_asked_for(self, aws: World, look: Runner, record_calls: Record) -> None:
        World("us-west-2").log_stream(GROUP, "system_i-1", NOW)
        calls = record_calls()
        result = look(appliances=[{"instance_id": "i-1", "region": "us-west-2", "log_types": [SYSTEM]}], regions=[REGION, "us-east-1"])
        assert (result["appliances"][0]["region"], result["appliances"][0]["receiving"]) == ("us-west-2", True)
        assert calls.operations == ["DescribeLogStreams"]
        assert look("i-1", regions=["us-west-2"])["appliances"][0]["receiving"]
        assert calls.operations == ["DescribeLogStreams", "DescribeLogStreams"]

    def test_of_several_regions_ec2_tells_which(self, aws: World, look: Runner, record_calls: Record) -> None:
        there = World("us-west-2")
        instance_id = there.appliance(there.vpc())
        there.log_stream(GROUP, f"system_{instance_id}", NOW)
        calls = record_calls()
        result = look(instance_id, "i-00000000000000000", regions=[REGION, "us-west-2"])
        assert [entry["failed"] for entry in result["appliances"]] == [False, True]
        assert (result["appliances"][0]["region"], result["appliances"][0]["receiving"]) == ("us-west-2", True)
        assert "There is no EC2 instance i-00000000000000000" in result["appliances"][1]["msg"]
        assert calls.operations == ["DescribeInstances", "DescribeInstances", "DescribeLogStreams"]


def test_what_the_configuration_module_returns_can_be_given(aws: World, look: Runner) -> None:
    aws.log_stream("a", "ipsBlock_i-1", NOW)
    block = {"name": "ipsBlock", "group": "a", "stream": "ipsBlock_{instance_id}", "enabled": True}
    unset = {"name": "host", "group": None, "stream": "host_{instance_id}", "enabled": False}
    entry = look(appliances=[{"instance_id": "i-1", "log_types": [block, unset]}])["appliances"][0]
    assert [(stream["stream"], stream["receiving"]) for stream in entry["streams"]] == [("ipsBlock_i-1", True)]


def test_nothing_enabled_asks_nothing(aws: World, look: Runner, record_calls: Record) -> None:
    calls = record_calls()
    result = look(appliances=[{"instance_id": "i-1", "log_types": []}], wait_timeout=60)
    assert (result["appliances"][0]["receiving"], calls.made) == (True, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"appliances": [{"instance_id": "i-1", "log_types": [SYSTEM]}] * 2}, "Given more than once: i-1"),
        ({"appliances": [{"instance_id": "i-1", "log_types": [{"name": "system"}]}]}, "i-1: give the log group"),
        ({"appliances": [{"instance_id": "i-1", "log_types": [], "since": "yesterday"}]}, "since must be an ISO 8601 time like"),
        ({"wait_interval": 0}, "wait_interval must be more than 0 seconds, it is 0."),
    ],
)
def test_options_that_cannot_be_used(aws: World, look: Runner, record_calls: Record, options: Json, message: str) -> None:
    calls = record_calls()
    result = look("i-1", **options)
    assert message in result["msg"] and "appliances" not in result
    assert calls.made == []


def test_bad_credentials_concern_everything(aws: World, look: Runner, record_calls: Record) -> None:
    record_calls().fail("DescribeLogStreams", "UnrecognizedClientException")
    result = look("i-1", "i-2")
    assert "Check the AWS credentials" in result["msg"] and "appliances" not in result
