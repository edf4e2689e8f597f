# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs that an appliance streams besides the system log. The vendor documents no format, so the texts are made up."""

from __future__ import annotations

from datetime import datetime, timedelta

from lab.system_log import Entry, moments

# Much more often than on most real appliances, so that nobody has to wait for an event.
EVENT_EVERY = timedelta(seconds=2)
MOST_EVENTS = 50

_OWN_DOING = {
    "audit": "user=admin from=10.0.0.10 interface=CLI result=PASS message=login",
    "host": "sysd[402]: cpu 12% memory 41% disk 23%",
}
_TRAFFIC = {
    "ipsAlert": "action=permit severity=low filter=0291 name=HTTP-suspicious-request proto=tcp src=10.1.0.23:51422 dst=10.2.0.8:80",
    "ipsBlock": "action=block severity=critical filter=13814 name=HTTP-exploit-attempt proto=tcp src=203.0.113.77:40112 dst=10.2.0.8:80",
    "quarantine": "action=quarantine reason=policy host=10.1.0.23",
    "reputationAlert": "action=permit severity=low list=ip src=10.1.0.23:53120 dst=198.51.100.9:443",
    "reputationBlock": "action=block severity=high list=ip src=10.1.0.23:53121 dst=198.51.100.66:443",
    "sslInspection": "action=inspect version=TLSv1.3 src=10.1.0.23:55310 dst=10.2.0.8:443",
}


def event_entries(log_name: str, *, traffic: bool, started_at: datetime, after: datetime, until: datetime) -> list[Entry]:
    """Return the events of a time span, oldest first.

    :param log_name: as in the API, but for ``system``.
    :param traffic: whether something passes through the appliance that it finds worth an event.
    """
    text = (_OWN_DOING | _TRAFFIC)[log_name]
    if log_name in _TRAFFIC and not traffic:
        return []
    return [Entry(moment, text) for moment in moments(started_at, EVENT_EVERY, after=after, until=until, most=MOST_EVENTS)]
