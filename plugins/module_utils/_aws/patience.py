# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2 takes a moment until all of it knows of a change. What to do meanwhile."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError

Value = t.TypeVar("Value")

# Seconds between the attempts at what EC2 may need a moment for; about a minute in all.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# The same for what may as well never come.
SHORT_PAUSES = PAUSES[:4]


def patiently(codes: t.Container[str], action: t.Callable[[], Value]) -> Value:
    """Repeat ``action`` while EC2 answers with one of ``codes``, which pass by themselves.

    :raises AwsError: any other, or after about a minute.
    """
    for pause in PAUSES:
        try:
            return action()
        except AwsError as error:
            if error.code not in codes:
                raise
        time.sleep(pause)
    return action()


def look_until(complete: t.Callable[[Value], bool], look: t.Callable[[], Value]) -> Value:
    """Look again for some seconds while what is seen is not complete.

    :returns: what was seen last, complete or not.
    """
    for pause in SHORT_PAUSES:
        seen = look()
        if complete(seen):
            return seen
        time.sleep(pause)
    return look()
