# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import time
import typing as t
from datetime import timedelta

import boto3
import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings, decode, encode
from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_renewal_record
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW, REGION, Calls, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, log_config, log_type, search_body

Record = t.Callable[[], Calls]
Result = dict[str, t.Any]
Run = t.Callable[..., Result]

REGISTERED_AT, STARTED, FIRST = "trendmicro.cloudone:registered-at", "trendmicro.cloudone:renewal-started", "trendmicro.cloudone:renewal-1"
LOG_TYPES: list[Result] = [{"name": "ipsBlock", "group": "ips", "stream": "ipsBlock_{instance_id}", "enabled": True}]
SETTINGS: Result = {"appliance_id": 17, "profile_id": 3, "log_types": LOG_TYPES}
NO_SETTINGS: Result = {"appliance_id": None, "profile_id": None, "log_types": []}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec_renewal_record, "utc_now", lambda: NOW + timedelta(microseconds=5))


@pytest.fixture
def run(aws: World, run_module: t.Callable[..., Result]) -> Run:
    def run(state: str, *instance_ids: str, check_mode: bool = False, **options: t.Any) -> Result:
        appliances = [{"instance_id": one} for one in instance_ids]
        return run_module(netsec_renewal_record.main, {**OPTIONS, "state": state, "appliances": appliances, **options}, check_mode=check_mode)

    return run


@pytest.fixture
def instance_id(aws: World) -> str:
    return aws.appliance(aws.vpc(), tags={"Name": "one"})


@pytest.fixture
def recorded_id(aws: World) -> str:
    """An instance with the record of a renewal."""
    return aws.appliance(aws.vpc(), tags={"Name": "one", STARTED: "2026-02-28T12:00:00Z", **encode(Settings.from_dict(SETTINGS))})


def expect_reading(script: Script, *instance_ids: str) -> None:
    """The calls that read the settings of appliances: of the first the number is 17, of the second 18, ..."""
    numbers = dict(enumerate(instance_ids, start=17))
    for number, instance_id in numbers.items():
        script.expect_search(instance_id, appliance(number, instance_id))
    distributions = [{"applianceId": number, "type": "profile", "profile": {"id": 3}} for number in numbers]
    script.expect("GET", "/appliancedistributions", {"distributions": distributions}, query={"type": "profile"})
    for number in numbers:
        script.expect("GET", f"/appliances/{number}/cloudwatchlogconfig", log_config(log_type("ipsBlock", enable=True)))


def started(instance_id: str, *, changed: bool = True, settings: Result | None = None) -> Result:
    """The entry of an appliance with ``state=started``."""
    settings = SETTINGS if settings is None else settings
    return {
        "instance_id": instance_id,
        "changed": changed,
        "failed": False,
        "settings": settings,
        "log_streaming": {"instance_id": instance_id, "log_types": settings["log_types"]} if settings["log_types"] else None,
        "distribution": {"instance_id": instance_id, "profile_id": settings["profile_id"]},
    }


class TestStarted:
    def test_reads_the_settings_and_writes_the_record(self, aws: World, run: Run, script: Script, instance_id: str, record_calls: Record) -> None:
        expect_reading(script, instance_id)
        calls = record_calls()
        result = run("started", instance_id)
        assert (result["changed"], result["appliances"]) == (True, [started(instance_id)])
        assert calls.operations == ["DescribeInstances", "DeleteTags (dry run)", "CreateTags"]
        tags = aws.tags(instance_id)
        assert set(tags) == {"Name", STARTED, FIRST}
        assert tags[STARTED] == "2026-03-01T12:00:00Z"
        assert decode(tags) == Settings.from_dict(SETTINGS)
        keys = [{"Key": FIRST}, {"Key": STARTED}]
        assert calls.of("DeleteTags") == [{"Resources": [instance_id], "Tags": keys, "DryRun": True}]
        (creation,) = calls.of("CreateTags")
        assert creation == {"Resources": [instance_id], "Tags": [{**key, "Value": tags[key["Key"]]} for key in keys]}

    def test_distributions_are_asked_for_once(self, aws: World, run: Run, script: Script) -> None:
        vpc_id = aws.vpc()
        instance_ids = [aws.appliance(vpc_id) for _number in range(3)]
        expect_reading(script, *instance_ids)
        result = run("started", *instance_ids)
        assert result["appliances"] == [
            started(instance_id, settings={**SETTINGS, "appliance_id": number}) for number, instance_id in enumerate(instance_ids, start=17)
        ]

    def test_many_instances_are_asked_about_and_changed_with_few_calls(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        instance_ids = [aws.appliance(vpc_id) for _number in range(3)]
        for instance_id in instance_ids:
            script.expect_search(instance_id)
        calls = record_calls()
        run("started", *instance_ids)
        run("registered", *instance_ids)
        run("finished", *instance_ids)
        changes = [operation for operation in calls.operations if operation != "DescribeInstances"]
        assert changes == ["DeleteTags (dry run)", "CreateTags", "CreateTags", "DeleteTags"]
        assert all(call["Resources"] == instance_ids for call in calls.of("CreateTags") + calls.of("DeleteTags"))
        assert all(set(aws.tags(instance_id)) == {REGISTERED_AT} for instance_id in instance_ids)

    def test_a_call_for_many_that_is_refused_is_made_for_each(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        instance_ids = [aws.appliance(vpc_id) for _number in range(2)]
        calls = record_calls()
        calls.fail("CreateTags", "UnauthorizedOperation", times=1)
        assert not run("registered", *instance_ids)["failed"]
        assert [call["Resources"] for call in calls.of("CreateTags")] == [instance_ids, *([instance_id] for instance_id in instance_ids)]
        assert all(REGISTERED_AT in aws.tags(instance_id) for instance_id in instance_ids)

    def test_keeps_the_record_of_an_interrupted_renewal_and_asks_the_api_nothing(
        self, aws: World, run: Run, script: Script, recorded_id: str, record_calls: Record
    ) -> None:
        before = aws.tags(recorded_id)
        calls = record_calls()
        result = run("started", recorded_id)
        assert (result["changed"], result["appliances"]) == (False, [started(recorded_id, changed=False)])
        assert calls.operations == ["DescribeInstances", "DeleteTags (dry run)"]
        assert aws.tags(recorded_id) == before

    def test_an_appliance_that_the_api_does_not_list_has_no_settings(self, aws: World, run: Run, script: Script, instance_id: str) -> None:
        script.expect_search(instance_id)
        assert run("started", instance_id)["appliances"] == [started(instance_id, settings=NO_SETTINGS)]
        assert decode(aws.tags(instance_id)) == Settings(None, None, ())

    def test_what_is_not_known_of_an_appliance_that_is_listed(self, aws: World, run: Run, script: Script, instance_id: str) -> None:
        script.expect_search(instance_id, appliance(17, instance_id))
        script.expect("GET", "/appliancedistributions", {"distributions": []}, query={"type": "profile"})
        script.expect("GET", "/appliances/17/cloudwatchlogconfig", log_config())
        assert run("started", instance_id)["appliances"] == [started(instance_id, settings={**NO_SETTINGS, "appliance_id": 17})]

    def test_check_mode_proves_permissions_and_changes_nothing(self, aws: World, run: Run, script: Script, instance_id: str, record_calls: Record) -> None:
        expect_reading(script, instance_id)
        before = aws.tags(instance_id)
        calls = record_calls()
        assert run("started", instance_id, check_mode=True)["appliances"] == [started(instance_id)]
        assert calls.operations == ["DescribeInstances", "DeleteTags (dry run)", "CreateTags (dry run)"]
        assert aws.tags(instance_id) == before

    def test_check_mode_where_there_is_a_record(self, aws: World, run: Run, script: Script, recorded_id: str, record_calls: Record) -> None:
        calls = record_calls()
        assert run("started", recorded_id, check_mode=True)["appliances"] == [started(recorded_id, changed=False)]
        assert calls.operations == ["DescribeInstances", "DeleteTags (dry run)"]

    @pytest.mark.parametrize("check_mode", [False, True])
    @pytest.mark.parametrize("operation", ["CreateTags", "DeleteTags"])
    def test_a_missing_permission_is_found_before_anything_is_written(
        self, aws: World, run: Run, script: Script, instance_id: str, record_calls: Record, operation: str, check_mode: bool
    ) -> None:
        expect_reading(script, instance_id)
        calls = record_calls()
        calls.fail(operation, "UnauthorizedOperation")
        result = run("started", instance_id, check_mode=check_mode)
        assert result["failed"] and not result["changed"]
        assert f"Allow the IAM action ec2:{operation}" in result["appliances"][0]["msg"]
        assert aws.tags(instance_id) == {"Name": "one"}

    def test_a_record_that_could_not_be_removed_is_an_error_too(self, aws: World, run: Run, script: Script, recorded_id: str, record_calls: Record) -> None:
        calls = record_calls()
        calls.fail("DeleteTags", "UnauthorizedOperation")
        assert "Allow the IAM action ec2:DeleteTags" in run("started", recorded_id)["appliances"][0]["msg"]

    def test_one_failure_does_not_stop_another(self, aws: World, run: Run, script: Script, instance_id: str, recorded_id: str) -> None:
        vpc_id = aws.vpc()
        full = aws.appliance(vpc_id, tags={f"own-{number}": "x" for number in range(50)})
        broken, unreadable, twice = aws.appliance(vpc_id), aws.appliance(vpc_id, tags={FIRST: "rubbish"}), aws.appliance(vpc_id)
        script.expect_search(full)
        script.expect_search(broken, appliance(1, broken))
        script.expect_search(twice, appliance(2, twice), appliance(3, twice))
        script.expect_search(instance_id)
        script.expect("GET", "/appliancedistributions", {"distributions": []}, query={"type": "profile"})
        script.expect("GET", "/appliances/1/cloudwatchlogconfig", {"message": "out of order"}, status=500)
        result = run("started", full, broken, unreadable, twice, recorded_id, instance_id, "i-00000000000000000")
        messages = [entry.get("msg", "") for entry in result["appliances"]]
        assert [bool(message) for message in messages] == [True, True, True, True, False, False, True]
        assert "would need 53 tags" in messages[0]
        assert "HTTP 500: out of order" in messages[1]
        assert "cannot be read" in messages[2]
        assert "is listed 2 times" in messages[3]
        assert "There is no EC2 instance i-00000000000000000" in messages[6]
        assert FIRST in aws.tags(instance_id) and aws.tags(broken) == {}

    def test_a_wrong_api_key_concerns_everything(self, aws: World, run: Run, script: Script, instance_id: str, record_calls: Record) -> None:
        script.expect("POST", "/appliances/search", {"message": "Authorization Required"}, status=401, body=search_body(instance_id))
        calls = record_calls()
        result = run("started", instance_id)
        assert result["failed"] and "appliances" not in result
        assert "401" in result["msg"] and OPTIONS["api_key"] not in json.dumps(result)
        assert calls.operations == ["DescribeInstances"]


class TestWithoutAws:
    @pytest.mark.parametrize("check_mode", [False, True])
    def test_reads_and_records_nothing(self, aws: World, run: Run, script: Script, record_calls: Record, check_mode: bool) -> None:
        expect_reading(script, "i-1")
        calls = record_calls()
        result = run("started", "i-1", use_aws=False, check_mode=check_mode)
        assert (result["changed"], result["appliances"]) == (False, [started("i-1", changed=False)])
        assert calls.made == []

    @pytest.mark.parametrize("state", ["registered", "finished"])
    def test_what_only_writes_tags_is_refused(self, aws: World, run: Run, script: Script, record_calls: Record, state: str) -> None:
        calls = record_calls()
        result = run(state, "i-1", use_aws=False)
        assert result["msg"] == f"state={state} does nothing but write tags of EC2 instances. Leave use_aws true, or leave this task out."
        assert "appliances" not in result
        assert calls.made == []


class TestRegistered:
    def test_writes_the_time_and_keeps_the_record(self, aws: World, run: Run, script: Script, recorded_id: str, record_calls: Record) -> None:
        calls = record_calls()
        result = run("registered", recorded_id)
        dates = {"registered_at": "2026-03-01T12:00:00Z", "expires_at": "2028-03-01T12:00:00Z"}
        assert result["appliances"] == [{"instance_id": recorded_id, "changed": True, "failed": False, **dates}]
        assert calls.of("CreateTags") == [{"Resources": [recorded_id], "Tags": [{"Key": REGISTERED_AT, "Value": "2026-03-01T12:00:00Z"}]}]
        assert decode(aws.tags(recorded_id)) == Settings.from_dict(SETTINGS)

    def test_a_time_that_is_given(self, aws: World, run: Run, instance_id: str) -> None:
        assert run("registered", instance_id, registered_at="2026-02-01T01:00:00+01:00")["changed"]
        assert aws.tags(instance_id)[REGISTERED_AT] == "2026-02-01T00:00:00Z"
        assert not run("registered", instance_id, registered_at="2026-02-01T00:00:00Z")["changed"]

    def test_a_time_that_is_none(self, aws: World, run: Run, instance_id: str) -> None:
        assert "registered_at must be an ISO 8601 time" in run("registered", instance_id, registered_at="yesterday")["msg"]

    def test_check_mode(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        calls = record_calls()
        assert run("registered", instance_id, check_mode=True)["changed"]
        assert calls.operations == ["DescribeInstances", "CreateTags (dry run)"]
        assert REGISTERED_AT not in aws.tags(instance_id)


class TestFinished:
    def test_removes_the_record_only(self, aws: World, run: Run, script: Script, recorded_id: str, record_calls: Record) -> None:
        run("registered", recorded_id)
        calls = record_calls()
        assert run("finished", recorded_id)["appliances"] == [{"instance_id": recorded_id, "changed": True, "failed": False}]
        assert calls.of("DeleteTags") == [{"Resources": [recorded_id], "Tags": [{"Key": FIRST}, {"Key": STARTED}]}]
        assert set(aws.tags(recorded_id)) == {"Name", REGISTERED_AT}

    def test_again_changes_nothing(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        calls = record_calls()
        assert not run("finished", instance_id)["changed"]
        assert set(calls.operations) == {"DescribeInstances"}

    def test_a_record_that_ec2_does_not_show_yet(self, aws: World, run: Run, recorded_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        hidden = {key: value for key, value in aws.tags(recorded_id).items() if key in (FIRST, STARTED)}
        ec2 = boto3.client("ec2", region_name=REGION)
        ec2.delete_tags(Resources=[recorded_id], Tags=[{"Key": key} for key in hidden])

        def sleep(_seconds: float) -> None:
            ec2.create_tags(Resources=[recorded_id], Tags=[{"Key": key, "Value": value} for key, value in hidden.items()])

        monkeypatch.setattr(time, "sleep", sleep)
        assert run("finished", recorded_id)["changed"]
        assert not hidden.keys() & aws.tags(recorded_id).keys()

    def test_removes_a_record_that_cannot_be_read(self, aws: World, run: Run) -> None:
        instance_id = aws.appliance(aws.vpc(), tags={FIRST: "rubbish"})
        run("finished", instance_id)
        assert aws.tags(instance_id) == {}

    def test_check_mode(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc(), tags=encode(Settings(1, 2, ())))
        calls = record_calls()
        assert run("finished", instance_id, check_mode=True)["changed"]
        assert calls.operations == ["DescribeInstances", "DeleteTags (dry run)"]
        assert FIRST in aws.tags(instance_id)


def test_regions(aws: World, run: Run) -> None:
    there = World("us-west-2")
    instance_id = there.appliance(there.vpc())
    assert run("registered", instance_id)["failed"]
    assert not run("registered", instance_id, regions=[REGION, "us-west-2"])["failed"]
    assert REGISTERED_AT in there.tags(instance_id)


def test_an_appliance_twice(aws: World, run: Run) -> None:
    assert "i-1" in run("finished", "i-1", "i-1")["msg"]


def test_bad_credentials_concern_everything(aws: World, run: Run, record_calls: Record) -> None:
    calls = record_calls()
    calls.fail("DescribeInstances", "ExpiredToken")
    result = run("finished", "i-1")
    assert "Check the AWS credentials" in result["msg"] and "appliances" not in result
