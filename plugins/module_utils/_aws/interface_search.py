# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather the evidence for management interfaces from AWS: what costs one call for many instances first, and the rest only where it is needed."""

from __future__ import annotations

import base64
import typing as t
import zlib

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import (
    Clues,
    ManagementInterface,
    UndecidedError,
    management_interface,
    receives_geneve,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call, chunks, pages
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each

_LONGEST_USER_DATA = 256 * 1024


def find_management_interfaces(
    clients: AwsClients, instances: t.Sequence[Instance], overrides: t.Mapping[str, str | None], *, concurrency: int
) -> dict[str, ManagementInterface | CloudOneError]:
    """Tell the management interface of each instance.

    :param overrides: for an instance id the interface that the user names, if any.
    :returns: by instance id, the interface or the error that says why there is none.
    """
    search = _Search(clients, overrides, concurrency)
    for instance in instances:
        search.learn(instance, Clues())
    # Asked also where descriptions already tell, since one call for all of a region is cheap, and finds contradictions.
    search.ask_security_groups([instance for instance in instances if len(instance.interfaces) > 1 and not overrides.get(instance.id)])
    search.ask_user_data([instance for instance in instances if search.undecided(instance)])
    search.ask_load_balancers([instance for instance in instances if search.undecided(instance)])
    return search.answers


def read_user_data(encoded: str) -> str:
    """User data as text, no more of it than EC2 takes; what is no text has harmless replacement characters in it.

    :param encoded: base64 as EC2 gives it, of plain or gzip-compressed data.
    """
    try:
        data = base64.b64decode(encoded)
    except ValueError:
        return ""
    if data.startswith(b"\x1f\x8b"):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, _LONGEST_USER_DATA)
        except zlib.error:
            return ""
    return data.decode("utf-8", errors="replace")


class _Search:
    """Answers that get better with each question."""

    def __init__(self, clients: AwsClients, overrides: t.Mapping[str, str | None], concurrency: int) -> None:
        self.answers: dict[str, ManagementInterface | CloudOneError] = {}
        self._clients = clients
        self._overrides = overrides
        self._concurrency = concurrency

    def undecided(self, instance: Instance) -> bool:
        return isinstance(self.answers[instance.id], UndecidedError)

    def learn(self, instance: Instance, clues: Clues) -> None:
        try:
            self.answers[instance.id] = management_interface(instance, self._overrides.get(instance.id), clues)
        except CloudOneError as error:
            self.answers[instance.id] = error

    def ask_security_groups(self, instances: t.Sequence[Instance]) -> None:
        group_ids: dict[str, list[str]] = {}
        for instance in instances:
            group_ids.setdefault(instance.region, []).extend(instance.interfaces[0].group_ids)
        portions = [(region, portion) for region, ids in group_ids.items() for portion in chunks(ids)]

        def geneve_groups(portion: tuple[str, list[str]]) -> set[str]:
            region, ids = portion
            groups = pages(self._clients.ec2(region), "describe_security_groups", "SecurityGroups", Filters=[{"Name": "group-id", "Values": ids}])
            return {group["GroupId"] for group in groups if any(map(receives_geneve, group["IpPermissions"]))}

        outcomes = for_each(geneve_groups, portions, concurrency=self._concurrency)
        found = Clues(geneve_group_ids={group_id for outcome in outcomes for group_id in outcome.value or set()})
        errors = {outcome.item[0]: outcome.error for outcome in outcomes if outcome.error}
        for instance in instances:
            if instance.region in errors:
                self.answers[instance.id] = errors[instance.region]
            else:
                self.learn(instance, found)

    def ask_user_data(self, instances: t.Sequence[Instance]) -> None:
        def user_data(instance: Instance) -> str:
            answer = call(self._clients.ec2(instance.region), "describe_instance_attribute", InstanceId=instance.id, Attribute="userData")
            return read_user_data(answer.get("UserData", {}).get("Value", ""))

        for outcome in for_each(user_data, instances, concurrency=self._concurrency):
            if outcome.error:
                self.answers[outcome.item.id] = outcome.error
            else:
                self.learn(outcome.item, Clues(user_data=outcome.value or ""))

    def ask_load_balancers(self, instances: t.Sequence[Instance]) -> None:
        regions = dict.fromkeys(instance.region for instance in instances)
        outcomes = {outcome.item: outcome for outcome in for_each(self._load_balancer_targets, regions, concurrency=self._concurrency)}
        for instance in instances:
            outcome = outcomes[instance.region]
            if outcome.error:
                # The last resort, with rights of its own: that it cannot be asked matters less than that nothing else told.
                self.answers[instance.id] = UndecidedError(f"{self.answers[instance.id]} (Load balancers could not be asked: {outcome.error})")
            else:
                names = {(interface.vpc_id, name) for interface in instance.interfaces[:1] for name in (instance.id, interface.private_ip)}
                self.learn(instance, Clues(load_balancer_target=not names.isdisjoint(outcome.value or set())))

    def _load_balancer_targets(self, region: str) -> set[tuple[str, str]]:
        """VPC, and instance id or address, of what Gateway Load Balancers of a region send traffic to."""
        client = self._clients.client("elbv2", region)
        return {
            (group["VpcId"], target["Target"]["Id"])
            for group in pages(client, "describe_target_groups", "TargetGroups")
            if group.get("Protocol") == "GENEVE"
            for target in call(client, "describe_target_health", TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        }
