# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of an inventory are called, and which groups they are in. Imports little, since an inventory from the cache needs no more."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

ALL = "netsec_appliances"
STATUSES = ("valid", "expiring", "expired", "unregistered", "hosted", "unknown")
GROUPS = (*(f"netsec_{status}" for status in STATUSES), "netsec_orphaned")

# What hosts may be called: other characters mean something in patterns of hosts, in files and on command lines.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}")
_NAMES_OF_THE_CONTROL_NODE = frozenset({"localhost", "127.0.0.1"})

HOSTNAMES: t.Mapping[str, str] = {
    "instance_id": "netsec_instance_id",
    "name": "netsec_name",
    "host_name": "netsec_host_name",
    "private_address": "ansible_host",
}
TAG_PREFIX = "tag:"


def ready_groups(variables: Json) -> list[str]:
    """The groups of one appliance."""
    groups = [ALL, f"netsec_{variables['netsec_status']}"]
    return [*groups, "netsec_orphaned"] if variables["netsec_orphaned"] else groups


def check_hostnames(preferences: t.Sequence[str]) -> None:
    """Check the option ``hostnames``.

    :raises InputError: it has an element that is none of the known ones.
    """
    for preference in preferences:
        if preference not in HOSTNAMES and not (preference.startswith(TAG_PREFIX) and len(preference) > len(TAG_PREFIX)):
            raise InputError(f"hostnames knows {', '.join(HOSTNAMES)} and tag:KEY, not {preference!r}.")


def host_names(hosts: t.Sequence[Json], preferences: t.Sequence[str], reserved: t.Container[str]) -> list[str | None]:
    """A name for each appliance: the first in the order of preference that is fit for a host and that no other appliance could have, too.

    :param hosts: variables of each.
    :param reserved: names that are taken, as those of groups.
    :returns: in the order of ``hosts``; ``None`` where not even the instance ID is fit.
    """

    def fit(name: t.Any) -> bool:
        return isinstance(name, str) and bool(_NAME.fullmatch(name)) and name not in _NAMES_OF_THE_CONTROL_NODE and name not in reserved

    candidates = [list(dict.fromkeys(filter(fit, [*(_value(host, one) for one in preferences), host["netsec_instance_id"]]))) for host in hosts]
    wanted = Counter(name for names in candidates for name in names)
    return [
        next((name for name in names if wanted[name] == 1), host["netsec_instance_id"] if host["netsec_instance_id"] in names else None)
        for host, names in zip(hosts, candidates, strict=True)
    ]


def _value(host: Json, preference: str) -> t.Any:
    if preference.startswith(TAG_PREFIX):
        return host["netsec_tags"].get(preference.removeprefix(TAG_PREFIX))
    return host.get(HOSTNAMES[preference])
