# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, made fit to be shown: it can neither steer a terminal nor pass for other text."""

from __future__ import annotations

import re

# Control characters, those that turn the direction of what follows or end a line unseen, and halves of characters, which no file can hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


def printable(text: str) -> str:
    """``text`` with a replacement character for each that is not to be shown. Line breaks and tabs stay."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n"))


def sentence(text: str) -> str:
    """``text`` with an end, so that advice can follow a reason that came without one."""
    return text if text.endswith((".", "!", "?", "…")) else text + "."
