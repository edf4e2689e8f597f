# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate that an appliance gets when it registers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(days=730)


@dataclass(frozen=True)
class Certificate:
    """A certificate and the time in which the appliance used it.

    :ivar issued_at: time of the registration.
    :ivar given_up_at: when the appliance unregistered, if it did.
    """

    issued_at: datetime
    given_up_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """End of validity."""
        return self.issued_at + LIFETIME

    def expired(self, now: datetime) -> bool:
        """Whether the validity has ended."""
        return self.expires_at <= now
