# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One appliance of the world as its command line sees it (:class:`lab.appliance_cli.interface.ApplianceBackend`)."""

from __future__ import annotations

from lab.appliance_cli.interface import CliAppliance, CliFault, Registration
from lab.appliance_state import ApplianceState
from lab.call_log import CallLog
from lab.faults import CliEffect, Faults
from lab.world import World


class WorldBackend:
    """Binds the world to one instance.

    Facts that a fault can match: ``instance_id``, ``name`` (as in the fleet file) and ``moment``.
    """

    def __init__(self, world: World, instance_id: str, *, faults: Faults, calls: CallLog) -> None:
        self._world = world
        self._instance_id = instance_id
        self._name = world.appliances[instance_id].spec.name
        self._faults = faults
        self._calls = calls

    def ssh_allowed(self, source_address: str) -> bool:
        return self._world.ssh_allowed(self._instance_id, source_address)

    def register(self, credential: str) -> Registration:
        return self._world.register(self._instance_id, credential)

    def unregister(self) -> None:
        self._world.unregister_on_appliance(self._instance_id)

    def registered(self) -> bool:
        return self._world.registered_on_appliance(self._instance_id)

    def system_log(self) -> list[str]:
        return self._world.system_log(self._instance_id)

    def fault(self, moment: str) -> CliFault | None:
        effect = self._faults.due("cli", CliEffect, {"instance_id": self._instance_id, "name": self._name, "moment": moment})
        return None if effect is None else CliFault(effect.kind, effect.seconds)

    def record(self, call: str) -> None:
        self._calls.record("cli", instance_id=self._instance_id, name=self._name, call=call)


def cli_appliance(world: World, state: ApplianceState, *, faults: Faults, calls: CallLog) -> CliAppliance:
    """Return how an appliance's command line looks, as the fleet file says."""
    spec = state.spec
    return CliAppliance(
        instance_id=state.instance_id,
        address=state.placement.address,
        host_name=spec.host_name,
        backend=WorldBackend(world, state.instance_id, faults=faults, calls=calls),
        banner=spec.banner,
        pager=spec.pager,
        confirmations=spec.confirmations,
        colours=spec.colours,
        versions={"TOS version": spec.tos_version or "", "DV version": spec.dv_version or ""},
        wrap_echo=spec.wrap_echo,
    )
