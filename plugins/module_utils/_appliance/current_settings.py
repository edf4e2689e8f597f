# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from the API what an appliance is set to, which it may lose when it registers again."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.history import last_profile
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import read_log_types
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, for_each_found
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome

Json = dict[str, t.Any]

# What can be read, by the names that option ``gather`` of netsec_appliance_info has for it.
READABLE = ("log_types", "profile")


def settings_reader(api: NetsecApi, wanted: t.Container[str]) -> t.Callable[[Appliance], Json]:
    """Ask what the API tells of all appliances together, and return what reads the settings of one.

    :param wanted: of :data:`READABLE`. Only what is wanted is asked.
    :returns: a function that gives a dictionary, with ``log_types`` (as ``LogType.as_result()``) and ``profile_id`` as far as wanted,
        and raises :class:`ApiError`.
    :raises ApiError: the distributions of profiles cannot be read.
    """
    distributions = api.profile_distributions() if "profile" in wanted else []

    def read(appliance: Appliance) -> Json:
        settings: Json = {}
        if "log_types" in wanted:
            settings["log_types"] = [log_type.as_result() for log_type in read_log_types(api.log_types(appliance.id))]
        if "profile" in wanted:
            settings["profile_id"] = last_profile(distributions, appliance.id)
        return settings

    return read


def read_settings(api: NetsecApi, instance_ids: t.Sequence[str], *, concurrency: int) -> list[Outcome[str, Settings]]:
    """Read all settings of many appliances.

    :returns: one outcome for each instance ID, in their order. An appliance that the API does not list has no settings.
    :raises CloudOneError: nothing can be read of any of them, or one is named twice.
    """
    found = find_each(api, instance_ids, concurrency=concurrency)
    read = settings_reader(api, READABLE if any(outcome.value for outcome in found) else ())

    def settings_of(_instance_id: str, appliance: Appliance | None) -> Settings:
        return Settings.from_dict({"appliance_id": appliance.id, **read(appliance)}) if appliance else Settings(None, None, ())

    return for_each_found(found, settings_of, concurrency=concurrency)
