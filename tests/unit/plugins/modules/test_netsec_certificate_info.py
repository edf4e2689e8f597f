# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings, encode
from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_certificate_info
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, NOW, REGION, Calls, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, search_body

Record = t.Callable[[], Calls]
Result = dict[str, t.Any]
Run = t.Callable[..., Result]

TAG = "trendmicro.cloudone:registered-at"
EXPIRED = datetime(2023, 6, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec_certificate_info, "utc_now", lambda: NOW)


@pytest.fixture
def run(aws: World, run_module: t.Callable[..., Result]) -> Run:
    def run(*instance_ids: str | dict[str, str], **options: t.Any) -> Result:
        appliances = [one if isinstance(one, dict) else {"instance_id": one} for one in instance_ids]
        return run_module(netsec_certificate_info.main, {**OPTIONS, "appliances": appliances, "use_logs": False, **options})

    return run


def listed(instance_id: str, *, region: str | None = REGION, account_id: str | None = ACCOUNT, number: int = 1) -> Result:
    """An appliance as the API lists it."""
    metadata = [{"key": key, "value": value} for key, value in (("region", region), ("accountId", account_id)) if value]
    return appliance(number, instance_id, providerMetadata=metadata)


def test_an_expired_certificate(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    instance_id = aws.appliance(vpc_id, attached_at=EXPIRED)
    script.expect_search(instance_id, listed(instance_id))
    calls = record_calls()
    result = run(instance_id)
    assert (result["failed"], result["changed"]) == (False, False)
    (entry,) = result["appliances"]
    assert entry.pop("appliance")["id"] == 1
    interface = aws.interface(instance_id)
    assert entry == {
        "instance_id": instance_id,
        "changed": False,
        "failed": False,
        "status": "expired",
        "due": True,
        "unfinished": False,
        "reason": "probably expired on 2025-06-01, 2 years after the root volume was attached on 2023-06-01",
        "orphaned": False,
        "registered": True,
        "name": None,
        "region": REGION,
        "location": {"instance_id": instance_id, "region": REGION, "management_interface": interface["NetworkInterfaceId"]},
        "account_id": ACCOUNT,
        "deployment": "inline",
        "management_interface": {
            "id": interface["NetworkInterfaceId"],
            "device_index": 0,
            "private_ip": interface["PrivateIpAddress"],
            "vpc_id": vpc_id,
            "evidence": f"{interface['NetworkInterfaceId']} is described as 'Network Security Mgmt Port'",
        },
        "management_interface_error": None,
        "registered_at": "2023-06-01T08:00:00Z",
        "expires_at": "2025-06-01T08:00:00Z",
        "days_left": -274,
        "evidence": "root_volume",
        "estimated": True,
        "certificate_errors": None,
        "log_search": {"state": "not_asked", "note": None, "searched_from": None, "last_line_at": None},
        "saved_settings": None,
    }
    assert [(call.region, call.operation) for call in calls.made][:2] == [(REGION, "DescribeInstances"), (REGION, "DescribeSecurityGroups")]
    assert calls.of("DescribeInstances") == [{"Filters": [{"Name": "instance-id", "Values": [instance_id]}]}]


def test_the_tag_counts_more_than_the_root_volume(aws: World, run: Run, script: Script) -> None:
    instance_id = aws.appliance(aws.vpc(), attached_at=EXPIRED, tags={TAG: "2026-01-10T00:00:00Z", "mine": "2024-03-05T00:00:00+00:00"})
    script.expect_search(instance_id, listed(instance_id))
    (entry,) = run(instance_id)["appliances"]
    assert (entry["status"], entry["due"], entry["evidence"], entry["expires_at"]) == ("valid", False, "registration_tag", "2028-01-10T00:00:00Z")
    script.expect_search(instance_id, listed(instance_id))
    (entry,) = run(instance_id, registration_tag="mine", renew_before=10)["appliances"]
    assert (entry["status"], entry["due"], entry["days_left"]) == ("expiring", True, 3)


def test_many_appliances_take_few_calls(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    instance_ids = [aws.appliance(vpc_id, attached_at=EXPIRED) for number in range(12)]
    script.expect_list(*(listed(instance_id, number=number) for number, instance_id in enumerate(instance_ids)))
    calls = record_calls()
    result = run(*instance_ids)
    assert [entry["instance_id"] for entry in result["appliances"]] == instance_ids
    assert all(entry["due"] for entry in result["appliances"])
    assert calls.operations == ["DescribeInstances", "DescribeSecurityGroups"]


def test_an_unregistered_appliance_is_found_in_the_regions(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    there = World("us-west-2")
    instance_id = there.appliance(there.vpc(), interfaces=["Network Security Data Port", "Network Security Mgmt Port"], attached_at=EXPIRED)
    script.expect_search(instance_id)
    calls = record_calls()
    (entry,) = run(instance_id, regions=["eu-west-1", "us-west-2"])["appliances"]
    assert (entry["status"], entry["due"], entry["registered"], entry["appliance"]) == ("unregistered", True, False, None)
    assert (entry["region"], entry["account_id"], entry["deployment"]) == ("us-west-2", ACCOUNT, "gateway_load_balancer")
    assert (entry["registered_at"], entry["days_left"], entry["evidence"]) == (None, None, None)
    assert sorted(call.region for call in calls.made if call.operation == "DescribeInstances") == ["eu-west-1", "us-west-2"]


@pytest.mark.parametrize("said_by", ["option", "api"])
def test_a_known_region_saves_the_search(aws: World, run: Run, script: Script, record_calls: Record, said_by: str) -> None:
    instance_id = aws.appliance(aws.vpc())
    script.expect_search(instance_id, *([listed(instance_id)] if said_by == "api" else []))
    calls = record_calls()
    run({"instance_id": instance_id, "region": REGION} if said_by == "option" else instance_id, regions=["eu-west-1", "us-west-2", REGION])
    assert [call.region for call in calls.made if call.operation == "DescribeInstances"] == [REGION]


def test_what_an_interrupted_renewal_recorded(aws: World, run: Run, script: Script) -> None:
    settings = Settings(17, 3, ({"name": "ipsBlock", "group": "g", "stream": "s", "enabled": True},))
    instance_id = aws.appliance(aws.vpc(), tags=encode(settings))
    script.expect_search(instance_id)
    (entry,) = run(instance_id)["appliances"]
    assert (entry["status"], entry["unfinished"], entry["saved_settings"]) == ("unregistered", True, settings.as_result())


def test_an_unreadable_record_fails(aws: World, run: Run, script: Script) -> None:
    instance_id = aws.appliance(aws.vpc(), tags={"trendmicro.cloudone:renewal-1": "rubbish"})
    script.expect_search(instance_id)
    (entry,) = run(instance_id)["appliances"]
    assert entry["failed"] and "delete these tags: trendmicro.cloudone:renewal-1" in entry["msg"]


def test_an_interface_that_cannot_be_told_is_no_failure_here(aws: World, run: Run, script: Script) -> None:
    instance_id = aws.appliance(aws.vpc(), interfaces=["", ""], attached_at=EXPIRED)
    script.expect_search(instance_id, listed(instance_id))
    (entry,) = run(instance_id)["appliances"]
    assert (entry["failed"], entry["status"], entry["deployment"], entry["management_interface"]) == (False, "expired", None, None)
    assert "Set management_interface" in entry["management_interface_error"]
    assert entry["location"] == {"instance_id": instance_id, "region": REGION}


def test_the_location_can_be_given_back(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = aws.appliance(aws.vpc(), attached_at=EXPIRED)
    script.expect_search(instance_id)
    location = run(instance_id)["appliances"][0]["location"]
    script.expect_search(instance_id)
    calls = record_calls()
    (entry,) = run(location, regions=["eu-west-1", "us-west-2"])["appliances"]
    assert (entry["failed"], entry["location"]) == (False, location)
    assert [(call.region, call.operation) for call in calls.made] == [(REGION, "DescribeInstances")]


def test_the_location_keeps_an_interface_that_is_named_in_error(aws: World, run: Run, script: Script) -> None:
    """Left out, the next module would take the one that it finds."""
    instance_id = aws.appliance(aws.vpc(), attached_at=EXPIRED)
    script.expect_search(instance_id, listed(instance_id))
    (entry,) = run({"instance_id": instance_id, "management_interface": "eni-00000000000000000"})["appliances"]
    assert entry["management_interface"] is None and entry["management_interface_error"]
    assert entry["location"] == {"instance_id": instance_id, "region": REGION, "management_interface": "eni-00000000000000000"}


def test_a_hosted_appliance_is_told_by_its_account(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    script.expect_search("i-hosted", listed("i-hosted", account_id="999999999999", region="us-west-2"))
    calls = record_calls()
    (entry,) = run("i-hosted")["appliances"]
    assert (entry["status"], entry["due"], entry["management_interface"], entry["management_interface_error"]) == ("hosted", False, None, None)
    assert (entry["region"], entry["account_id"]) == ("us-west-2", "999999999999")
    assert entry["location"] == {"instance_id": "i-hosted", "region": "us-west-2"}
    assert [(call.region, call.operation) for call in calls.made] == [("us-west-2", "DescribeInstances"), ("us-west-2", "GetCallerIdentity")]


def test_a_hosted_appliance_that_the_user_names_is_not_searched(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    script.expect_search("i-hosted", listed("i-hosted"))
    calls = record_calls()
    (entry,) = run("i-hosted", hosted_instance_ids=["i-hosted", "i-another"])["appliances"]
    assert (entry["status"], entry["due"]) == ("hosted", False)
    assert calls.made == []


def test_an_orphan(aws: World, run: Run, script: Script) -> None:
    script.expect_search("i-gone", listed("i-gone"))
    (entry,) = run("i-gone")["appliances"]
    assert (entry["status"], entry["due"]) == ("unknown", False)
    assert "orphaned" in entry["reason"]


def test_what_is_wrong_with_one_appliance_does_not_concern_the_others(aws: World, run: Run, script: Script) -> None:
    good = aws.appliance(aws.vpc(), attached_at=EXPIRED)
    script.expect_search("i-unknown")
    script.expect_search(good, listed(good))
    script.expect_search("i-twice", listed("i-twice"), listed("i-twice", number=2))
    result = run("i-unknown", good, "i-twice")
    assert result["failed"]
    assert [(entry["instance_id"], entry["failed"]) for entry in result["appliances"]] == [("i-unknown", True), (good, False), ("i-twice", True)]
    assert "i-unknown is known neither to the Network Security API nor to EC2" in result["appliances"][0]["msg"]
    assert "listed 2 times" in result["appliances"][2]["msg"]


def test_what_renewals_at_the_same_time_leave_is_due(aws: World, run: Run, script: Script) -> None:
    settings = Settings(1, 4, ())
    instance_id = aws.appliance(aws.vpc(), attached_at=EXPIRED, tags=encode(settings))
    script.expect_search(instance_id, listed(instance_id, number=8), listed(instance_id, number=7))
    (entry,) = run(instance_id)["appliances"]
    assert (entry["failed"], entry["status"], entry["due"], entry["unfinished"], entry["registered"]) == (False, "unknown", True, True, True)
    assert "listed 2 times, with the IDs 7, 8" in entry["reason"]
    assert (entry["appliance"]["id"], entry["saved_settings"]) == (8, settings.as_result())
    assert entry["location"]["management_interface"] == aws.interface(instance_id)["NetworkInterfaceId"]


def test_a_region_that_cannot_be_searched_fails_only_what_may_be_there(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    good = aws.appliance(aws.vpc(), attached_at=EXPIRED)
    script.expect_search(good, listed(good))
    script.expect_search("i-2", listed("i-2", region="us-west-2"))
    calls = record_calls()
    calls.fail("DescribeInstances", "UnauthorizedOperation", region="us-west-2", times=2)
    result = run(good, "i-2")
    assert [entry["failed"] for entry in result["appliances"]] == [False, True]
    assert "Allow the IAM action ec2:DescribeInstances" in result["appliances"][1]["msg"]


def test_an_account_that_cannot_be_told_fails_only_what_was_not_found(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    good = aws.appliance(aws.vpc(), attached_at=EXPIRED)
    script.expect_search(good, listed(good))
    script.expect_search("i-gone", listed("i-gone"))
    calls = record_calls()
    calls.fail("GetCallerIdentity", "ServiceUnavailable")
    result = run(good, "i-gone")
    assert [entry["failed"] for entry in result["appliances"]] == [False, True]
    assert "sts:GetCallerIdentity" in result["appliances"][1]["msg"]


def test_a_missing_permission_for_the_interface_is_told_beside_the_forecast(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = aws.appliance(aws.vpc(), attached_at=EXPIRED)
    script.expect_search(instance_id, listed(instance_id))
    calls = record_calls()
    calls.fail("DescribeSecurityGroups", "UnauthorizedOperation")
    (entry,) = run(instance_id)["appliances"]
    assert (entry["failed"], entry["status"]) == (False, "expired")
    assert "Allow the IAM action ec2:DescribeSecurityGroups" in entry["management_interface_error"]


class TestWithoutAws:
    def test_nothing_is_asked_of_aws(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        script.expect_search("i-1", listed("i-1"))
        script.expect_search("i-2")
        script.expect_search("i-3")
        calls = record_calls()
        named = {"instance_id": "i-3", "region": "us-west-2", "management_interface": "eni-3"}
        first, second, third = run("i-1", "i-2", named, use_aws=False)["appliances"]
        assert (first["location"], second["location"], third["location"]) == ({"instance_id": "i-1", "region": REGION}, {"instance_id": "i-2"}, named)
        assert (first["status"], first["due"], first["region"]) == ("unknown", False, REGION)
        assert (second["status"], second["due"], second["region"], second["management_interface"]) == ("unregistered", True, None, None)
        assert calls.made == []


class TestEverythingFails:
    def test_the_api_key_is_wrong(self, run: Run, script: Script, record_calls: Record) -> None:
        calls = record_calls()
        script.expect("POST", "/appliances/search", {"message": "Authorization Required"}, status=401, body=search_body("i-1"))
        result = run("i-1")
        assert result["failed"] and "appliances" not in result
        assert "401" in result["msg"]
        assert OPTIONS["api_key"] not in json.dumps(result)
        assert calls.made == []

    def test_there_are_no_aws_credentials(self, run: Run, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        script.expect_search("i-1", listed("i-1"))
        result = run("i-1")
        assert result["failed"] and "appliances" not in result
        assert "Set profile, or access_key and secret_key" in result["msg"]

    def test_there_is_no_region(self, run: Run, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        script.expect_search("i-1")
        assert "AWS_DEFAULT_REGION" in run("i-1")["msg"]

    @pytest.mark.parametrize("renew_before", [-1, 731, 10**12])
    def test_renew_before_is_out_of_range(self, run: Run, script: Script, renew_before: int) -> None:
        assert "renew_before must be between" in run("i-1", renew_before=renew_before)["msg"]

    def test_an_appliance_twice(self, run: Run, script: Script) -> None:
        assert "i-1" in run("i-1", "i-1")["msg"]
