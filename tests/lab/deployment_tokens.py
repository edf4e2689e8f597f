# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployment tokens: single use, for a limited time."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

TokenState = t.Literal["unused", "used", "revoked", "expired"]


class TokenRefused(Exception):
    """A token is not accepted; ``str()`` says why."""


@dataclass
class Token:
    """One deployment token."""

    id: str
    value: str
    expires_at: datetime
    used_by: str | None = None
    revoked: bool = False

    def state(self, now: datetime) -> TokenState:
        """What the token is worth at a time."""
        if self.used_by is not None:
            return "used"
        if self.revoked:
            return "revoked"
        return "expired" if self.expires_at <= now else "unused"


class TokenOffice:
    """Issues and redeems deployment tokens. Not thread-safe by itself: the world's lock guards it."""

    def __init__(self) -> None:
        self._by_value: dict[str, Token] = {}

    def issue(self, now: datetime, lifetime: float) -> Token:
        """Make a token that is good for ``lifetime`` seconds."""
        token = Token(id=secrets.token_hex(8), value=secrets.token_urlsafe(32), expires_at=now + timedelta(seconds=lifetime))
        self._by_value[token.value] = token
        return token

    def redeem(self, value: str, instance_id: str, now: datetime) -> None:
        """Use a token up.

        :raises TokenRefused: if it does not exist, is used, revoked or expired.
        """
        token = self._by_value.get(value)
        if token is None:
            raise TokenRefused("the deployment token is not valid")
        state = token.state(now)
        if state != "unused":
            raise TokenRefused(f"the deployment token is {state}")
        token.used_by = instance_id

    def revoke(self, token_id: str) -> bool:
        """Make a token worthless; ``False`` if there is none with this id."""
        for token in self._by_value.values():
            if token.id == token_id:
                token.revoked = True
                return True
        return False

    def values(self) -> list[str]:
        """Return all tokens ever issued."""
        return list(self._by_value)

    def count(self, now: datetime) -> dict[TokenState, int]:
        """Count the tokens by state."""
        counts: dict[TokenState, int] = {"unused": 0, "used": 0, "revoked": 0, "expired": 0}
        for token in self._by_value.values():
            counts[token.state(now)] += 1
        return counts
