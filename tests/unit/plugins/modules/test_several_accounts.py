# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that take appliances of several AWS accounts in one call."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import REGISTERED_AT
from ansible_collections.trendmicro.cloudone.plugins.modules import (
    netsec_certificate_info,
    netsec_instance_role_info,
    netsec_log_delivery_info,
    netsec_renewal_record,
    netsec_ssh_access,
)
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, NOW, REGION, Calls, Json, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance

OTHER_ACCOUNT = "210987654321"
Record = t.Callable[[], Calls]


@pytest.fixture
def there(aws: World) -> World:
    """A region of another account."""
    return World(account_id=OTHER_ACCOUNT)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (netsec_certificate_info, netsec_renewal_record, netsec_ssh_access):
        monkeypatch.setattr(module, "utc_now", lambda: NOW)


def place(world: World, instance_id: str) -> Json:
    """An element of option ``appliances``."""
    return {"instance_id": instance_id, "region": REGION, **({"assume_role_arn": world.role_arn} if world.role_arn else {})}


def listed(number: int, instance_id: str, account_id: str) -> Json:
    metadata = {"region": REGION, "accountId": account_id}
    return appliance(number, instance_id, providerMetadata=[{"key": key, "value": value} for key, value in metadata.items()])


def test_a_forecast_over_two_accounts(aws: World, there: World, run_module: Runner, script: Script, record_calls: Record) -> None:
    first, second, third = (world.appliance(world.vpc()) for world in (there, aws, there))
    for number, (instance_id, account_id) in enumerate(((first, OTHER_ACCOUNT), (second, ACCOUNT), (third, OTHER_ACCOUNT))):
        script.expect_search(instance_id, listed(number, instance_id, account_id))
    calls = record_calls()
    appliances = [
        {**place(there, first), "assume_role_external_id": "shared"},
        place(aws, second),
        {**place(there, third), "assume_role_external_id": "shared"},
    ]
    result = run_module(netsec_certificate_info.main, {**OPTIONS, "concurrency": 1, "appliances": appliances})
    assert not result["failed"]
    assert [(entry["instance_id"], entry["status"], entry["account_id"]) for entry in result["appliances"]] == [
        (first, "valid", OTHER_ACCOUNT),
        (second, "valid", ACCOUNT),
        (third, "valid", OTHER_ACCOUNT),
    ]
    for entry, asked in zip(result["appliances"], appliances, strict=True):
        assert entry["location"] == {**asked, "management_interface": entry["management_interface"]["id"]}
    assert calls.of("AssumeRole") == [{"RoleArn": there.role_arn, "RoleSessionName": "trendmicro.cloudone", "ExternalId": "shared"}]
    assert len(calls.of("DescribeInstances")) == 2


def test_an_account_that_cannot_be_reached_is_a_failure_of_its_appliances(
    aws: World, there: World, run_module: Runner, script: Script, record_calls: Record
) -> None:
    here, away = aws.appliance(aws.vpc()), "i-0aaaaaaaaaaaaaaaa"
    script.expect_search(away, listed(2, away, OTHER_ACCOUNT))
    script.expect_search(here, listed(1, here, ACCOUNT))
    record_calls().fail("AssumeRole", "AccessDenied", "not authorized to perform: sts:AssumeRole", times=9)
    result = run_module(netsec_certificate_info.main, {**OPTIONS, "concurrency": 1, "appliances": [place(there, away), place(aws, here)]})
    assert result["failed"]
    assert [entry["failed"] for entry in result["appliances"]] == [True, False]
    assert "sts:AssumeRole" in result["appliances"][0]["msg"]


def test_one_account_alone_that_cannot_be_reached_fails_the_call(there: World, run_module: Runner, script: Script, record_calls: Record) -> None:
    script.expect_search("i-0aaaaaaaaaaaaaaaa")
    record_calls().fail("AssumeRole", "InvalidClientTokenId", times=9)
    result = run_module(netsec_certificate_info.main, {**OPTIONS, "concurrency": 1, "appliances": [place(there, "i-0aaaaaaaaaaaaaaaa")]})
    assert result["failed"] and "appliances" not in result


@pytest.mark.parametrize("looked_for_in", ["its own account", "another account"])
def test_an_appliance_of_an_account_that_is_asked_never_passes_for_hosted(
    aws: World, there: World, run_module: Runner, script: Script, looked_for_in: str
) -> None:
    here, away = aws.appliance(aws.vpc()), there.appliance(there.vpc())
    script.expect_search(here, listed(1, here, ACCOUNT))
    script.expect_search(away, listed(2, away, OTHER_ACCOUNT))
    lost = "i-0bbbbbbbbbbbbbbbb"
    script.expect_search(lost, listed(3, lost, OTHER_ACCOUNT))
    world = there if looked_for_in == "its own account" else aws
    result = run_module(netsec_certificate_info.main, {**OPTIONS, "concurrency": 1, "appliances": [place(aws, here), place(there, away), place(world, lost)]})
    entry = result["appliances"][2]
    if looked_for_in == "its own account":
        assert (entry["failed"], entry["status"]) == (False, "unknown")
        assert "gone" in entry["reason"]
    else:
        assert entry["failed"]
        assert f"belongs to the AWS account {OTHER_ACCOUNT}" in entry["msg"] and "Check assume_role_arn" in entry["msg"]


def test_ssh_is_opened_and_closed_in_the_account_of_each(aws: World, there: World, run_module: Runner, record_calls: Record, pauses: list[float]) -> None:
    here, away = aws.appliance(aws.vpc()), there.appliance(there.vpc())
    before = aws.groups_of(here), there.groups_of(away)
    appliances = [place(aws, here), place(there, away)]
    options = {"access_id": "run-1", "appliances": appliances, "source_cidrs": ["10.0.0.5/32"]}
    result = run_module(netsec_ssh_access.main, options)
    assert not result["failed"], result
    assert [entry["instance_id"] for entry in result["appliances"]] == [here, away]
    assert (len(aws.groups_of(here)), len(there.groups_of(away))) == (len(before[0]) + 1, len(before[1]) + 1)

    calls = record_calls()
    calls.fail("AssumeRole", "AccessDenied", "not authorized to perform: sts:AssumeRole", times=9)
    result = run_module(netsec_ssh_access.main, {**options, "state": "absent"})
    assert result["failed"] and "SSH could not be closed everywhere" in result["msg"] and "sts:AssumeRole" in result["msg"]
    assert [entry["failed"] for entry in result["appliances"]] == [False, True]
    assert aws.groups_of(here) == before[0]


def test_ssh_is_closed_in_all_accounts(aws: World, there: World, run_module: Runner, pauses: list[float]) -> None:
    here, away = aws.appliance(aws.vpc()), there.appliance(there.vpc())
    before = aws.groups_of(here), there.groups_of(away)
    options = {"access_id": "run-1", "appliances": [place(aws, here), place(there, away)], "source_cidrs": ["10.0.0.5/32"]}
    run_module(netsec_ssh_access.main, options)
    result = run_module(netsec_ssh_access.main, {**options, "state": "absent"})
    assert (result["failed"], result["changed"], len(result["groups"])) == (False, True, 2)
    assert (aws.groups_of(here), there.groups_of(away)) == before


def test_renewals_are_recorded_in_the_account_of_each(aws: World, there: World, run_module: Runner, script: Script) -> None:
    here, away = aws.appliance(aws.vpc()), there.appliance(there.vpc())
    appliances = [place(there, away), place(aws, here)]
    for instance_id in (away, here):
        script.expect_search(instance_id)
    result = run_module(netsec_renewal_record.main, {**OPTIONS, "concurrency": 1, "state": "started", "appliances": appliances})
    assert not result["failed"], result
    assert [entry["instance_id"] for entry in result["appliances"]] == [away, here]
    for state in ("registered", "finished"):
        assert not run_module(netsec_renewal_record.main, {**OPTIONS, "concurrency": 1, "state": state, "appliances": appliances})["failed"]
    assert aws.tags(here) == there.tags(away) == {REGISTERED_AT: "2026-03-01T12:00:00Z"}


def test_roles_of_instances_are_asked_for_in_the_account_of_each(aws: World, there: World, run_module: Runner) -> None:
    here, away = aws.appliance(aws.vpc()), there.appliance(there.vpc())
    result = run_module(netsec_instance_role_info.main, {"appliances": [place(there, away), place(aws, here)]})
    assert [(entry["instance_id"], entry["allowed"]) for entry in result["appliances"]] == [(away, False), (here, False)]


def test_logs_are_looked_for_in_the_account_of_each(aws: World, there: World, run_module: Runner, record_calls: Record) -> None:
    calls = record_calls()
    log_types = [{"name": "system", "group": "logs", "stream": "system_{instance_id}"}]
    appliances = [{**place(world, instance_id), "log_types": log_types} for world, instance_id in ((there, "i-1"), (aws, "i-2"))]
    aws.log_stream("logs", "system_i-2", NOW)
    result = run_module(netsec_log_delivery_info.main, {"appliances": appliances, "max_age": 10**9})
    assert not result["failed"], result
    assert [[stream["exists"] for stream in entry["streams"]] for entry in result["appliances"]] == [[False], [True]]
    assert len(calls.of("AssumeRole")) == 1
