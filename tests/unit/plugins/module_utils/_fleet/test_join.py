# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The join of the API's list with what was found in EC2."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.hosts import host_variables
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.join import Places, join, read_listed
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.model import LostAccount, SearchedAccount, Way
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import appliance as entry

A, B, C = "111111111111", "222222222222", "333333333333"
EAST, WEST = "us-east-1", "eu-west-1"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Host = dict[str, t.Any]


def instance(instance_id: str, account: str = A, region: str = EAST, state: str = "running", **tags: str) -> Instance:
    return Instance(instance_id, region, account, state, datetime(2025, 3, 1, tzinfo=UTC), tags, (), None, "c5n.xlarge", f"{region}a", "vpc-1")


def listed(instance_id: str, account: str | None = A, region: str | None = EAST, number: int = 1) -> Appliance:
    return Appliance(number, instance_id, account_id=account, region=region)


def account(account_id: str, *instances: Instance, regions: tuple[str, ...] = (EAST,), failed: dict[str, str] | None = None) -> SearchedAccount:
    return SearchedAccount(account_id, Way({}), {one.id: one for one in instances}, {}, regions, failed or {})


def hosts(
    appliances: t.Sequence[Appliance], accounts: t.Sequence[SearchedAccount], lost: t.Sequence[LostAccount] = (), hosted: t.Container[str] = ()
) -> dict[str, Host]:
    entries = join(appliances, accounts, lost, hosted)
    variables = [host_variables(one, registration_tag="registered", renew_before=timedelta(days=30), now=NOW) for one in entries]
    assert len({one["netsec_instance_id"] for one in variables}) == len(variables)
    return {one["netsec_instance_id"]: one for one in variables}


def statuses(*arguments: t.Any, **options: t.Any) -> dict[str, str]:
    return {name: "orphaned" if host["netsec_orphaned"] else host["netsec_status"] for name, host in hosts(*arguments, **options).items()}


def test_everything_at_once() -> None:
    found = statuses(
        [listed("i-1"), listed("i-2", B), listed("i-3"), listed("i-4", C)],
        [account(A, instance("i-1"), instance("i-5"), instance("i-6", state="stopped"), instance("i-7", state="terminated")), account(B, instance("i-2", B))],
    )
    assert found == {"i-1": "valid", "i-2": "valid", "i-3": "orphaned", "i-4": "hosted", "i-5": "unregistered", "i-6": "unregistered"}


def test_variables_come_from_ec2_and_else_from_the_api() -> None:
    bare = Appliance(7, "i-2", account_id=C, region=WEST, availability_zone="eu-west-1b", instance_type="c5.large", vpc="vpc-9", host_name="nsva")
    found = hosts([listed("i-1"), bare], [account(A, instance("i-1", Name="first", Team="x"))])
    assert found["i-1"] | {"netsec_reason": ""} == {
        "netsec_instance_id": "i-1",
        "netsec_appliance_id": 1,
        "netsec_host_name": None,
        "netsec_tos_version": None,
        "netsec_dv_version": None,
        "netsec_account_id": A,
        "netsec_region": EAST,
        "netsec_availability_zone": "us-east-1a",
        "netsec_vpc_id": "vpc-1",
        "netsec_instance_type": "c5n.xlarge",
        "netsec_instance_state": "running",
        "netsec_name": "first",
        "netsec_tags": {"Name": "first", "Team": "x"},
        "netsec_deployment": None,
        "netsec_management_interface": None,
        "netsec_registered": True,
        "netsec_hosted": False,
        "netsec_orphaned": False,
        "netsec_status": "valid",
        "netsec_registered_at": "2025-03-01T00:00:00Z",
        "netsec_expires_at": "2027-03-01T00:00:00Z",
        "netsec_days_left": 364,
        "netsec_evidence": "root_volume",
        "netsec_reason": "",
    }
    second = found["i-2"]
    assert (second["netsec_vpc_id"], second["netsec_instance_type"], second["netsec_availability_zone"]) == ("vpc-9", "c5.large", "eu-west-1b")
    assert (second["netsec_deployment"], second["netsec_hosted"], second["netsec_tags"]) == ("hosted", True, {})


def test_hosted_by_name() -> None:
    assert statuses([listed("i-1")], [account(A)], hosted={"i-1"}) == {"i-1": "hosted"}


def test_hosted_where_no_region_was_searched() -> None:
    assert statuses([listed("i-1", C, region=None)], [account(A, regions=())]) == {"i-1": "hosted"}


def test_an_account_that_could_not_be_searched() -> None:
    role = f"arn:aws:iam::{B}:role/audit"
    lost = [LostAccount(B, Way({"assume_role_arn": role}), "no role")]
    found = hosts([listed("i-1", B), listed("i-2", C), listed("i-3", None)], [account(A)], lost)
    assert found["i-1"]["netsec_assume_role_arn"] == role and "netsec_assume_role_arn" not in found["i-2"] | found["i-3"]
    assert [host["netsec_status"] for host in found.values()] == ["unknown", "hosted", "unknown"]
    assert found["i-1"]["netsec_reason"] == found["i-3"]["netsec_reason"] == "it could not be looked for: no role"


def test_an_account_whose_number_is_not_known_may_be_anyones() -> None:
    assert statuses([listed("i-1", B)], [account(A)], [LostAccount(None, Way({}), "no profile")]) == {"i-1": "unknown"}


def test_a_region_that_could_not_be_searched() -> None:
    place = account(A, regions=(EAST,), failed={WEST: "throttled"})
    found = hosts([listed("i-1", region=WEST), listed("i-2", region=EAST), listed("i-3", region=None)], [place])
    assert [(host["netsec_status"], host["netsec_orphaned"]) for host in found.values()] == [("unknown", False), ("unknown", True), ("unknown", False)]
    assert found["i-1"]["netsec_reason"] == "it could not be looked for: throttled"


def test_an_unreadable_record_of_a_renewal_is_told() -> None:
    broken = instance("i-1", **{"trendmicro.cloudone:renewal-1": "nonsense", "trendmicro.cloudone:renewal-started": "2026-02-01T00:00:00Z"})
    host = hosts([listed("i-1")], [account(A, broken)])["i-1"]
    assert host["netsec_status"] == "unknown"
    assert "record" in host["netsec_reason"]


def test_the_role_is_told_where_there_is_one() -> None:
    place = SearchedAccount(A, Way({"assume_role_arn": "arn", "assume_role_external_id": "id"}), {"i-1": instance("i-1")}, {}, (EAST,))
    found = hosts([listed("i-1"), listed("i-2"), listed("i-3", C)], [place])
    assert [one.get("netsec_assume_role_arn") for one in found.values()] == ["arn", "arn", None]
    assert found["i-1"]["netsec_assume_role_external_id"] == "id"


def test_an_instance_in_another_account_than_the_api_says_is_found() -> None:
    assert statuses([listed("i-1", A)], [account(A), account(B, instance("i-1", B))]) == {"i-1": "valid"}


def test_what_the_api_lists_is_read_or_told() -> None:
    appliances, warnings = read_listed(
        [
            entry(1, "i-1"),
            entry(4, "i-1"),
            entry(3, "i-1"),
            entry(5, ""),
            entry(6, instanceId=None, hostName="lonely"),
            {"instanceId": "i-2"},
            {"ID": 7, "instanceId": 42, "providerMetadata": "none", "auxDv": []},
        ]
    )
    assert [(one.id, one.instance_id) for one in appliances] == [(4, "i-1"), (7, "42")]
    assert len(warnings) == 4
    assert any("i-1 is listed 3 times, with the IDs 1, 3, 4; the highest is taken" in warning for warning in warnings)
    assert any("ID 6, host name 'lonely'" in warning for warning in warnings)
    assert any("no numeric ID (instance ID 'i-2')" in warning for warning in warnings)


def test_places() -> None:
    places = Places([listed("i-1"), listed("i-2", region=None), listed("i-3", None), listed("i-4", None, None), listed("i-5", B, WEST)])
    assert places.regions(A) == [EAST]
    assert places.regions(C) == []
    assert places.instance_ids(A, EAST) == ["i-1", "i-2", "i-3", "i-4"]
    assert places.instance_ids(B, WEST) == ["i-5", "i-4"]
    assert places.instance_ids(C, WEST) == ["i-4"]


owners = st.sampled_from([A, B, C, None])
regions = st.sampled_from([EAST, WEST, None])
listings = st.lists(st.tuples(st.integers(0, 9), owners, regions), unique_by=lambda one: one[0]).map(
    lambda drawn: [listed(f"i-{number}", owner, region, number) for number, owner, region in drawn]
)
states = st.sampled_from(["running", "stopped", "terminated"])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[SearchedAccount], list[LostAccount]]:
    searched, lost = [], []
    free = set(range(15))
    for account_id in draw(st.lists(st.sampled_from([A, B, C]), unique=True)):
        if draw(st.booleans()):
            failed = {region: f"{region} failed" for region in draw(st.sets(st.sampled_from([EAST, WEST])))}
            here = tuple(region for region in (EAST, WEST) if region not in failed)
            numbers = draw(st.sets(st.sampled_from(sorted(free)))) if here and free else set()
            free -= numbers
            found = [instance(f"i-{number}", account_id, draw(st.sampled_from(here)), draw(states)) for number in sorted(numbers)]
            searched.append(account(account_id, *found, regions=here, failed=failed))
        else:
            lost.append(LostAccount(draw(st.sampled_from([account_id, None])), Way({}), "lost"))
    return searched, lost


@given(listings, worlds())
def test_no_appliance_is_lost_and_none_is_judged_without_evidence(appliances: list[Appliance], world: tuple[list[SearchedAccount], list[LostAccount]]) -> None:
    searched, lost = world
    found = hosts(appliances, searched, lost)
    instances = {one.id: one for place in searched for one in place.instances.values()}
    names = {one.instance_id for one in appliances}
    unlisted = found.keys() - names
    assert found.keys() >= names
    assert unlisted == {one.id for one in instances.values() if one.state != "terminated"} - names
    assert all(found[name]["netsec_status"] == "unregistered" for name in unlisted)
    numbers = {place.id for place in (*searched, *lost)}
    for one in appliances:
        host = found[one.instance_id]
        if host["netsec_orphaned"] and one.instance_id not in instances:
            assert one.region in next(place.regions for place in searched if place.id == one.account_id)
        if host["netsec_status"] == "hosted":
            assert one.instance_id not in instances
            assert one.account_id not in numbers | {None} and None not in numbers
        if one.instance_id in instances:
            assert host["netsec_account_id"] == instances[one.instance_id].account_id
            assert host["netsec_status"] in ("valid", "unknown")
