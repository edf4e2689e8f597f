# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that are typed into an appliance, kept out of everything that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "********"

_REGISTER = re.compile(r"\s*cloudone\s+register\s+(\S.*?)\s*", re.IGNORECASE | re.DOTALL)

# A terminal may break the echo of a long credential into pieces; shorter pieces than this are words like any other.
_SHORTEST_PIECE = 6


def credential_in(line: str) -> str | None:
    """The credential in a ``cloudone register`` command line; ``None`` in any other line."""
    match = _REGISTER.fullmatch(line)
    return match[1] if match else None


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every secret, and every word that is a piece of a secret, replaced by asterisks."""
    hidden = [secret for secret in secrets if secret]
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
    if not hidden:
        return text
    return re.sub(rf"\S{{{_SHORTEST_PIECE},}}", lambda word: MASK if any(word[0] in secret for secret in hidden) else word[0], text)
