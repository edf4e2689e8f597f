# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_plan import (
    Access,
    Borrower,
    LentGroup,
    check_access_id,
    default_egress,
    parse_access,
    plan_returns,
    rule_changes,
    to_prolong,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW

HOUR = timedelta(hours=1)
ACCESS = Access("run-1", ("203.0.113.7/32", "2001:db8::/64"), 22, 2 * HOUR)


def parse(*sources: str, access_id: str = "run-1", port: int = 22, minutes: int = 120, allow_any_source: bool = False) -> Access:
    return parse_access(access_id, sources, port=port, minutes=minutes, allow_any_source=allow_any_source)


def group(id: str = "sg-1", *, access_id: str = "run-1", expires_at: datetime | None = NOW + HOUR, region: str = "r", **rules: t.Any) -> LentGroup:
    return LentGroup(id, region, "vpc-1", access_id, expires_at, **rules)


class TestParsing:
    def test_networks_and_addresses(self) -> None:
        assert parse("203.0.113.7", " 10.0.0.0/8 ", "2001:DB8::/64", "203.0.113.7/32").sources == ("203.0.113.7/32", "10.0.0.0/8", "2001:db8::/64")

    @pytest.mark.parametrize(
        "sources",
        [
            ("0.0.0.0/0",),
            ("::/0",),
            ("10.0.0.0/8", "0.0.0.0/0"),
            ("0.0.0.0/1", "128.0.0.0/1"),
            ("::/1", "8000::/1"),
            ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/1"),
        ],
    )
    def test_every_address_is_refused_unless_said(self, sources: tuple[str, ...]) -> None:
        with pytest.raises(InputError, match="every address.*allow_any_source"):
            parse(*sources)
        assert parse(*sources, allow_any_source=True).sources == sources

    @pytest.mark.parametrize("source", ["bastion", "", "10.0.0.1/8", "10.0.0.0/33", "300.0.0.1", "10.0.0.0 /8"])
    def test_bad_network(self, source: str) -> None:
        with pytest.raises(InputError, match="source_cidrs: .*Give a network like"):
            parse(source)

    def test_no_network(self) -> None:
        with pytest.raises(InputError, match="source_cidrs is empty"):
            parse()

    @pytest.mark.parametrize("port", [0, 65536, -1])
    def test_bad_port(self, port: int) -> None:
        with pytest.raises(InputError, match="port must be"):
            parse("10.0.0.0/8", port=port)

    def test_bad_expiry(self) -> None:
        with pytest.raises(InputError, match="expires_after"):
            parse("10.0.0.0/8", minutes=0)

    @pytest.mark.parametrize("access_id", ["", "a b", "-x", "a/b", "x" * 101, "ü", "a\n"])
    def test_bad_access_id(self, access_id: str) -> None:
        with pytest.raises(InputError, match="access_id must be"):
            check_access_id(access_id)


class TestGroup:
    def test_name_tags_and_rules(self) -> None:
        assert ACCESS.group_name == "nsva-ssh-run-1"
        assert ACCESS.tags(NOW) == {
            "Name": "nsva-ssh-run-1",
            "trendmicro.cloudone:ssh-access": "run-1",
            "trendmicro.cloudone:expires-at": "2026-03-01T14:00:00Z",
        }
        assert ACCESS.permissions() == [
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "203.0.113.7/32"}],
                "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/64"}],
            }
        ]
        assert list(Access("x", ("10.0.0.0/8",), 22, HOUR).permissions()[0]) == ["IpProtocol", "FromPort", "ToPort", "IpRanges"]

    def test_reading(self) -> None:
        tags = [{"Key": key, "Value": value} for key, value in ACCESS.tags(NOW).items()]
        answer = {"GroupId": "sg-1", "GroupName": "nsva-ssh-run-1", "VpcId": "vpc-1", "Tags": tags, "IpPermissions": [{"a": 1}], "IpPermissionsEgress": []}
        assert LentGroup.from_aws(answer, "r") == LentGroup("sg-1", "r", "vpc-1", "run-1", NOW + 2 * HOUR, ({"a": 1},), ())

    @pytest.mark.parametrize(
        ("name", "tags"),
        [
            ("web", {"trendmicro.cloudone:ssh-access": "run-1"}),
            ("nsva-ssh-run-2", {"trendmicro.cloudone:ssh-access": "run-1"}),
            ("nsva-ssh-", {"trendmicro.cloudone:ssh-access": ""}),
            ("nsva-ssh-run-1", {}),
        ],
    )
    def test_a_group_that_was_not_lent_is_never_taken_for_one(self, name: str, tags: dict[str, str]) -> None:
        answer = {"GroupId": "sg-1", "GroupName": name, "VpcId": "vpc-1", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        assert LentGroup.from_aws(answer, "r") is None

    @pytest.mark.parametrize(("expires_at", "wanted"), [(NOW, True), (NOW - HOUR, True), (NOW + timedelta(seconds=1), False), (None, False)])
    def test_expiry(self, expires_at: datetime | None, wanted: bool) -> None:
        assert group(expires_at=expires_at).expired(NOW) is wanted

    @pytest.mark.parametrize(("left", "wanted"), [(2 * HOUR, False), (HOUR, False), (HOUR - timedelta(seconds=1), True), (-HOUR, True)])
    def test_lives_longer_when_half_its_time_is_over(self, left: timedelta, wanted: bool) -> None:
        assert to_prolong(group(expires_at=NOW + left), ACCESS, NOW) is wanted

    def test_an_unreadable_expiry_is_written_anew(self) -> None:
        assert to_prolong(group(expires_at=None), ACCESS, NOW)


def ingress(*sources: str, port: int = 22) -> tuple[dict[str, t.Any], ...]:
    """Rules as EC2 answers them: one permission with all sources of a port, with descriptions and empty lists."""
    ranges = [{"CidrIp": one, "Description": "d"} for one in sources]
    return ({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges, "UserIdGroupPairs": []},)


def rule(source: str, port: int = 22) -> dict[str, t.Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}


class TestRules:
    access = Access("run-1", ("10.0.0.0/8", "203.0.113.7/32"), 22, HOUR)

    def test_a_new_group_gets_all(self) -> None:
        assert rule_changes(group(), self.access) == ([rule("10.0.0.0/8"), rule("203.0.113.7/32")], [])

    def test_nothing_to_change(self) -> None:
        assert rule_changes(group(ingress=ingress("203.0.113.7/32", "10.0.0.0/8")), self.access) == ([], [])

    def test_only_the_difference(self) -> None:
        present = ingress("10.0.0.0/8", "192.0.2.0/24") + ingress("10.0.0.0/8", port=2222)
        assert rule_changes(group(ingress=present), self.access) == ([rule("203.0.113.7/32")], [rule("192.0.2.0/24"), rule("10.0.0.0/8", 2222)])

    @given(
        st.sets(st.sampled_from(["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/64"]), min_size=1),
        st.sets(st.sampled_from(["10.0.0.0/8", "2001:db8::/64"]), min_size=1),
    )
    def test_adding_and_taking_leads_to_what_is_wanted(self, before: set[str], wanted: set[str]) -> None:
        old, new = Access("x", tuple(before), 22, HOUR), Access("x", tuple(wanted), 22, HOUR)
        add, remove = rule_changes(group(ingress=tuple(old.permissions())), new)
        added = {one.get("IpRanges", one.get("Ipv6Ranges"))[0].get("CidrIp") or one["Ipv6Ranges"][0]["CidrIpv6"] for one in add}
        removed = {one.get("IpRanges", one.get("Ipv6Ranges"))[0].get("CidrIp") or one["Ipv6Ranges"][0]["CidrIpv6"] for one in remove}
        assert (before | added) - removed == wanted
        assert not added & before and not removed & wanted

    def test_what_lets_everything_out(self) -> None:
        egress = ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}], "UserIdGroupPairs": []},)
        assert default_egress(group(egress=egress)) == [
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        ]


GROUPS = st.lists(
    st.builds(
        lambda number, run, age, region: group(f"sg-{number}", access_id=f"run-{run}", expires_at=NOW + age * HOUR, region=region),
        st.integers(1, 6),
        st.integers(1, 3),
        st.sampled_from([-1, 1]),
        st.sampled_from(["r", "s"]),
    ),
    unique_by=lambda one: one.id,
)
BORROWERS = st.lists(
    st.builds(
        lambda number, groups, region: Borrower(f"eni-{number}", region, f"i-{number}" if number < 5 else None, (*sorted(groups), "sg-own")),
        st.integers(1, 6),
        st.sets(st.sampled_from([f"sg-{number}" for number in range(1, 7)])),
        st.sampled_from(["r", "s"]),
    ),
    unique_by=lambda one: one.id,
)


class TestTakingBack:
    @given(GROUPS, BORROWERS, st.sampled_from([None, "run-1"]), st.sets(st.sampled_from(["i-1", "i-2"])), st.booleans())
    def test_takes_back_what_it_should_and_nothing_else(
        self, groups: list[LentGroup], borrowers: list[Borrower], access_id: str | None, instance_ids: set[str], expired: bool
    ) -> None:
        returns = plan_returns(groups, borrowers, access_id=access_id, instance_ids=instance_ids, expired_at=NOW if expired else None)
        planned = {one.group.id: one for one in returns}
        assert len(planned) == len(returns)
        for lent in groups:
            holders = {one.id: one for one in borrowers if one.region == lent.region and lent.id in one.group_ids}
            named = {id for id, one in holders.items() if one.instance_id in instance_ids}
            if lent.access_id == access_id or (expired and lent.expired(NOW)):
                assert planned[lent.id].interface_ids == set(holders) and planned[lent.id].delete
            elif named:
                assert planned[lent.id].interface_ids == named
                assert planned[lent.id].delete is (named == set(holders))
            else:
                assert lent.id not in planned

    def test_another_run_keeps_what_it_lent_to_other_appliances(self) -> None:
        lent = group("sg-1", access_id="other")
        borrowers = [Borrower("eni-1", "r", "i-1", ("sg-own", "sg-1")), Borrower("eni-2", "r", "i-2", ("sg-own", "sg-1"))]
        (planned,) = plan_returns([lent], borrowers, access_id="run-1", instance_ids={"i-1"}, expired_at=NOW)
        assert (planned.interface_ids, planned.delete) == ({"eni-1"}, False)
