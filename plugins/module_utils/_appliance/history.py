# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API's lists of past events say about one appliance. Where their order is not certain, nothing is concluded."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text

Json = dict[str, t.Any]


def last_profile(distributions: t.Iterable[Json], appliance_id: int) -> int | None:
    """The ID of the profile that was last distributed to an appliance.

    :param distributions: as ``NetsecApi.profile_distributions()`` returns them.
    :returns: ``None`` if there was none, or if there were several and no times to tell which was last.
    """
    mine = [entry for entry in distributions if _is_of(entry, appliance_id) and _profile_id(entry) is not None]
    profile_ids = {_profile_id(entry) for entry in mine}
    if len(profile_ids) == 1:
        return profile_ids.pop()
    last = _latest(mine)
    return _profile_id(last) if last else None


def is_migrating(migrations: t.Iterable[Json], appliance_id: int) -> bool:
    """Whether the software of an appliance is being migrated.

    :param migrations: as ``NetsecApi.migrations()`` returns them. Without times, every state counts, so one that has not finished decides.
    """
    mine = [entry for entry in migrations if _is_of(entry, appliance_id)]
    last = _latest(mine)
    return any(entry.get("state") != "finish" for entry in ([last] if last else mine))


def _is_of(entry: Json, appliance_id: int) -> bool:
    return str(entry.get("applianceId")) == str(appliance_id)


def _profile_id(entry: Json) -> int | None:
    profile = entry.get("profile")
    number = profile.get("id") if isinstance(profile, dict) else None
    return number if isinstance(number, int) else None


def _latest(entries: t.Sequence[Json]) -> Json | None:
    """The newest entry, if all have a time and one is newer than the others."""
    moments = [_moment(entry.get("time")) for entry in entries]
    known = [moment for moment in moments if moment is not None]
    if not known or len(known) < len(entries) or known.count(max(known)) > 1:
        return None
    return entries[moments.index(max(known))]


def _moment(value: t.Any) -> float | None:
    if isinstance(value, str):
        time = from_text(value)
        return time.timestamp() if time else None
    try:
        return float(value) if isinstance(value, (int, float)) else None
    except OverflowError:
        return None
