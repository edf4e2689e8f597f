# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One log stream in CloudWatch, written as an instance does: with the rights of its role, and within the rules of CloudWatch Logs.

Callers hold :attr:`lab.aws.Aws.lock`.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from moto.logs.models import LogEvent, LogGroup, LogsBackend, logs_backends

from lab.iam_policies import Rights, decide
from lab.system_log import Entry

OLDEST_EVENT = timedelta(days=14)
NEWEST_EVENT = timedelta(hours=2)


@dataclass(frozen=True)
class CloudWatchStream:
    """A log stream, whether it is there or not."""

    account_id: str
    region: str
    group: str
    name: str

    def exists(self) -> bool:
        group = self._found_group()
        return group is not None and self.name in group.streams

    def event_count(self) -> int:
        """Return how many events the stream holds."""
        group = self._found_group()
        return len(group.streams[self.name].events) if group is not None and self.name in group.streams else 0

    def create(self, rights: Rights) -> bool:
        """Make the stream, and its group, where they are missing; return whether the stream is there now."""
        if self._found_group() is None:
            if not self._allowed(rights, "logs:CreateLogGroup", stream=""):
                return False
            self._backend.create_log_group(self.group, {})
        if not self.exists():
            if not self._allowed(rights, "logs:CreateLogStream", stream=self.name):
                return False
            self._backend.create_log_stream(self.group, self.name)
        return True

    def may_be_written(self, rights: Rights) -> bool:
        """Whether the rights allow events to be put into the stream."""
        return self._allowed(rights, "logs:PutLogEvents", stream=self.name)

    def put(self, entries: t.Iterable[Entry], host_name: str, now: datetime) -> None:
        """Write entries, but for those that are too old for CloudWatch to take them."""
        retention = self._backend.groups[self.group].retention_in_days
        oldest = now - min(OLDEST_EVENT, timedelta(days=int(retention or OLDEST_EVENT.days)))
        events = [{"timestamp": int(entry.time.timestamp()) * 1000, "message": entry.line(host_name)} for entry in entries if entry.time > oldest]
        if events:
            self._backend.put_log_events(self.group, self.name, events)

    def put_past(self, entries: t.Iterable[Entry], host_name: str, *, streamed_since: datetime, clock_ahead: timedelta) -> None:
        """Make the stream as it is after it was written for a while: each entry at its time, those of before when streaming began."""
        self._backend.ensure_log_group(self.group)
        self._backend.ensure_log_stream(self.group, self.name)
        for entry in entries:
            sent, shown = max(entry.time, streamed_since), entry.dated(clock_ahead)
            if sent - OLDEST_EVENT < shown.time <= sent + NEWEST_EVENT:
                event = LogEvent(int(sent.timestamp() * 1000), {"timestamp": int(shown.time.timestamp()) * 1000, "message": shown.line(host_name)})
                self._backend.groups[self.group].streams[self.name].events.append(event)

    @property
    def _backend(self) -> LogsBackend:
        return logs_backends[self.account_id][self.region]

    def _found_group(self) -> LogGroup | None:
        return self._backend.groups.get(self.group)

    def _allowed(self, rights: Rights, action: str, *, stream: str) -> bool:
        """Whether the rights allow an action. AWS judges ``CreateLogGroup`` by the same ARN, with an empty stream."""
        resource = f"arn:aws:logs:{self.region}:{self.account_id}:log-group:{self.group}:log-stream:{stream}"
        context = {"aws:requestedregion": [self.region], "aws:securetransport": ["true"]}
        return decide(rights, action, resource, context).decision == "allowed"
