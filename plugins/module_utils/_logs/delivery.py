# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether logs arrive in CloudWatch: where they should arrive, and what is said of what was seen there. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import LogType, read_options, stream_name
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text

Json = dict[str, t.Any]

_HINT = (
    "Check the role of the instance (netsec_instance_role_info) and its way to CloudWatch Logs. An appliance whose certificate expired may not get "
    "its configuration (netsec_certificate_info). Logs of events, as ipsBlock, need events; wait longer (wait_timeout) if there should be some."
)


@dataclass(frozen=True)
class Stream:
    """A log stream, and from when on its events count.

    :ivar since: in UTC.
    """

    region: str
    group: str
    name: str
    since: datetime


@dataclass(frozen=True)
class Sighting:
    """What was seen of a log stream.

    :ivar last_event_at: time of the last event, as far as known, also of one that is too old to count.
    :ivar waited: for how many seconds it was looked for.
    """

    exists: bool = False
    last_event_at: datetime | None = None
    waited: float = 0.0

    def receives(self, stream: Stream) -> bool:
        """Whether there is an event that counts."""
        return self.last_event_at is not None and self.last_event_at >= stream.since


def read_enabled(instance_id: str, options: t.Iterable[t.Mapping[str, t.Any]]) -> list[LogType]:
    """The log types of one appliance that are enabled.

    :param options: dictionaries as in ``log_types_spec()``.
    :raises InputError: an enabled one has no log group, or a name that CloudWatch does not allow, or is there twice.
    """
    enabled = read_options(option for option in options if option["enabled"])
    without_group = [log_type.name for log_type in enabled if log_type.group is None]
    if without_group:
        raise InputError(f"{instance_id}: give the log group of each log type that is enabled. Without one are: {', '.join(without_group)}.")
    return enabled


def streams_of(instance_id: str, region: str, log_types: t.Iterable[LogType], since: datetime) -> dict[str, Stream]:
    """Where the events of one appliance should arrive, by the names of the log types."""
    return {one.name: Stream(region, str(one.group), stream_name(one.stream, instance_id), since) for one in log_types}


def report(region: str, streams: t.Mapping[str, Stream], sightings: t.Mapping[Stream, Sighting]) -> Json:
    """Lay out what was seen of one appliance's streams.

    :param streams: by the names of the log types.
    """
    silent = [_complaint(name, stream, sightings[stream]) for name, stream in streams.items() if not sightings[stream].receives(stream)]
    fine = "Every log stream receives events." if streams else "No log type is enabled, so nothing is to arrive."
    return {
        "region": region,
        "receiving": not silent,
        "reason": " ".join([*silent, _HINT]) if silent else fine,
        "streams": [_stream_result(name, stream, sightings[stream]) for name, stream in streams.items()],
    }


def _complaint(name: str, stream: Stream, sighting: Sighting) -> str:
    if not sighting.exists:
        return f"{name}: there is no log stream {stream.name} in the log group {stream.group} in {stream.region}."
    last = f", the last one is of {to_text(sighting.last_event_at)}" if sighting.last_event_at else ""
    return f"{name}: no event since {to_text(stream.since)} in the log stream {stream.name} of {stream.group} in {stream.region}{last}."


def _stream_result(name: str, stream: Stream, sighting: Sighting) -> Json:
    return {
        "name": name,
        "group": stream.group,
        "stream": stream.name,
        "exists": sighting.exists,
        "last_event_at": to_text(sighting.last_event_at) if sighting.last_event_at else None,
        "receiving": sighting.receives(stream),
        "waited": sighting.waited,
    }
