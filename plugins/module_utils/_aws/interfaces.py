# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which network interface of an appliance is the one for management: told by evidence, never guessed.

An appliance that is deployed directly inline has its management interface at device index 0, and data ports at 1 and 2. Behind a Gateway Load
Balancer it is the other way round: a data port at 0, management at 1. So evidence for either deployment is evidence for an interface.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, NetworkInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

Deployment = t.Literal["inline", "gateway_load_balancer"]

INLINE = 0
GATEWAY_LOAD_BALANCER = 1
_DEPLOYMENTS: t.Mapping[int, Deployment] = {INLINE: "inline", GATEWAY_LOAD_BALANCER: "gateway_load_balancer"}

_GWLB_MODE = re.compile(r"\bGWLB-mode\s*=\s*([01])\b", re.IGNORECASE)
_MANAGEMENT_PORT = re.compile(r"\bManagementPort\s*=\s*([1-9]\d?)\b", re.IGNORECASE)
_MANAGEMENT_DESCRIPTION = re.compile(r"\b(mgmt|management)\b", re.IGNORECASE)


class UndecidedError(InputError):
    """Nothing that is known tells which interface is the one for management."""


@dataclass(frozen=True)
class ManagementInterface:
    """The network interface through which an appliance is managed.

    :ivar evidence: why it is this one, for people.
    :ivar deployment: what follows from it; ``None`` for an instance with a single interface.
    """

    id: str
    device_index: int
    private_ip: str
    vpc_id: str
    group_ids: tuple[str, ...]
    evidence: str
    deployment: Deployment | None

    def as_result(self) -> dict[str, t.Any]:
        """The interface as modules return it."""
        return {
            "id": self.id,
            "device_index": self.device_index,
            "private_ip": self.private_ip,
            "vpc_id": self.vpc_id,
            "evidence": self.evidence,
        }


@dataclass(frozen=True)
class Clues:
    """What was found out about an instance beside the description of the instance itself.

    :ivar user_data: its user data as text.
    :ivar geneve_group_ids: security groups with a rule that lets in exactly GENEVE (UDP 6081), by which Gateway Load Balancers send traffic.
    :ivar load_balancer_target: whether the instance is a target of a Gateway Load Balancer.
    """

    user_data: str = ""
    geneve_group_ids: t.AbstractSet[str] = field(default_factory=frozenset)
    load_balancer_target: bool = False


class Sign(t.NamedTuple):
    """One piece of evidence for the interface at ``device_index``."""

    device_index: int
    text: str


def management_interface(instance: Instance, override: str | None = None, clues: Clues | None = None) -> ManagementInterface:
    """Tell the management interface.

    :param override: id or device index of the interface, where the user names it.
    :param clues: what else was found out; ``None`` for nothing yet.
    :raises UndecidedError: if there is no evidence.
    :raises InputError: if the evidence contradicts itself, or speaks of an interface that the instance does not have.
    """
    if not instance.interfaces:
        raise InputError(f"{instance.id} is {instance.state} and has no network interface.")
    if override:
        named = [interface for interface in instance.interfaces if override in (interface.id, str(interface.device_index))]
        if not named:
            raise InputError(f"{override} is no network interface of {instance.id}. {_choices(instance)}")
        return _chosen(named[0], "named by the option management_interface", _DEPLOYMENTS.get(named[0].device_index))
    if len(instance.interfaces) == 1:
        return _chosen(instance.interfaces[0], "the instance's only interface", None)

    signs = list(_signs(instance, clues or Clues()))
    if not signs:
        raise UndecidedError(f"Nothing tells which network interface of {instance.id} is the one for management. {_choices(instance)}")
    evidence = "; ".join(sign.text for sign in signs)
    indices = {sign.device_index for sign in signs}
    if len(indices) > 1:
        claims = "; ".join(f"device index {sign.device_index}: {sign.text}" for sign in signs)
        raise InputError(f"The evidence for the management interface of {instance.id} contradicts itself ({claims}). {_choices(instance)}")
    index = indices.pop()
    for interface in instance.interfaces:
        if interface.device_index == index:
            return _chosen(interface, evidence, _DEPLOYMENTS.get(index))
    raise InputError(f"The management interface of {instance.id} should be at device index {index} ({evidence}), where it has none. {_choices(instance)}")


def receives_geneve(permission: t.Mapping[str, t.Any]) -> bool:
    """Whether a rule lets in exactly GENEVE.

    A rule for all traffic, or for a wide range of ports, stands on many groups and says nothing about a load balancer.

    :param permission: an element of ``DescribeSecurityGroups``' ``IpPermissions``.
    """
    return permission["IpProtocol"] in {"udp", "17"} and permission.get("FromPort") == permission.get("ToPort") == 6081


def _signs(instance: Instance, clues: Clues) -> t.Iterator[Sign]:
    """All evidence, best first."""
    for mode in sorted(set(_GWLB_MODE.findall(clues.user_data))):
        yield Sign(GATEWAY_LOAD_BALANCER if mode == "1" else INLINE, f"user data says GWLB-mode={mode}")
    for port in sorted(set(_MANAGEMENT_PORT.findall(clues.user_data))):
        # Ports are counted from 1, device indices from 0.
        yield Sign(int(port) - 1, f"user data says ManagementPort={port}")

    at_index = {interface.device_index: interface for interface in instance.interfaces}
    first, second = at_index.get(0), at_index.get(1)
    if first:
        for group_id in sorted(clues.geneve_group_ids & set(first.group_ids)):
            yield Sign(GATEWAY_LOAD_BALANCER, f"{group_id} at device index 0 lets GENEVE (UDP 6081) in")
    if clues.load_balancer_target:
        yield Sign(GATEWAY_LOAD_BALANCER, "the instance is a target of a Gateway Load Balancer")

    for interface in instance.interfaces:
        if _MANAGEMENT_DESCRIPTION.search(interface.description):
            yield Sign(interface.device_index, f"{interface.id} is described as {interface.description!r}")

    # Only with the check off can an interface pass on traffic that is not addressed to it, and only data ports do that.
    if first and second and first.source_dest_check != second.source_dest_check:
        port, index = (second, INLINE) if first.source_dest_check else (first, GATEWAY_LOAD_BALANCER)
        yield Sign(index, f"the source/destination check is off on {port.id}, so that one is a data port")


def _chosen(interface: NetworkInterface, evidence: str, deployment: Deployment | None) -> ManagementInterface:
    return ManagementInterface(
        id=interface.id,
        device_index=interface.device_index,
        private_ip=interface.private_ip,
        vpc_id=interface.vpc_id,
        group_ids=interface.group_ids,
        evidence=evidence,
        deployment=deployment,
    )


def _choices(instance: Instance) -> str:
    """What the user can put into the option."""
    interfaces = ", ".join(f"{interface.id} (device index {interface.device_index}, {interface.private_ip})" for interface in instance.interfaces)
    return f"Set management_interface of this appliance to one of its interfaces: {interfaces}."
