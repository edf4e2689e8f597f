# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message of the queue says: which appliances report certificate errors. Pure; whatever a message holds, it is read or refused.

CloudWatch Logs sends documents with the log events of one log stream. They are understood in every wrapping in which they come to a queue.
"""

from __future__ import annotations

import base64
import re
import typing as t
import zlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.system_log import LogLine, certificate_errors
from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import read_json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import printable
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_milliseconds

# A message has at most 1 MiB; what it grows to, and how often it is wrapped, has to have an end as well.
LARGEST_DOCUMENT = 16 * 1024 * 1024
MOST_WRAPPINGS = 6
LONGEST_TEXT = 300

# The event of a function that CloudWatch Logs calls; what a destination of such a function gets; EventBridge; SNS; a record of Kinesis.
_WRAPPINGS = ("awslogs", "requestPayload", "detail", "Message", "data")
_INSTANCE_ID = re.compile(r"(?<![0-9A-Za-z])i-(?:[0-9a-f]{17}|[0-9a-f]{8})(?![0-9A-Za-z])")
_GZIP = 16 + zlib.MAX_WBITS
# Events become variables of playbooks, in which Ansible would take braces for templates.
_BRACES = str.maketrans("{}", "()")


class UnfitMessage(ValueError):
    """The message cannot be used. Its text says why, in words that quote nothing of it."""


@dataclass(frozen=True)
class CertificateErrors:
    """The certificate errors of one appliance in one message. Its texts are fit for terminals and hold no templates.

    :ivar last_at: when the last one was logged, in UTC; ``None`` if nothing says so.
    :ivar text: the last one.
    """

    instance_id: str
    count: int
    last_at: datetime | None
    text: str
    log_group: str
    log_stream: str
    account_id: str


@dataclass(frozen=True)
class Reading:
    """What a message says.

    :ivar found: an entry for each appliance with errors.
    :ivar nameless: how many errors name no appliance.
    """

    found: tuple[CertificateErrors, ...] = ()
    nameless: int = 0


def read_message(body: object, now: datetime) -> Reading:
    """Read the body of a message.

    :param now: this moment, aware.
    :raises UnfitMessage: it holds no log events.
    """
    document = _unwrap(body)
    if document.get("messageType") == "CONTROL_MESSAGE":
        return Reading()
    events = document["logEvents"]
    if not isinstance(events, list):
        raise UnfitMessage("its log events are no list")
    group, stream, account_id = (_text(document.get(key)) for key in ("logGroup", "logStream", "owner"))
    lines: dict[str | None, list[LogLine]] = defaultdict(list)
    of_stream = _instance_ids(document.get("logStream"))
    for event in events:
        line = _error(event, now)
        if line is not None:
            lines[_the_one(of_stream or _instance_ids(line.text))].append(line)
    nameless = len(lines.pop(None, ()))
    found = tuple(
        CertificateErrors(str(instance_id), len(of_one), of_one[-1].time, _text(of_one[-1].text), group, stream, account_id)
        for instance_id, of_one in lines.items()
    )
    return Reading(found, nameless)


def _unwrap(value: object) -> dict[str, t.Any]:
    """The document of CloudWatch Logs that is in a message.

    :raises UnfitMessage: there is none.
    """
    for _layer in range(MOST_WRAPPINGS):
        if isinstance(value, str):
            value = _parsed(value)
        if not isinstance(value, dict):
            break
        if "logEvents" in value:
            return value
        value = next((value[key] for key in _WRAPPINGS if key in value), None)
    raise UnfitMessage("it holds no log events")


def _parsed(text: str) -> object:
    """What a text stands for: JSON, or such packed with gzip and Base64, as CloudWatch Logs does.

    :raises UnfitMessage: neither.
    """
    try:
        return read_json(text if text.lstrip()[:1] == "{" else _unpacked(text))
    except UnfitMessage:
        raise
    # binascii's and Unicode's errors are such, too.
    except ValueError:
        raise UnfitMessage("it is neither JSON nor Base64 of gzipped JSON") from None


def _unpacked(text: str) -> str:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        content = unpacking.decompress(base64.b64decode(text.strip(), validate=True), LARGEST_DOCUMENT)
    except zlib.error:
        raise UnfitMessage("it cannot be unzipped") from None
    if not unpacking.eof:
        raise UnfitMessage("it is cut off, or too large when unzipped")
    return content.decode()


def _error(event: object, now: datetime) -> LogLine | None:
    """The certificate error that a log event is, if it is one. CloudWatch's time of it goes before that in the line."""
    message = event.get("message") if isinstance(event, dict) else None
    errors = certificate_errors([message], now) if isinstance(message, str) else []
    if not errors or not isinstance(event, dict):
        return None
    return LogLine(from_milliseconds(event.get("timestamp")) or errors[0].time, errors[0].text)


def _instance_ids(text: object) -> set[str]:
    return set(_INSTANCE_ID.findall(text)) if isinstance(text, str) else set()


def _the_one(instance_ids: set[str]) -> str | None:
    return next(iter(instance_ids)) if len(instance_ids) == 1 else None


def _text(value: object) -> str:
    """A text on one line, not too long, that neither a terminal nor Ansible takes for anything else."""
    text = " ".join(printable(value).split()).translate(_BRACES) if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
