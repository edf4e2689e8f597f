# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in several accounts and regions is found, and what fails takes only itself down."""

from __future__ import annotations

import gc
import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.options import TEMPLATE_FILTERS, read_query
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.survey import Survey, survey
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, GENEVE, NOW, REGION, Call, Calls, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import Json, appliance

OTHER = "222222222222"
WEST = "us-west-2"
ROLE = f"arn:aws:iam::{OTHER}:role/certificates"
TAG = "trendmicro.cloudone:registered-at"
PLAIN = ("", "", "")


class Api:
    """The one call that is made."""

    def __init__(self, *entries: Json, error: ApiError | None = None) -> None:
        self._entries, self._error = entries, error

    def list_entries(self) -> list[Json]:
        if self._error:
            raise self._error
        return list(self._entries)


def listed(number: int, instance_id: str, account: str | None = ACCOUNT, region: str | None = REGION) -> Json:
    metadata = [{"key": key, "value": value} for key, value in (("region", region), ("accountId", account)) if value]
    return appliance(number, instance_id, providerMetadata=metadata)


def look(*entries: Json, error: ApiError | None = None, **changes: t.Any) -> Survey:
    params = {
        "accounts": [],
        "regions": [],
        "concurrency": 1,
        "renew_before": 30,
        "registration_tag": TAG,
        "hosted_instance_ids": [],
        "unregistered_filters": list(TEMPLATE_FILTERS),
        **changes,
    }
    return survey(t.cast(t.Any, Api(*entries, error=error)), read_query(params), NOW)


def by_id(found: Survey) -> dict[str, Json]:
    return {host["netsec_instance_id"]: host for host in found.hosts}


def statuses(found: Survey) -> dict[str, str]:
    return {name: host["netsec_status"] for name, host in by_id(found).items()}


def test_two_accounts_and_two_regions(aws: World, record_calls: t.Callable[[], Calls]) -> None:
    first = aws.appliance(aws.vpc(), tags={"Name": "first"})
    west = World(WEST)
    second = west.appliance(west.vpc(), interfaces=PLAIN)
    other = World(REGION, OTHER)
    third = other.appliance(other.vpc(), tags={TAG: "2024-01-01T00:00:00Z"}, interfaces=PLAIN)
    unknown = aws.appliance(aws.vpc())
    calls = record_calls()
    found = look(
        *(listed(1, first), listed(2, second, region=WEST), listed(3, third, OTHER), listed(4, "i-00000000000000009", "999999999999")),
        accounts=[{}, {"assume_role_arn": ROLE}],
    )
    assert (found.warnings, found.errors) == ([], [])
    hosts = by_id(found)
    assert statuses(found) == {first: "valid", second: "valid", third: "expired", "i-00000000000000009": "hosted", unknown: "unregistered"}
    assert hosts[first]["ansible_host"] == aws.interface(first)["PrivateIpAddress"]
    assert (hosts[first]["netsec_deployment"], hosts[first]["netsec_name"]) == ("inline", "first")
    assert hosts[first]["netsec_management_interface"] == aws.interface_id(first)
    # Nothing tells of these which interface is for management.
    assert "ansible_host" not in hosts[second]
    assert (hosts[third]["netsec_account_id"], hosts[third]["netsec_assume_role_arn"]) == (OTHER, ROLE)
    assert hosts[third]["netsec_evidence"] == "registration_tag"
    # What the filters found is not asked for again.
    asked = [value for parameters in calls.of("DescribeInstances") for one in parameters["Filters"] if one["Name"] == "instance-id" for value in one["Values"]]
    assert sorted(asked) == sorted([second, third])
    assert all(parameters["MaxResults"] == 1000 for parameters in calls.of("DescribeInstances"))


def test_the_deployment_behind_a_load_balancer(aws: World) -> None:
    vpc_id = aws.vpc()
    data, management = aws.group(vpc_id, "data", GENEVE), aws.group(vpc_id, "management")
    instance_id = aws.appliance(vpc_id, interfaces=("data", "x"), groups=[[data], [management]])
    host = by_id(look(listed(1, instance_id)))[instance_id]
    assert (host["netsec_deployment"], host["ansible_host"]) == ("gateway_load_balancer", aws.interface(instance_id, 1)["PrivateIpAddress"])


def test_a_renewed_appliance_that_is_not_listed_is_found_by_its_tag(aws: World) -> None:
    instance_id = aws.appliance(aws.vpc(), tags={TAG: "2026-01-01T00:00:00Z"}, interfaces=PLAIN)
    assert statuses(look(regions=[REGION])) == {instance_id: "unregistered"}
    assert statuses(look(regions=[REGION], unregistered_filters=[])) == {}


def test_a_filter_of_ones_own(aws: World) -> None:
    instance_id = aws.appliance(aws.vpc(), tags={"Kind": "nsva"}, interfaces=PLAIN)
    aws.appliance(aws.vpc(), tags={"Kind": "web"}, interfaces=PLAIN)
    assert statuses(look(regions=[REGION], unregistered_filters=[{"tag:Kind": "nsva"}])) == {instance_id: "unregistered"}


def test_a_terminated_instance_of_a_listed_appliance(aws: World) -> None:
    kept, forgotten = aws.appliance(aws.vpc()), aws.appliance(aws.vpc())
    aws.ec2.terminate_instances(InstanceIds=[kept, forgotten])
    hosts = by_id(look(listed(1, kept)))
    assert list(hosts) == [kept]
    assert (hosts[kept]["netsec_orphaned"], hosts[kept]["netsec_instance_state"]) == (True, "terminated")


def test_contradicting_evidence_is_no_error(aws: World) -> None:
    instance_id = aws.appliance(aws.vpc(), user_data="GWLB-mode=1\nManagementPort=1", interfaces=PLAIN)
    found = look(listed(1, instance_id))
    assert (found.errors, by_id(found)[instance_id]["netsec_management_interface"]) == ([], None)


def test_a_role_that_cannot_be_assumed(aws: World, record_calls: t.Callable[[], Calls]) -> None:
    own = aws.appliance(aws.vpc())
    calls = record_calls()
    calls.fail("AssumeRole", "AccessDenied", "User is not authorized to perform: sts:AssumeRole on resource: x")
    found = look(listed(1, own), listed(2, "i-00000000000000002", OTHER), accounts=[{}, {"assume_role_arn": ROLE}])
    assert statuses(found) == {own: "valid", "i-00000000000000002": "unknown"}
    (error,) = found.errors
    assert error.startswith(f"The AWS account of the role {ROLE} could not be searched: AWS refused sts:AssumeRole")
    assert "Allow the IAM action sts:AssumeRole" in error
    assert error[1:] in by_id(found)["i-00000000000000002"]["netsec_reason"]


def test_a_region_that_cannot_be_searched(aws: World, record_calls: t.Callable[[], Calls]) -> None:
    own = aws.appliance(aws.vpc())
    record_calls().fail("DescribeInstances", "UnauthorizedOperation", region=WEST, times=9)
    found = look(listed(1, own), listed(2, "i-00000000000000002", region=WEST))
    assert statuses(found) == {own: "valid", "i-00000000000000002": "unknown"}
    (error,) = found.errors
    assert error.startswith(f"The region {WEST} of the AWS account {ACCOUNT} could not be searched: AWS refused ec2:DescribeInstances in {WEST}")


@pytest.mark.parametrize("operation", ["DescribeInstances", "DescribeTags"])
def test_that_unregistered_appliances_may_be_missing_is_told(aws: World, record_calls: t.Callable[[], Calls], operation: str) -> None:
    own = aws.appliance(aws.vpc())
    record_calls().fail(operation, "UnauthorizedOperation")
    found = look(listed(1, own))
    assert statuses(found) == {own: "valid"}
    (error,) = found.errors
    assert error.startswith(f"In {REGION} of the AWS account {ACCOUNT}, appliances that the API does not list may be missing: AWS refused ec2:{operation}")


def test_interfaces_that_cannot_be_asked_about_are_told_once(aws: World, record_calls: t.Callable[[], Calls]) -> None:
    ids = [aws.appliance(aws.vpc()) for _number in range(3)]
    record_calls().fail("DescribeSecurityGroups", "UnauthorizedOperation")
    found = look(*(listed(number, instance_id) for number, instance_id in enumerate(ids)))
    (error,) = found.errors
    assert error.startswith(f"In the AWS account {ACCOUNT}, the management interface of 3 appliances is not known: AWS refused ec2:DescribeSecurityGroups")
    assert {host["netsec_management_interface"] for host in found.hosts} == {None}


def test_an_account_that_is_named_twice(aws: World) -> None:
    own = aws.appliance(aws.vpc())
    found = look(listed(1, own), accounts=[{}, {}])
    assert statuses(found) == {own: "valid"}
    assert found.errors == [f"The AWS account of the credentials is {ACCOUNT}, which is searched already: name each account once."]


def test_an_account_without_any_region(aws: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    found = look(listed(1, "i-00000000000000002", OTHER))
    assert statuses(found) == {"i-00000000000000002": "hosted"}
    assert found.errors == [f"In the AWS account {ACCOUNT} no region could be searched: the API names none for it. Set regions."]


def test_a_region_that_is_none(aws: World) -> None:
    found = look(listed(1, "i-00000000000000002", region="no region at all"))
    assert statuses(found) == {"i-00000000000000002": "unknown"}
    assert "boto3 cannot reach ec2 in the region 'no region at all'" in found.errors[0]


def test_what_is_no_instance_id_is_not_asked_for(aws: World, record_calls: t.Callable[[], Calls]) -> None:
    calls = record_calls()
    assert statuses(look(listed(1, "vm-7"), unregistered_filters=[])) == {"vm-7": "unknown"}
    assert calls.of("DescribeInstances") == []


def test_the_api_has_to_answer(aws: World) -> None:
    with pytest.raises(ApiError):
        look(error=ApiError("GET /appliances: no", method="GET", path="/appliances"))
    assert gc.isenabled()


def test_a_bug_is_no_warning(aws: World, record_calls: t.Callable[[], Calls]) -> None:
    def bug(call: Call) -> None:
        raise ZeroDivisionError

    record_calls().react("DescribeInstances", bug)
    with pytest.raises(ZeroDivisionError):
        look(regions=[REGION])
