# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Conformity knows: accounts, events that reached its buses, and communication settings. Thread-safe."""

from __future__ import annotations

import copy
import secrets
import threading
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.fleet import ConformityAccountSpec, ConformitySpec

Json = dict[str, t.Any]
Subscription = t.Literal["advanced", "essentials"]

DAY = 86400.0
# A setting of the organisation belongs to no account.
Level = str | None


@dataclass(frozen=True)
class MonitoringEvent:
    """An event that reached a bus.

    :ivar at: seconds since the epoch, when the call was made; :ivar:`arrives_at` when Conformity has it.
    """

    id: str
    aws_account_id: str
    region: str
    name: str
    service: str
    identity: str
    at: float
    arrives_at: float


@dataclass
class ConformityAccount:
    """An account of Conformity."""

    spec: ConformityAccountSpec
    subscription: Subscription
    has_real_time_monitoring: bool
    first_event_at: float | None
    events: list[MonitoringEvent] = field(default_factory=list)


@dataclass
class CommunicationSetting:
    """A communication setting; its attributes are those of the API."""

    id: str
    account_id: Level
    attributes: Json


class ConformityWorld:
    """Everything behind the API.

    :param clock: returns seconds since the epoch.
    """

    def __init__(self, spec: ConformitySpec, clock: Callable[[], float] = time.time) -> None:
        self.spec = spec
        self._clock = clock
        self._lock = threading.RLock()
        started_at = clock()
        self._accounts = {account.id: _account(account, started_at) for account in spec.accounts}
        self._settings: dict[str, CommunicationSetting] = {}
        for setting in spec.communication_settings:
            attributes = {"type": "communication", **setting.model_dump(exclude={"account"})}
            self.add_setting(setting.account, attributes)

    # Events ----------------------------------------------------------------------------------------------------------------

    def receive(self, *, aws_account_id: str, region: str, name: str, service: str, identity: str) -> None:
        """Take an event from a bus, for each account with this AWS account whose subscription allows it."""
        with self._lock:
            now = self._clock()
            event = MonitoringEvent(secrets.token_hex(8), aws_account_id, region, name, service, identity, now, now + self.spec.event_delay)
            for account in self._accounts.values():
                if account.spec.aws_account_id == aws_account_id and account.subscription == "advanced" and account.has_real_time_monitoring:
                    account.events.append(event)

    def events(self, account_ids: t.Collection[str]) -> list[tuple[str, MonitoringEvent]]:
        """Return the events that have arrived with their accounts' ids, latest first."""
        with self._lock:
            now = self._clock()
            found = [(account_id, event) for account_id in account_ids for event in self._accounts[account_id].events if event.arrives_at <= now]
        return sorted(found, key=lambda item: item[1].at, reverse=True)

    def last_event_at(self, account_id: str) -> float | None:
        """Return when the last event happened that has arrived from an account."""
        events = self.events([account_id])
        return events[0][1].at if events else self._accounts[account_id].first_event_at

    def events_seen(self, aws_account_id: str, region: str) -> int:
        """Count the events of a region of an AWS account that have arrived, those of an account that is listed twice once."""
        with self._lock:
            ids = [account_id for account_id, account in self._accounts.items() if account.spec.aws_account_id == aws_account_id]
        return len({event.id for _account_id, event in self.events(ids) if event.region == region})

    # Accounts --------------------------------------------------------------------------------------------------------------

    def accounts(self) -> list[ConformityAccount]:
        """Return all accounts."""
        return list(self._accounts.values())

    def account(self, account_id: str) -> ConformityAccount | None:
        """Return an account by Conformity's id."""
        return self._accounts.get(account_id)

    def subscribe(self, account_id: str, subscription: Subscription) -> None:
        """Change an account's subscription."""
        with self._lock:
            account = self._accounts[account_id]
            account.subscription = subscription
            account.has_real_time_monitoring = subscription == "advanced"

    # Communication settings ------------------------------------------------------------------------------------------------

    def settings(self, account_id: Level) -> list[CommunicationSetting]:
        """Return the settings of an account, or of the organisation."""
        with self._lock:
            return [copy.deepcopy(setting) for setting in self._settings.values() if setting.account_id == account_id]

    def setting(self, setting_id: str) -> CommunicationSetting | None:
        """Return a setting by its id."""
        with self._lock:
            return copy.deepcopy(self._settings.get(setting_id))

    def add_setting(self, account_id: Level, attributes: Json) -> CommunicationSetting:
        """Add a setting, even if there is one like it."""
        with self._lock:
            name = f"communication:{attributes['channel']}-{secrets.token_hex(5)}"
            setting = CommunicationSetting(f"{account_id}:{name}" if account_id else name, account_id, copy.deepcopy(attributes))
            self._settings[setting.id] = setting
            return copy.deepcopy(setting)

    def change_setting(self, setting_id: str, attributes: Json) -> CommunicationSetting:
        """Replace the attributes of a setting."""
        with self._lock:
            self._settings[setting_id].attributes = copy.deepcopy(attributes)
            return copy.deepcopy(self._settings[setting_id])

    def remove_setting(self, setting_id: str) -> None:
        """Remove a setting."""
        with self._lock:
            del self._settings[setting_id]


def _account(spec: ConformityAccountSpec, started_at: float) -> ConformityAccount:
    allowed = spec.subscription == "advanced" if spec.has_real_time_monitoring is None else spec.has_real_time_monitoring
    first = None if spec.last_event_days_ago is None else started_at - spec.last_event_days_ago * DAY
    return ConformityAccount(spec, spec.subscription, allowed, first)
