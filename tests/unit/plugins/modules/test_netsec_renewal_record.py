# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings, decode, encode
from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_renewal_record
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW, REGION, Calls, World

Record = t.Callable[[], Calls]
Result = dict[str, t.Any]
Run = t.Callable[..., Result]

REGISTERED_AT, STARTED, FIRST = "trendmicro.cloudone:registered-at", "trendmicro.cloudone:renewal-started", "trendmicro.cloudone:renewal-1"
SETTINGS: Result = {"appliance_id": 17, "profile_id": 3, "log_types": [{"name": "ipsBlock", "group": "g", "stream": "s", "enabled": True}]}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec_renewal_record, "utc_now", lambda: NOW + timedelta(microseconds=5))


@pytest.fixture
def run(aws: World, run_module: t.Callable[..., Result]) -> Run:
    def run(state: str, *instance_ids: str, check_mode: bool = False, settings: Result | None = None, **options: t.Any) -> Result:
        appliances = [{"instance_id": one, **({"settings": settings} if settings else {})} for one in instance_ids]
        return run_module(netsec_renewal_record.main, {"state": state, "appliances": appliances, "concurrency": 1, **options}, check_mode=check_mode)

    return run


@pytest.fixture
def instance_id(aws: World) -> str:
    return aws.appliance(aws.vpc(), tags={"Name": "one"})


class TestStarted:
    def test_writes_the_record(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        calls = record_calls()
        result = run("started", instance_id, settings=SETTINGS)
        assert result["appliances"] == [{"instance_id": instance_id, "changed": True, "failed": False, "settings": SETTINGS}]
        assert calls.operations == ["DescribeInstances", "CreateTags"]
        tags = aws.tags(instance_id)
        assert set(tags) == {"Name", STARTED, FIRST}
        assert tags[STARTED] == "2026-03-01T12:00:00Z"
        assert decode(tags) == Settings.from_dict(SETTINGS)

    def test_keeps_the_record_of_an_interrupted_renewal(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        run("started", instance_id, settings=SETTINGS)
        before = aws.tags(instance_id)
        calls = record_calls()
        result = run("started", instance_id, settings={"appliance_id": 99, "profile_id": None, "log_types": []})
        assert result["appliances"] == [{"instance_id": instance_id, "changed": False, "failed": False, "settings": SETTINGS}]
        assert calls.operations == ["DescribeInstances"]
        assert aws.tags(instance_id) == before

    def test_settings_may_be_unknown(self, aws: World, run: Run, instance_id: str) -> None:
        result = run("started", instance_id, settings={"appliance_id": None})
        assert result["appliances"][0]["settings"] == {"appliance_id": None, "profile_id": None, "log_types": []}

    @pytest.mark.parametrize("recorded", [False, True])
    def test_check_mode_proves_permissions_and_changes_nothing(
        self, aws: World, run: Run, instance_id: str, record_calls: Record, recorded: bool
    ) -> None:
        if recorded:
            run("started", instance_id, settings=SETTINGS)
        before = aws.tags(instance_id)
        calls = record_calls()
        result = run("started", instance_id, settings=SETTINGS, check_mode=True)
        assert result["changed"] is not recorded
        assert calls.operations == ["DescribeInstances", *([] if recorded else ["CreateTags (dry run)"]), "DeleteTags (dry run)"]
        assert aws.tags(instance_id) == before

    @pytest.mark.parametrize("operation", ["CreateTags", "DeleteTags"])
    def test_check_mode_finds_a_missing_permission(self, aws: World, run: Run, instance_id: str, record_calls: Record, operation: str) -> None:
        calls = record_calls()
        calls.fail(operation, "UnauthorizedOperation")
        result = run("started", instance_id, settings=SETTINGS, check_mode=True)
        assert f"Allow the IAM action ec2:{operation}" in result["appliances"][0]["msg"]

    def test_needs_settings(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        calls = record_calls()
        result = run("started", instance_id)
        assert f"missing for {instance_id}" in result["msg"] and "appliances" not in result
        assert calls.made == []

    def test_one_failure_does_not_stop_another(self, aws: World, run: Run, instance_id: str) -> None:
        full = aws.appliance(aws.vpc(), tags={f"own-{number}": "x" for number in range(50)})
        result = run("started", full, instance_id, "i-00000000000000000", settings=SETTINGS)
        assert [entry["failed"] for entry in result["appliances"]] == [True, False, True]
        assert "would need 53 tags" in result["appliances"][0]["msg"]
        assert FIRST in aws.tags(instance_id)


class TestRegistered:
    def test_writes_the_time_and_keeps_the_record(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        run("started", instance_id, settings=SETTINGS)
        calls = record_calls()
        result = run("registered", instance_id)
        dates = {"registered_at": "2026-03-01T12:00:00Z", "expires_at": "2028-03-01T12:00:00Z"}
        assert result["appliances"] == [{"instance_id": instance_id, "changed": True, "failed": False, **dates}]
        assert calls.of("CreateTags") == [{"Resources": [instance_id], "Tags": [{"Key": REGISTERED_AT, "Value": "2026-03-01T12:00:00Z"}]}]
        assert decode(aws.tags(instance_id)) == Settings.from_dict(SETTINGS)

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
    def test_removes_the_record_only(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        run("started", instance_id, settings=SETTINGS)
        run("registered", instance_id)
        calls = record_calls()
        assert run("finished", instance_id)["appliances"] == [{"instance_id": instance_id, "changed": True, "failed": False}]
        assert calls.of("DeleteTags") == [{"Resources": [instance_id], "Tags": [{"Key": FIRST}, {"Key": STARTED}]}]
        assert set(aws.tags(instance_id)) == {"Name", REGISTERED_AT}

    def test_again_changes_nothing(self, aws: World, run: Run, instance_id: str, record_calls: Record) -> None:
        calls = record_calls()
        assert not run("finished", instance_id)["changed"]
        assert calls.operations == ["DescribeInstances"]

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
