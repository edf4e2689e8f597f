# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a renewal under way, kept in tags of the appliance's EC2 instance, where it outlives a run that is killed."""

from __future__ import annotations

import base64
import json
import re
import typing as t
import zlib
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import read_json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, to_text

Json = dict[str, t.Any]
Tags = t.Mapping[str, str]

REGISTERED_AT = "trendmicro.cloudone:registered-at"
STARTED = "trendmicro.cloudone:renewal-started"
_PART = "trendmicro.cloudone:renewal-"
_PART_KEY = re.compile(re.escape(_PART) + r"[1-9][0-9]?")

# The limits of EC2.
LONGEST_VALUE = 256
MOST_TAGS = 50

# The first part begins with the version of the format and the number of parts.
_FORMAT = 1
_HEADER = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):")
# No record that fits into tags is larger, unless somebody else wrote it.
_LARGEST_RECORD = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """What a registration may lose.

    :ivar appliance_id: the appliance's number in the API before it was unregistered.
    :ivar profile_id: the profile last distributed to it.
    :ivar log_types: its log streaming: dictionaries with ``name``, ``group``, ``stream``, ``enabled``.
    """

    appliance_id: int | None
    profile_id: int | None
    log_types: tuple[Json, ...]

    @classmethod
    def from_dict(cls, settings: t.Mapping[str, t.Any]) -> Settings:
        """:raises InputError: if a value has the wrong type."""
        appliance_id, profile_id, log_types = settings.get("appliance_id"), settings.get("profile_id"), settings.get("log_types", [])
        if not (isinstance(appliance_id, int | None) and isinstance(profile_id, int | None)):
            raise InputError("appliance_id and profile_id are numbers.")
        if not (isinstance(log_types, list) and all(map(_is_log_type, log_types))):
            raise InputError("log_types is a list of dictionaries with name, group, stream and enabled.")
        return cls(appliance_id, profile_id, tuple(log_types))

    def as_result(self) -> Json:
        """The settings as modules take and return them."""
        return {"appliance_id": self.appliance_id, "profile_id": self.profile_id, "log_types": list(self.log_types)}


def _is_log_type(value: t.Any) -> bool:
    """Whether it is what an option ``log_types`` takes: one that is not would spoil the step that restores those of a whole batch."""
    types = {"name": str, "group": str | None, "stream": str | None, "enabled": bool}
    return isinstance(value, dict) and "name" in value and all(name in types and isinstance(one, types[name]) for name, one in value.items())


def encode(settings: Settings) -> dict[str, str]:
    """The tags that hold ``settings``.

    :raises InputError: if they do not fit into the tags that an instance can have.
    """
    compact = json.dumps(settings.as_result(), separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(zlib.compress(compact, level=9)).decode("ascii")
    header = f"{_FORMAT}:{{count:02}}:"
    size = LONGEST_VALUE - len(header.format(count=0))
    # Every part keeps the header's room free, though only the first needs it: that makes the count easy to know.
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    if len(parts) > MOST_TAGS - 2:
        raise InputError(f"The appliance's settings are too large to record: they need {len(parts)} tags of the EC2 instance, which can have {MOST_TAGS}.")
    parts[0] = header.format(count=len(parts)) + parts[0]
    return {f"{_PART}{number}": part for number, part in enumerate(parts, start=1)}


def decode(tags: Tags) -> Settings | None:
    """The settings that an instance's tags hold, ``None`` if they hold none.

    :raises InputError: if there is a record that cannot be read.
    """
    keys = record_keys(tags)
    if not keys:
        return None
    try:
        header = _HEADER.match(tags[f"{_PART}1"])
        if header is None or int(header[1]) != _FORMAT:
            raise ValueError("unknown format")
        text = "".join(tags[f"{_PART}{number}"] for number in range(1, int(header[2]) + 1))
        data = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text[header.end() :]), _LARGEST_RECORD)
        settings = read_json(data.decode())
        if not isinstance(settings, dict):
            raise ValueError("no dictionary")
        return Settings.from_dict(settings)
    except (KeyError, ValueError, zlib.error, InputError) as error:
        raise InputError(
            "The record of an earlier renewal in the tags of the EC2 instance cannot be read, so what that renewal had to restore is not known. "
            f"Check log streaming and policies of the appliance by hand, then delete these tags: {', '.join(keys)}."
        ) from error


def renewed_since(tags: Tags, appliance_id: int) -> datetime | None:
    """When the renewal on record began, if the appliance has registered since then, which a new number in the API tells.

    :param appliance_id: the appliance's number in the API now.
    :raises InputError: if there is a record that cannot be read.
    """
    settings = decode(tags)
    if settings is None or settings.appliance_id in (None, appliance_id):
        return None
    return from_text(tags.get(STARTED, ""))


def record_keys(tags: Tags) -> list[str]:
    """The keys of all tags that belong to a record."""
    return sorted(key for key in tags if key == STARTED or _PART_KEY.fullmatch(key))


def tags_to_start(tags: Tags, settings: Settings, now: datetime) -> dict[str, str]:
    """The tags to write before an appliance is unregistered. None, if a record is there: it is from before the renewal that was interrupted.

    :raises InputError: if the existing record cannot be read, or the instance has no room for the tags.
    """
    if decode(tags):
        return {}
    new = {**encode(settings), STARTED: to_text(now)}
    # The tag that a finished registration writes must fit too: found out now, while nothing is unregistered. AWS's own tags do not count.
    needed = {*(key for key in tags if not key.startswith("aws:")), *new, REGISTERED_AT}
    if len(needed) > MOST_TAGS:
        raise InputError(
            f"The EC2 instance would need {len(needed)} tags to record the appliance's settings, and can have {MOST_TAGS}. "
            f"Remove at least {len(needed) - MOST_TAGS} of its tags."
        )
    return new
