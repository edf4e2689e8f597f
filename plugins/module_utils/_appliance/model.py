# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Network Security API says about an appliance, as one typed value."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import printable

Json = dict[str, t.Any]

_MOST_DIGITS = 18


@dataclass(frozen=True)
class Appliance:
    """One appliance as the API lists it. What the API leaves out or leaves empty is ``None``.

    :ivar id: the API's number. It may change when the appliance registers again: identify it by ``instance_id``.
    :ivar tos_version: version of the appliance's software (``2021.1.0.11234``), which decides what it can do.
    :ivar dv_version: version of the Digital Vaccine, the filter package.
    :ivar aux_dv: further filter packages: name to version or ``None``.
    :ivar provider_metadata: every key and value that the provider gives; the known ones are fields of their own too.
    """

    id: int
    instance_id: str
    provider: str | None = None
    host_name: str | None = None
    tos_version: str | None = None
    dv_version: str | None = None
    aux_dv: dict[str, str | None] = field(default_factory=dict)
    account_id: str | None = None
    availability_zone: str | None = None
    instance_type: str | None = None
    region: str | None = None
    vpc: str | None = None
    provider_metadata: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def from_api(cls, entry: t.Any) -> Appliance:
        """Read one element of the API's ``appliances``.

        :raises ValueError: it has no numeric ``ID`` (or one that no database has), without which nothing can be done with it.
        """
        if not isinstance(entry, dict) or not is_number(entry.get("ID")):
            raise ValueError("an appliance has no numeric ID")
        metadata = {str(pair["key"]): _text(pair.get("value")) for pair in _dicts(entry.get("providerMetadata")) if pair.get("key")}
        auxiliary = entry.get("auxDv")
        return cls(
            id=int(entry["ID"]),
            instance_id=_text(entry.get("instanceId")) or "",
            provider=_text(entry.get("provider")),
            host_name=_text(entry.get("hostName")),
            tos_version=_text(entry.get("tosVersion")),
            dv_version=_text(entry.get("dvVersion")),
            aux_dv={str(name): _aux_version(package) for name, package in auxiliary.items()} if isinstance(auxiliary, dict) else {},
            account_id=metadata.get("accountId"),
            availability_zone=metadata.get("availabilityZone"),
            instance_type=metadata.get("instanceType"),
            region=metadata.get("region"),
            vpc=metadata.get("vpc"),
            provider_metadata=metadata,
        )

    def as_result(self) -> Json:
        """The same as a dictionary with the field names as keys, for a module's return value."""
        return dataclasses.asdict(self)


class ListedRepeatedly(CloudOneError):
    """The API lists an appliance more than once. Which entry is the appliance's own, nothing tells.

    :ivar appliances: all of its entries, by their numbers.
    """

    def __init__(self, appliances: t.Iterable[Appliance]) -> None:
        self.appliances = sorted(appliances, key=lambda appliance: appliance.id)
        super().__init__(
            f"{self.appliances[0].instance_id} {self.fact}. If renewals of it ran at the same time, run again; "
            "otherwise unregister the stale ones in Network > Appliances first."
        )

    @property
    def fact(self) -> str:
        """What the API does, to follow the name of the appliance."""
        return f"is listed {len(self.appliances)} times, with the IDs {', '.join(str(appliance.id) for appliance in self.appliances)}"


def version_tuple(text: str | None) -> tuple[int, ...] | None:
    """Turn a version into numbers that compare correctly: ``5.5.0.10625`` < ``2020.10.0`` < ``2021.1``.

    :returns: ``None`` if there is no version or it is not made of numbers and dots.
    """
    version = (text or "").strip()
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", version):
        return None
    return tuple(int(part) for part in version.split("."))


def is_number(value: t.Any) -> bool:
    """Whether it is a whole number of at most 18 digits, as such or in a text."""
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_MOST_DIGITS


def _text(value: t.Any) -> str | None:
    return None if value is None or value == "" else printable(str(value))


def _dicts(value: t.Any) -> list[Json]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _aux_version(package: t.Any) -> str | None:
    return _text(package.get("Version")) if isinstance(package, dict) else _text(package)
