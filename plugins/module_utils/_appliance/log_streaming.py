# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan an appliance's log streaming to CloudWatch: what is, what should be, what to send. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, version_tuple
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

Json = dict[str, t.Any]

OLDEST_VERSION = (2020, 10, 0)
GROUP_NAME = re.compile(r"(?!aws/)[a-zA-Z0-9_\-/.#]{1,512}")
STREAM_NAME = re.compile(r"[^:*]{1,512}")
_LONGEST_INSTANCE_ID = "i-" + 17 * "0"


@dataclass(frozen=True)
class LogType:
    """The streaming of one log type.

    :ivar name: ``ipsBlock``, ``system``, ...
    :ivar group: the log group; ``None`` where none is set, or none is asked for.
    :ivar stream: the log stream, in which the appliance replaces ``{instance_id}``.
    """

    name: str
    group: str | None
    stream: str
    enabled: bool

    @classmethod
    def from_api(cls, entry: Json) -> LogType:
        """Read one element of the API's ``logTypes`` that has a ``logName``."""
        name, group, stream = (str(entry.get(field) or "") for field in ("logName", "logGroupName", "logStreamName"))
        return cls(name, group or None, stream or default_stream(name), bool(entry.get("enable")))

    @classmethod
    def from_option(cls, option: t.Mapping[str, t.Any]) -> LogType:
        """Read one element of a module's ``log_types``.

        :raises InputError: a name that CloudWatch does not allow.
        """
        name, group, stream = option["name"], option["group"] or None, option["stream"] or default_stream(option["name"])
        fault = group_name_fault(group) if group is not None else None
        if fault:
            raise InputError(f"{name}: {fault}")
        if not STREAM_NAME.fullmatch(stream_name(stream, _LONGEST_INSTANCE_ID)):
            raise InputError(f"{name}: {stream!r} cannot be the name of a log stream. Allowed are 1 to 512 characters other than : and *.")
        return cls(name, group, stream, option["enabled"])

    def as_result(self) -> Json:
        """The same as a dictionary, with the names of the module's option."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.name}: {'on' if self.enabled else 'off'}, group {self.group or '-'}, stream {self.stream}"


@dataclass(frozen=True)
class LogPlan:
    """What to do about one appliance.

    :ivar before: what it streams now, each log type that it has.
    :ivar after: what it will stream.
    :ivar payload: the full list to send, in the API's form.
    :ivar unavailable: names of wanted log types that the appliance does not have.
    """

    before: list[LogType]
    after: list[LogType]
    payload: list[Json]
    unavailable: list[str]

    @property
    def changed(self) -> bool:
        return self.before != self.after


def group_name_fault(group: str) -> str | None:
    """What is wrong with the name of a log group, by CloudWatch's rules; ``None`` if it is right."""
    if GROUP_NAME.fullmatch(group):
        return None
    return f"{group!r} cannot be the name of a log group. Allowed are 1 to 512 letters, digits and _ - / . #, and not aws/ at the start."


def default_stream(name: str) -> str:
    """The stream that the appliance uses if none is set; the braces are literal, the appliance fills them in."""
    return f"{name}_{{instance_id}}"


def stream_name(stream: str, instance_id: str) -> str:
    """The stream's real name, as the appliance makes it of the configured one. There is no other placeholder."""
    return stream.replace("{instance_id}", instance_id)


def read_log_types(current: t.Iterable[Json]) -> list[LogType]:
    """Turn the API's answer into log types."""
    return [LogType.from_api(entry) for entry in current if entry.get("logName")]


def read_options(options: t.Iterable[t.Mapping[str, t.Any]]) -> list[LogType]:
    """Turn a module's ``log_types`` into log types.

    :raises InputError: one is named twice, or has a name that CloudWatch does not allow.
    """
    wanted = [LogType.from_option(option) for option in options]
    names = [log_type.name for log_type in wanted]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"Each log type can be given only once for an appliance. Given more than once: {', '.join(repeated)}.")
    return wanted


def refuse_old_version(appliance: Appliance) -> None:
    """Check that the appliance can stream logs; one whose version is not known is left to the API to judge.

    :raises InputError: it is too old.
    """
    version = version_tuple(appliance.tos_version)
    if version is not None and version < OLDEST_VERSION:
        raise InputError(
            f"{appliance.instance_id} has version {appliance.tos_version}; streaming logs to CloudWatch needs 2020.10.0 or later. Update the appliance first."
        )


def plan(current: t.Sequence[Json], wanted: t.Sequence[LogType], *, purge: bool = False) -> LogPlan:
    """Merge what is wanted into what is.

    :param current: the API's answer, every log type of the appliance.
    :param wanted: each name once. Without a group, the present one stays.
    :param purge: switch off what is not named; else it stays as it is.
    :raises InputError: a log type is to be enabled that has no log group.
    """
    by_name = {log_type.name: log_type for log_type in wanted}
    before = read_log_types(current)
    after = [_merged(log_type, by_name.get(log_type.name), purge) for log_type in before]
    updates = {log_type.name: log_type for log_type in after}
    available = {log_type.name for log_type in before}
    return LogPlan(
        before=before,
        after=after,
        payload=[_payload(entry, updates.get(str(entry.get("logName")))) for entry in current],
        unavailable=[log_type.name for log_type in wanted if log_type.name not in available],
    )


def _merged(present: LogType, wanted: LogType | None, purge: bool) -> LogType:
    if wanted is None:
        return dataclasses.replace(present, enabled=False) if purge else present
    merged = dataclasses.replace(wanted, group=wanted.group or present.group)
    if merged.enabled and not merged.group:
        raise InputError(f"{merged.name} is to be streamed, but has no log group yet: give its group.")
    return merged


def _payload(entry: Json, update: LogType | None) -> Json:
    """One entry to send. Fields that this code does not know go back as they came; what is null is left out."""
    if update is not None and update != LogType.from_api(entry):
        entry = {**entry, "logGroupName": update.group, "logStreamName": update.stream, "enable": update.enabled}
    return {field: value for field, value in entry.items() if value is not None}
