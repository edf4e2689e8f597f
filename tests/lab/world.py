# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one truth behind the API, the appliances and AWS."""

from __future__ import annotations

import hmac
import threading
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lab.appliance_cli.interface import NotRegistered, Registration, RegistrationRefused
from lab.appliance_logs import event_entries
from lab.appliance_state import (
    ApiEntry,
    ApplianceState,
    CredentialKind,
    Distribution,
    LogType,
    RegistrationEvent,
    configured_log_types,
    default_log_types,
)
from lab.certificate import Certificate
from lab.deployment_tokens import Token, TokenOffice, TokenRefused
from lab.fleet import ApplianceSpec, Fleet
from lab.placement import Network, Placement
from lab.system_log import BEGINNING, Entry, past_system_entries, system_entries

SSH_PORT = 22
# What an appliance still sends of its system log when streaming begins; CloudWatch takes no older events.
BACKLOG = timedelta(days=14)
LEFT_UNREGISTERED_SINCE = timedelta(hours=1)
STALE_ENTRY_AGE = timedelta(days=1)


class UnknownId(Exception):
    """There is no such entry in the API."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def _past_certificates(spec: ApplianceSpec, now: datetime) -> list[Certificate]:
    """Return the certificates that an appliance had until now: one per registration."""
    registered_at = now - timedelta(days=spec.registered_days_ago)
    certificates = [Certificate(registered_at)]
    if spec.deployed_days_ago is not None and spec.deployed_days_ago > spec.registered_days_ago:
        certificates.insert(0, Certificate(now - timedelta(days=spec.deployed_days_ago), given_up_at=registered_at))
    return certificates


class World:
    """All appliances and the API's view of them. Every public method is thread-safe.

    Nothing happens by timer: a registration that takes a while is an entry whose ``listed_at`` lies ahead.

    :param placements: place of each instance, by instance id.
    :param network: decides who reaches an appliance's SSH.
    :param clock: returns the present time with time zone.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        api_key: str,
        placements: Mapping[str, Placement],
        network: Network,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.fleet = fleet
        self.started_at = clock()
        self.appliances: dict[str, ApplianceState] = {}
        self._api_key = api_key
        self._network = network
        self._clock = clock
        self.lock = threading.RLock()
        self._tokens = TokenOffice()
        self._entries: dict[int, ApiEntry] = {}
        self._distributions: list[Distribution] = []
        self._last_api_id = 0
        for spec in fleet.appliances:
            self._add(spec, placements[spec.instance_id])

    def _add(self, spec: ApplianceSpec, placement: Placement) -> None:
        """Put an appliance into the world as the fleet file describes it."""
        now = self.started_at
        certificates = _past_certificates(spec, now)
        registered = spec.registered if spec.registered_on_appliance is None else spec.registered_on_appliance
        if not registered:
            certificates[-1] = replace(certificates[-1], given_up_at=now - LEFT_UNREGISTERED_SINCE)
        profile_id = self._first_profile_id(spec)
        state = ApplianceState(spec, placement, registered, certificates, configured_log_types(spec), profile_id)
        self.appliances[spec.instance_id] = state
        api_id = self._next_api_id()
        for certificate in certificates:
            state.registrations.append(RegistrationEvent(certificate.issued_at, certificate.issued_at, "initial", api_id))
        if profile_id is not None:
            self._distributions.append(self._distribution(api_id, profile_id, certificates[-1].issued_at, "distributed"))
        if spec.registered:
            self._list(ApiEntry(api_id, spec.instance_id, certificates[-1].issued_at))
        if spec.listed_twice:
            self._list(ApiEntry(self._next_api_id(), spec.instance_id, now - STALE_ENTRY_AGE))

    def _first_profile_id(self, spec: ApplianceSpec) -> int | None:
        """Return the profile that an appliance has at the start."""
        return next((profile.id for profile in self.fleet.profiles if profile.name == spec.profile), None)

    def _list(self, entry: ApiEntry) -> None:
        """Put an entry into the API's list."""
        self._entries[entry.id] = entry
        self.appliances[entry.instance_id].entries.append(entry)

    def _unlist(self, entry: ApiEntry) -> None:
        """Take an entry out of the API's list."""
        del self._entries[entry.id]
        self.appliances[entry.instance_id].entries.remove(entry)

    def _next_api_id(self) -> int:
        self._last_api_id += 1
        return self._last_api_id

    def _distribution(self, api_id: int, profile_id: int, at: datetime, state: t.Literal["pending", "distributed"]) -> Distribution:
        return Distribution(len(self._distributions) + 1, api_id, profile_id, at, state)

    def now(self) -> datetime:
        """Return the world's time."""
        return self._clock()

    # What the appliances do ------------------------------------------------------------------------------------------------

    def register(self, instance_id: str, credential: str) -> Registration:
        """Carry out ``cloudone register`` on an appliance; the API lists it ``registration_delay`` seconds later.

        :param credential: a deployment token, which is used up, or the API key.
        :raises RegistrationRefused: if the credential is not accepted, or the appliance believes that it is registered.
        """
        with self.lock:
            state, now = self.appliances[instance_id], self.now()
            if state.registered:
                raise RegistrationRefused("this appliance is already registered, use 'cloudone unregister' first")
            kind = self._accept_credential(state.spec, credential, now)
            listed_at = now + timedelta(seconds=state.spec.registration_delay)
            state.registered = True
            state.certificates.append(Certificate(now))
            self._lose_settings(state)
            api_id = self._enter(state, listed_at)
            state.registrations.append(RegistrationEvent(now, listed_at, kind, api_id))
            return Registration(seconds=state.spec.registration_delay, blocks=state.spec.registration_blocks)

    def _accept_credential(self, spec: ApplianceSpec, credential: str, now: datetime) -> CredentialKind:
        """Check the credential as the appliance and the API together do."""
        if hmac.compare_digest(credential.encode(), self._api_key.encode()):
            return "api_key"
        if not spec.supports_tokens:
            raise RegistrationRefused("the API key is not valid")
        try:
            self._tokens.redeem(credential, spec.instance_id, now)
        except TokenRefused as error:
            raise RegistrationRefused(str(error)) from None
        return "token"

    @staticmethod
    def _lose_settings(state: ApplianceState) -> None:
        """Forget what a registration of this appliance loses."""
        if "log_types" in state.spec.registration_loses:
            state.log_types = default_log_types(state.spec)
        if "profile" in state.spec.registration_loses:
            state.profile_id = None

    def _enter(self, state: ApplianceState, listed_at: datetime) -> int:
        """Make the API's entry for a registration. An old entry that nobody unregistered stays beside it."""
        last_id = state.registrations[-1].api_id
        if state.spec.new_id_on_registration:
            last_id = self._next_api_id()
        elif last_id in self._entries:
            return last_id
        self._list(ApiEntry(last_id, state.instance_id, listed_at))
        return last_id

    def unregister_on_appliance(self, instance_id: str) -> None:
        """Carry out ``cloudone unregister`` on an appliance. The API's entry stays: that is unregistered apart.

        :raises NotRegistered: if the appliance holds no registration.
        """
        with self.lock:
            state, now = self.appliances[instance_id], self.now()
            if not state.registered:
                raise NotRegistered
            state.registered = False
            state.certificates[-1] = replace(state.certificate, given_up_at=now)
            state.unregistered_on_appliance_at.append(now)
            for under_way in [entry for entry in state.entries if entry.listed_at > now]:
                self._unlist(under_way)

    def registered_on_appliance(self, instance_id: str) -> bool:
        """Whether the appliance itself believes that it is registered."""
        with self.lock:
            return self.appliances[instance_id].registered

    def certificate_expired(self, instance_id: str) -> bool:
        """Whether the certificate that the appliance holds has expired."""
        with self.lock:
            return self.appliances[instance_id].certificate.expired(self.now())

    def communicates(self, instance_id: str) -> bool:
        """Whether the appliance takes what the API sends it: registered on both sides, with a valid certificate."""
        with self.lock:
            return self.appliances[instance_id].registered and not self.certificate_expired(instance_id) and bool(self.api_ids(instance_id))

    def settings_as_at_start(self, instance_id: str) -> bool:
        """Whether the appliance's profile and log streaming are those that it had when the lab started."""
        with self.lock:
            state = self.appliances[instance_id]
            return state.profile_id == self._first_profile_id(state.spec) and state.log_types == configured_log_types(state.spec)

    def log_entries(self, instance_id: str, log_name: str, *, after: datetime, until: datetime) -> list[Entry]:
        """Return what the appliance wrote into one of its logs in a time span, oldest first."""
        with self.lock:
            state = self.appliances[instance_id]
            if log_name == "system":
                entries = system_entries(state.certificates, started_at=self.started_at, after=after, until=until)
            else:
                entries = event_entries(log_name, traffic=state.spec.traffic, started_at=self.started_at, after=after, until=until)
            # While its instance was off, it wrote nothing.
            return [entry for entry in entries if not self._stopped_at(state) < entry.time <= self.started_at]

    def past_system_entries(self, instance_id: str) -> list[Entry]:
        """Return what the appliance wrote into its system log until the lab started, as far as CloudWatch was sent it, oldest first."""
        state = self.appliances[instance_id]
        return past_system_entries(state.certificates, after=self.streamed_since(instance_id) - BACKLOG, until=self._stopped_at(state))

    def streamed_since(self, instance_id: str) -> datetime:
        """Return when the appliance began to stream its system log, if that was before the lab started; else when that was."""
        log_type = self.appliances[instance_id].spec.log_types.get("system")
        return self.started_at - timedelta(days=log_type.streamed_days if log_type else 0)

    def _stopped_at(self, state: ApplianceState) -> datetime:
        """Return since when the instance does not run, at the latest since the lab started; it may have been started since."""
        return self.started_at - timedelta(days=state.spec.stopped_days_ago)

    def system_log(self, instance_id: str) -> list[str]:
        """Return the lines of the appliance's system log, oldest first, with the times of its own clock."""
        spec = self.appliances[instance_id].spec
        entries = self.log_entries(instance_id, "system", after=BEGINNING, until=self.now())
        return [entry.dated(spec.clock_ahead).line(spec.host_name) for entry in entries] + spec.log_lines

    def ssh_allowed(self, instance_id: str, source_address: str) -> bool:
        """Whether the security groups on the management interface let this address reach the appliance's SSH."""
        return self._network.admits(instance_id, source_address, SSH_PORT)

    # What the API does -----------------------------------------------------------------------------------------------------

    def listed(self) -> list[tuple[int, ApplianceState]]:
        """Return what the API lists now, by ID."""
        with self.lock:
            now = self.now()
            return [(entry.id, self.appliances[entry.instance_id]) for entry in self._entries.values() if entry.listed_at <= now]

    def api_ids(self, instance_id: str) -> list[int]:
        """Return the IDs under which the API lists an instance: normally one."""
        with self.lock:
            now = self.now()
            return [entry.id for entry in self.appliances[instance_id].entries if entry.listed_at <= now]

    def appliance_by_api_id(self, api_id: int) -> ApplianceState:
        """Look an entry up.

        :raises UnknownId: if the API does not list it.
        """
        with self.lock:
            entry = self._entries.get(api_id)
            if entry is None or entry.listed_at > self.now():
                raise UnknownId(api_id)
            return self.appliances[entry.instance_id]

    def unregister_in_api(self, api_id: int) -> None:
        """Remove an entry. The appliance itself does not notice.

        :raises UnknownId: if the API does not list it.
        """
        with self.lock:
            state = self.appliance_by_api_id(api_id)
            state.unregistered_in_api_at.append(self.now())
            self._unlist(self._entries[api_id])

    def log_types(self, api_id: int) -> list[LogType]:
        """Return the log streaming of an appliance, every type it offers.

        :raises UnknownId: if the API does not list it.
        """
        with self.lock:
            return [replace(log_type) for log_type in self.appliance_by_api_id(api_id).log_types.values()]

    def set_log_types(self, api_id: int, changes: t.Iterable[LogType]) -> None:
        """Change the log streaming of an appliance, which takes the new configuration when it communicates.

        :raises UnknownId: if the API does not list it.
        """
        with self.lock:
            state = self.appliance_by_api_id(api_id)
            kept = default_log_types(state.spec) if self.fleet.api.unnamed_log_types == "reset" else state.log_types
            state.log_types = kept | {change.logName: replace(change) for change in changes}

    def distribute(self, api_id: int, profile_id: int) -> Distribution:
        """Send a profile to an appliance; it arrives if the appliance communicates.

        :raises UnknownId: if the API lists no such appliance, or the account has no such profile.
        """
        with self.lock:
            state = self.appliance_by_api_id(api_id)
            if profile_id not in {profile.id for profile in self.fleet.profiles}:
                raise UnknownId(profile_id)
            arrives = self.communicates(state.instance_id)
            if arrives:
                state.profile_id = profile_id
            distribution = self._distribution(api_id, profile_id, self.now(), "distributed" if arrives else "pending")
            self._distributions.append(distribution)
            return distribution

    def distributions(self) -> list[Distribution]:
        """Return all distributions, oldest first, also those to entries that are gone."""
        with self.lock:
            return list(self._distributions)

    def issue_token(self, lifetime: float | None = None) -> Token:
        """Make a deployment token.

        :param lifetime: seconds; as the fleet says if not given.
        """
        with self.lock:
            return self._tokens.issue(self.now(), self.fleet.api.deployment_tokens.lifetime if lifetime is None else lifetime)

    def revoke_token(self, token_id: str) -> bool:
        """Make a deployment token worthless; ``False`` if there is none with this id."""
        with self.lock:
            return self._tokens.revoke(token_id)

    def token_values(self) -> list[str]:
        """Return all deployment tokens ever issued."""
        with self.lock:
            return self._tokens.values()

    def count_tokens(self) -> dict[t.Literal["unused", "used", "revoked", "expired"], int]:
        """Count the deployment tokens by state."""
        with self.lock:
            return self._tokens.count(self.now())

    def migrations(self) -> list[tuple[int, str]]:
        """Return the appliance migrations: ID of the appliance in the API, and state."""
        return [(api_id, state.spec.migration) for api_id, state in self.listed() if state.spec.migration is not None]
