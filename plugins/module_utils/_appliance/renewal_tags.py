# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the record of a renewal into the tags of the appliance's EC2 instance, and remove it."""

from __future__ import annotations

from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import REGISTERED_AT, Settings, record_keys, tags_to_start
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call, prove_permission
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, to_text


class RenewalTags:
    """The tags of instances; each method returns whether it changes, or would change, anything, and raises CloudOneError."""

    def __init__(self, clients: AwsClients, *, check_mode: bool) -> None:
        """
        :param check_mode: change nothing, but let EC2 say whether the changes would be permitted.
        """
        self._clients = clients
        self._check_mode = check_mode

    def start(self, instance: Instance, settings: Settings, now: datetime) -> bool:
        """Record what a registration may lose, unless an interrupted renewal has recorded it already."""
        tags = tags_to_start(instance.tags, settings, now)
        # The record will have to be removed again: whether that is permitted is found out now, while nothing is written or unregistered.
        keys = list(tags) or record_keys(instance.tags)
        prove_permission(self._clients.ec2(instance.region), "delete_tags", Resources=[instance.id], Tags=[{"Key": key} for key in keys])
        if tags:
            self._write(instance, tags)
        return bool(tags)

    def registered(self, instance: Instance, at: datetime) -> bool:
        """Record when the appliance registered."""
        if from_text(instance.tags.get(REGISTERED_AT, "")) == at:
            return False
        self._write(instance, {REGISTERED_AT: to_text(at)})
        return True

    def finish(self, instance: Instance) -> bool:
        """Remove what :meth:`start` recorded."""
        keys = record_keys(instance.tags)
        if keys:
            self._change(instance, "delete_tags", [{"Key": key} for key in keys])
        return bool(keys)

    def _write(self, instance: Instance, tags: dict[str, str]) -> None:
        self._change(instance, "create_tags", [{"Key": key, "Value": value} for key, value in tags.items()])

    def _change(self, instance: Instance, method: str, tags: list[dict[str, str]]) -> None:
        change = prove_permission if self._check_mode else call
        change(self._clients.ec2(instance.region), method, Resources=[instance.id], Tags=tags)
