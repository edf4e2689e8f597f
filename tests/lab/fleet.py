# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab consists of: the fleet file's schema.

Every field has a default, so a fleet file names only what matters to it. Anything unknown or of the wrong type is refused.
"""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

LOG_NAMES = ("system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection")

LogName = t.Literal["system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection"]
Deployment = t.Literal["inline", "gateway_load_balancer", "hosted"]


class FleetError(Exception):
    """The fleet file cannot be used; ``str()`` says where and why."""


class Spec(BaseModel):
    """Base of all parts of a fleet: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LogTypeSpec(Spec):
    """Streaming of one log type to CloudWatch."""

    group: str
    stream: str | None = None
    enabled: bool = True


class ApplianceSpec(Spec):
    """One appliance.

    :ivar instance_id: made from the name unless given, so that it is the same in every lab.
    :ivar registered_days_ago: age of the certificate. For ``registered: false`` it is when the appliance was registered last.
    :ivar registered_on_appliance: what the appliance itself believes, where it differs from ``registered`` (what the API lists).
    :ivar deployed_days_ago: age of the root volume; by default the appliance was registered when it was deployed.
    :ivar restarted_days_ago: when the instance was started last (EC2's launch time); by default when it was deployed.
    :ivar supports_tokens: whether ``cloudone register`` takes a deployment token; an API key is always taken.
    :ivar registration_delay: seconds from ``cloudone register`` until the API lists the appliance.
    :ivar registration_blocks: whether ``cloudone register`` returns only after that time.
    :ivar registration_loses: settings that are back to their defaults after a registration.
    :ivar new_id_on_registration: whether the API lists a re-registered appliance under a new ID.
    :ivar ssh_standing_rule: the management security group lets the bastion in all the time.
    :ivar extra_security_groups: further groups on the management interface (AWS allows five in all).
    :ivar listed_twice: the API also lists a stale entry of the same instance.
    :ivar migration: state of a running appliance migration as ``GET /appliancemigrations`` reports it.
    :ivar offers_ssl_inspection: whether the log type ``sslInspection`` exists.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    instance_id: str = Field(default="", pattern=r"^$|^i-[0-9a-f]{8,17}$")
    deployment: Deployment = "inline"
    region: str = Field(default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    instance_type: str = "c5n.2xlarge"
    instance_role: bool = True
    tags: dict[str, str] = {}

    registered: bool = True
    registered_on_appliance: bool | None = None
    registered_days_ago: float = Field(default=30, ge=0)
    deployed_days_ago: float | None = Field(default=None, ge=0)
    restarted_days_ago: float | None = Field(default=None, ge=0)

    supports_tokens: bool = True
    registration_delay: float = Field(default=0, ge=0)
    registration_blocks: bool = False
    registration_loses: list[t.Literal["log_types", "profile"]] = []
    new_id_on_registration: bool = True
    listed_twice: bool = False
    migration: t.Literal["start", "downloading", "finish"] | None = None

    tos_version: str | None = "2023.6.0.12190"
    dv_version: str | None = "4.0.0.9750"
    offers_ssl_inspection: bool = True
    log_types: dict[LogName, LogTypeSpec] = {}
    profile: str | None = "Default-Profile"

    host_name: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]*$")
    banner: str = ""
    pager: int = Field(default=0, ge=0)
    confirmations: bool = False
    colours: bool = False
    wrap_echo: bool = False
    ssh_standing_rule: bool = False
    extra_security_groups: int = Field(default=0, ge=0, le=4)

    @model_validator(mode="before")
    @classmethod
    def _fill_names(cls, data: t.Any) -> t.Any:
        """Derive the instance id from the name, and the host name from the instance id as appliances do."""
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            return data
        filled = dict(data)
        filled["instance_id"] = filled.get("instance_id") or "i-" + hashlib.sha256(filled["name"].encode()).hexdigest()[:17]
        filled["host_name"] = filled.get("host_name") or filled["instance_id"]
        return filled

    @property
    def in_aws(self) -> bool:
        """Whether the instance is in the user's AWS account; a hosted appliance is in the vendor's."""
        return self.deployment != "hosted"

    @property
    def offered_log_types(self) -> tuple[str, ...]:
        """The log types that the API reports for this appliance."""
        return LOG_NAMES if self.offers_ssl_inspection else LOG_NAMES[:-1]


class ProfileSpec(Spec):
    """A policy profile of the account."""

    id: int
    name: str


class DeploymentTokenSpec(Spec):
    """The endpoint for deployment tokens. The vendor documents none, so everything about it can be set.

    :ivar path: below the API's base; ``null`` switches the endpoint off.
    :ivar lifetime: seconds after which a token is refused.
    :ivar body_fields: fields that the request body must have, and no other.
    """

    path: str | None = Field(default="/deploymenttokens", pattern=r"^(/[\w.-]+)+$")
    token_field: str = "token"
    id_field: str = "id"
    lifetime: float = Field(default=3600, gt=0)
    body_fields: list[str] = []


class ApiSpec(Spec):
    """How the Network Security API behaves.

    :ivar delay: seconds that every answer takes.
    :ivar unnamed_log_types: what a POST of log types does to those it does not name (the vendor does not document it).
    """

    delay: float = Field(default=0, ge=0)
    unnamed_log_types: t.Literal["kept", "reset"] = "kept"
    deployment_tokens: DeploymentTokenSpec = DeploymentTokenSpec()


class AwsSpec(Spec):
    """How AWS behaves.

    :ivar denied_actions: IAM actions (``ec2:CreateSecurityGroup``; ``*`` and ``?`` as in IAM) that the lab's user has no right to.
    :ivar regions_off: regions that the account has not enabled.
    """

    denied_actions: list[str] = []
    regions_off: list[str] = []


class Fleet(Spec):
    """The whole lab."""

    api: ApiSpec = ApiSpec()
    aws: AwsSpec = AwsSpec()
    profiles: list[ProfileSpec] = [ProfileSpec(id=1, name="Default-Profile")]
    appliances: list[ApplianceSpec]

    @model_validator(mode="after")
    def _check_references(self) -> Fleet:
        """Names and instance ids are unique; every named profile exists."""
        for what in ("name", "instance_id"):
            values = [getattr(appliance, what) for appliance in self.appliances]
            twice = {value for value in values if values.count(value) > 1}
            if twice:
                raise ValueError(f"{what} used twice: {', '.join(sorted(twice))}")
        known = {profile.name for profile in self.profiles}
        unknown = {appliance.profile for appliance in self.appliances if appliance.profile is not None} - known
        if unknown:
            raise ValueError(f"unknown profile: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
        return self


def parse_fleet(data: t.Any) -> Fleet:
    """Check a fleet given as plain data.

    :raises FleetError: naming each field that is wrong.
    """
    try:
        return Fleet.model_validate(data)
    except ValidationError as error:
        problems = "\n".join(f"  {'.'.join(str(part) for part in item['loc']) or 'fleet'}: {item['msg']}" for item in error.errors())
        raise FleetError(f"This is no usable fleet:\n{problems}") from None


def load_fleet(path: Path) -> Fleet:
    """Read a fleet file.

    :raises FleetError: if it cannot be read, is no YAML, or describes no valid fleet.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FleetError(f"Cannot read the fleet file {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise FleetError(f"The fleet file {path} is no valid YAML: {error}") from error
    try:
        return parse_fleet(data)
    except FleetError as error:
        raise FleetError(f"{path}: {error}") from None
