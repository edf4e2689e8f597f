# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the event source. ansible-rulebook checks none, and gives numbers that come from variables as text."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

_AWS = ("profile", "access_key", "secret_key", "session_token", "assume_role_arn", "assume_role_external_id", "region", "endpoint_url")
_LONGEST = 14 * 24 * 3600
# Smallest and largest value, and the one that is taken if none is given.
_NUMBERS = {
    "wait_seconds": (0, 20, 20),
    "window": (0, _LONGEST, 3600),
    "max_renewals": (1, 1000, 10),
    "period": (1, _LONGEST, 3600),
}
# What ansible-rulebook puts beside them.
_OF_THE_ENGINE = ("feedback", "eda_feedback_queue")


@dataclass(frozen=True)
class Options:
    """What the user wants.

    :ivar aws: options that reach AWS, those that are not set left out.
    """

    queue_url: str
    wait_seconds: int
    window: int
    max_renewals: int
    period: int
    aws: dict[str, str]

    @classmethod
    def from_arguments(cls, args: t.Mapping[str, t.Any]) -> Options:
        """Check arguments as a rulebook gives them; an empty text counts as not given.

        :raises InputError: there is one too many, or it cannot be.
        """
        unknown = sorted(set(args) - {"queue_url", *_AWS, *_NUMBERS, *_OF_THE_ENGINE})
        if unknown:
            raise InputError(f"sqs_certificate_errors has no option {', '.join(map(str, unknown))}.")
        queue_url = args.get("queue_url")
        if not isinstance(queue_url, str) or not queue_url.startswith(("https://", "http://")):
            raise InputError("queue_url must be the URL of an SQS queue, like https://sqs.eu-central-1.amazonaws.com/123456789012/netsec-certificate-errors.")
        return cls(
            queue_url=queue_url,
            aws={name: str(args[name]) for name in _AWS if args.get(name) not in (None, "")},
            **{name: _number(name, args.get(name)) for name in _NUMBERS},
        )


def _number(name: str, value: object) -> int:
    smallest, largest, default = _NUMBERS[name]
    if value is None or value == "":
        return default
    try:
        number = int(str(value))
    except ValueError:
        number = smallest - 1
    if not smallest <= number <= largest:
        raise InputError(f"{name} must be a whole number from {smallest} to {largest}, not {value!r}.")
    return number
