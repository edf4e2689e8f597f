# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH access by lending a security group: what is lent, to whom, and what is to be taken back. Nothing is asked or changed here."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, to_text

Permission = dict[str, t.Any]

ACCESS_TAG = "trendmicro.cloudone:ssh-access"
EXPIRY_TAG = "trendmicro.cloudone:expires-at"
_NAME = "nsva-ssh-"
# Within what EC2 takes in names of security groups, and short enough for every tool that shows them.
_ACCESS_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Access:
    """What is to be lent.

    :ivar id: names the run that lends it.
    :ivar sources: networks in CIDR notation.
    :ivar lifetime: after which any run may take it back.
    """

    id: str
    sources: tuple[str, ...]
    port: int
    lifetime: timedelta

    @property
    def group_name(self) -> str:
        """Name of the security group, the same in each VPC."""
        return _NAME + self.id

    def permissions(self) -> list[Permission]:
        """The group's rules as EC2 takes them."""
        ipv4 = [{"CidrIp": source} for source in self.sources if ":" not in source]
        ipv6 = [{"CidrIpv6": source} for source in self.sources if ":" in source]
        ranges: Permission = {**({"IpRanges": ipv4} if ipv4 else {}), **({"Ipv6Ranges": ipv6} if ipv6 else {})}
        return [{"IpProtocol": "tcp", "FromPort": self.port, "ToPort": self.port, **ranges}]

    def tags(self, now: datetime) -> dict[str, str]:
        """The group's tags."""
        return {"Name": self.group_name, ACCESS_TAG: self.id, EXPIRY_TAG: to_text(now + self.lifetime)}


def is_lent_name(name: str) -> bool:
    """Whether a security group is named like one that was lent."""
    return name.startswith(_NAME)


@dataclass(frozen=True)
class LentGroup:
    """A security group that was lent.

    :ivar expires_at: ``None`` if its tag cannot be read.
    :ivar ingress: its rules as EC2 gives them.
    """

    id: str
    region: str
    vpc_id: str
    access_id: str
    expires_at: datetime | None
    ingress: tuple[Permission, ...] = ()
    egress: tuple[Permission, ...] = ()

    @classmethod
    def from_aws(cls, answer: t.Mapping[str, t.Any], region: str) -> LentGroup | None:
        """Read an element of ``DescribeSecurityGroups``; ``None`` for a group that only bears the tag, for it would be deleted later."""
        tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
        access_id = tags.get(ACCESS_TAG, "")
        if not access_id or answer["GroupName"] != _NAME + access_id:
            return None
        return cls(
            id=answer["GroupId"],
            region=region,
            vpc_id=answer["VpcId"],
            access_id=access_id,
            expires_at=from_text(tags.get(EXPIRY_TAG, "")),
            ingress=tuple(answer.get("IpPermissions", [])),
            egress=tuple(answer.get("IpPermissionsEgress", [])),
        )

    def expired(self, now: datetime) -> bool:
        """Whether any run may take it back."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Borrower:
    """A network interface with its security groups, lent ones among them.

    :ivar instance_id: ``None`` if it is attached to none.
    """

    id: str
    region: str
    instance_id: str | None
    group_ids: tuple[str, ...]


@dataclass(frozen=True)
class Return:
    """What is to be taken back of one lent group.

    :ivar interface_ids: the interfaces to detach it from.
    :ivar delete: whether nobody needs it after that.
    """

    group: LentGroup
    interface_ids: frozenset[str]
    delete: bool


def parse_access(access_id: str, source_cidrs: t.Sequence[str], *, port: int, minutes: int, allow_any_source: bool) -> Access:
    """Check what the user asks for.

    :raises InputError: if it is no valid network, no port, or would let in the whole internet without saying so.
    """
    check_access_id(access_id)
    if not source_cidrs:
        raise InputError("source_cidrs is empty. Name the networks that SSH comes from, for example the address of the bastion host as 203.0.113.7/32.")
    networks = [_network(source) for source in source_cidrs]
    if not allow_any_source:
        for version in (4, 6):
            # Also when it is said in pieces: 0.0.0.0/1 and 128.0.0.0/1.
            for network in ipaddress.collapse_addresses(network for network in networks if network.version == version):  # type: ignore[type-var]
                if network.prefixlen == 0:
                    raise InputError(f"source_cidrs would open SSH to every address ({network}). Name the networks that need it, or set allow_any_source.")
    if not 1 <= port <= 65535:
        raise InputError(f"port must be between 1 and 65535, not {port}.")
    if minutes < 1:
        raise InputError(f"expires_after must be at least one minute, not {minutes}.")
    return Access(access_id, tuple(dict.fromkeys(map(str, networks))), port, timedelta(minutes=minutes))


def check_access_id(access_id: str) -> None:
    """:raises InputError: if it cannot stand in the name of a security group."""
    if not _ACCESS_ID.fullmatch(access_id):
        raise InputError(f"access_id must be up to 100 letters, digits, dots, dashes and underscores, not {access_id!r}.")


def rule_changes(group: LentGroup, access: Access) -> tuple[list[Permission], list[Permission]]:
    """The ingress rules to add to and to take from a group that is there, each as EC2 takes them."""
    wanted, present = _flat(access.permissions()), _flat(group.ingress)
    return [dict(rule) for rule in wanted if rule not in present], [dict(rule) for rule in present if rule not in wanted]


def default_egress(group: LentGroup) -> list[Permission]:
    """The rules that let everything out, which EC2 gives to each new group. Answers to SSH need none, so lending them would lend too much."""
    return _flat(group.egress)


def to_prolong(group: LentGroup, access: Access, now: datetime) -> bool:
    """Whether a group that a long run uses again should live longer: not at each use, so that using it again at once changes nothing."""
    return group.expires_at is None or group.expires_at < now + access.lifetime / 2


def plan_returns(
    groups: t.Iterable[LentGroup],
    borrowers: t.Sequence[Borrower],
    *,
    access_id: str | None,
    instance_ids: t.Container[str],
    expired_at: datetime | None,
) -> list[Return]:
    """What is to be taken back.

    :param access_id: everything that this run lent.
    :param instance_ids: also what any run lent to these instances: an appliance serves one session at a time, so it is left over.
    :param expired_at: also everything that had expired by then.
    """
    returns = []
    for group in groups:
        holders = [borrower for borrower in borrowers if borrower.region == group.region and group.id in borrower.group_ids]
        if group.access_id == access_id or (expired_at is not None and group.expired(expired_at)):
            returns.append(Return(group, frozenset(holder.id for holder in holders), delete=True))
            continue
        named = frozenset(holder.id for holder in holders if holder.instance_id in instance_ids)
        if named:
            returns.append(Return(group, named, delete=len(named) == len(holders)))
    return returns


def _network(source: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(source.strip())
    except ValueError as error:
        raise InputError(f"source_cidrs: {error}. Give a network like 203.0.113.0/24 or 2001:db8::/64, or a single address.") from error


def _flat(permissions: t.Iterable[Permission]) -> list[dict[str, t.Any]]:
    """The permissions with one source each, without descriptions and ids, so that they can be compared."""
    flat = []
    for permission in permissions:
        base = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for kind, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"), ("UserIdGroupPairs", "GroupId")):
            flat += [{**base, kind: [{key: source[key]}]} for source in permission.get(kind, [])]
    return flat
