# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab consists of: the fleet file's schema.

Every field has a default, so a fleet file names only what matters to it. Anything unknown or of the wrong type is refused.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections import Counter
from datetime import timedelta
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

LOG_NAMES = ("system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection")

LogName = t.Literal["system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection"]
Deployment = t.Literal["inline", "gateway_load_balancer", "hosted"]
InstanceState = t.Literal["running", "stopped", "terminated", "gone"]
# What the vendor's template allows the instance role.
RoleAction = t.Literal[
    "cloudwatch:PutMetricData",
    "logs:DescribeLogStreams",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ec2:DescribeTags",
]

AccountId = t.Annotated[str, Field(pattern=r"^\d{12}$")]
# The AWS account of the lab's user; moto's own for whoever it does not know.
OWN_ACCOUNT_ID = "123456789012"
StackStatus = t.Literal[
    "CREATE_IN_PROGRESS",
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
]

# What the vendor's stack forwards.
EVENT_BUS_SOURCES = (
    *("aws.s3", "aws.ec2", "aws.elasticloadbalancing", "aws.autoscaling", "aws.cloudformation", "aws.iam", "aws.dynamodb", "aws.rds"),
    *("aws.lambda", "aws.cloudfront", "aws.organizations", "aws.config", "aws.guardduty", "aws.cloudtrail", "aws.route53domains"),
    *("aws.kms", "aws.route53", "aws.sts", "aws.ecs", "aws.securityhub", "aws.signin", "aws.macie"),
)


class FleetError(Exception):
    """The fleet file cannot be used; ``str()`` says where and why."""


class Spec(BaseModel):
    """Base of all parts of a fleet: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LogTypeSpec(Spec):
    """Streaming of one log type to CloudWatch.

    :ivar streamed_days: for how long it has been streamed when the lab starts; only for ``system``, of which alone there is a past.
    """

    group: str
    stream: str | None = None
    enabled: bool = True
    streamed_days: float = Field(default=0, ge=0)


class ApplianceSpec(Spec):
    """One appliance.

    :ivar instance_id: made from the name unless given, so that it is the same in every lab.
    :ivar account: AWS account of the instance: the lab's own, or one of ``aws.accounts``.
    :ivar instance_state: a terminated instance is shown by EC2 for a while; when it is ``gone``, EC2 does not know it any more.
    :ivar instance_role_lacks: actions that its role does not allow; the appliance gets a role of its own then.
    :ivar stopped_days_ago: since when an instance does not run that is not ``running``.
    :ivar registered_days_ago: age of the certificate. For ``registered: false`` it is when the appliance was registered last.
    :ivar registered_on_appliance: what the appliance itself believes, where it differs from ``registered`` (what the API lists).
    :ivar deployed_days_ago: age of the root volume; by default the appliance was registered when it was deployed.
    :ivar registration_tag: whether the instance has the tag with the time of registration that a renewal by this collection writes.
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
    :ivar clock_ahead_hours: how far the appliance's own clock is ahead, or behind.
    :ivar listed_host_name: what the API lists as its host name, where it differs from ``host_name``.
    :ivar log_lines: what its system log has besides, without time and host name.
    :ivar traffic: whether something passes through it that it writes events about; without, only ``system``, ``audit`` and ``host`` are written.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    instance_id: str = Field(default="", pattern=r"^$|^i-[0-9a-f]{8,17}$")
    deployment: Deployment = "inline"
    account: AccountId = OWN_ACCOUNT_ID
    region: str = Field(default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    instance_state: InstanceState = "running"
    instance_type: str = "c5n.2xlarge"
    instance_role: bool = True
    instance_role_lacks: list[RoleAction] = []
    tags: dict[str, str] = {}

    stopped_days_ago: float = Field(default=0, ge=0)
    registered: bool = True
    registered_on_appliance: bool | None = None
    registered_days_ago: float = Field(default=30, ge=0)
    deployed_days_ago: float | None = Field(default=None, ge=0)
    restarted_days_ago: float | None = Field(default=None, ge=0)
    registration_tag: bool = False

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
    clock_ahead_hours: float = 0
    traffic: bool = True
    profile: str | None = "Default-Profile"

    host_name: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]*$")
    listed_host_name: str | None = None
    log_lines: list[str] = []
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

    @model_validator(mode="after")
    def _check_role(self) -> t.Self:
        """Only a role can lack something."""
        if self.instance_role_lacks and not self.instance_role:
            raise ValueError("instance_role_lacks needs instance_role")
        return self

    @model_validator(mode="after")
    def _check_account(self) -> t.Self:
        """A hosted appliance is in the vendor's account."""
        if self.deployment == "hosted" and self.account != OWN_ACCOUNT_ID:
            raise ValueError("a hosted appliance takes no account: it is in the vendor's")
        return self

    @model_validator(mode="after")
    def _check_log_types(self) -> t.Self:
        """Only the system log has a past."""
        if any(log_type.streamed_days for name, log_type in self.log_types.items() if name != "system"):
            raise ValueError("streamed_days is for the log type system only")
        return self

    @property
    def clock_ahead(self) -> timedelta:
        """How far the appliance's own clock is ahead of the true time."""
        return timedelta(hours=self.clock_ahead_hours)

    @property
    def in_aws(self) -> bool:
        """Whether an AWS account of the user's has the instance; a hosted appliance is in the vendor's."""
        return self.deployment != "hosted" and self.instance_state != "gone"

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


# The regions in which the vendor's script sets monitoring up, in its order.
RTM_REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1"),
    *("eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1", "ca-central-1", "me-south-1", "ap-east-1", "af-south-1"),
    *("eu-south-1", "ap-northeast-3"),
)


class RtmSpec(Spec):
    """What stands of Conformity's real-time monitoring in a region when the lab starts.

    :ivar stack: state of the stack; ``null`` for a rule without a stack.
    :ivar then: state that follows, ``stack_seconds`` after the start; only from a state that is in progress.
    :ivar template: ``current`` as the vendor's, or ``older``, whose pattern has no ``eventCategory``.
    :ivar vendor_tags: the tags that the vendor's script sets.
    :ivar stack_name: ``StackSet-<name>-<uuid>`` for a stack that a StackSet made.
    :ivar rule: what somebody did to the rule directly. A stack that was never complete has none.
    :ivar target: what somebody did to its target directly.
    :ivar pattern: what somebody did to its event pattern directly.
    """

    stack: StackStatus | None = "CREATE_COMPLETE"
    then: StackStatus | None = None
    stack_seconds: float = Field(default=0, ge=0)
    stack_name: str = Field(default="CloudConformityMonitoring", pattern=r"^[a-zA-Z][-a-zA-Z0-9]*$")
    template: t.Literal["current", "older"] = "current"
    vendor_tags: bool = True
    tags: dict[str, str] = {}
    event_bus_account_id: AccountId | None = None
    event_bus_sources: list[str] = list(EVENT_BUS_SOURCES)
    termination_protection: bool = False
    rule: t.Literal["enabled", "disabled", "missing"] = "enabled"
    target: t.Literal["right", "other", "missing"] = "right"
    pattern: t.Literal["right", "other"] = "right"


class AwsAccountSpec(Spec):
    """How an AWS account is.

    :ivar denied_actions: IAM actions (``ec2:CreateSecurityGroup``; ``*`` and ``?`` as in IAM) that the lab's user has no right to.
    :ivar policy: a policy document: nothing but what it allows is allowed to whoever acts in the account from outside. ``null`` allows all.
    :ivar regions_off: regions that the account has not enabled.
    :ivar trail: the account's CloudTrail trail, in us-east-1.
    :ivar rtm: real-time monitoring at the start by region; ``all`` for all other regions of monitoring that are on.
    """

    denied_actions: list[str] = []
    policy: dict[str, JsonValue] | None = None
    regions_off: list[str] = []
    trail: t.Literal["none", "stopped", "single_region", "multi_region"] = "none"
    rtm: dict[str, RtmSpec] = {}

    @model_validator(mode="after")
    def _check_rtm(self) -> t.Self:
        """Real-time monitoring is where it can be."""
        unknown = sorted(set(self.rtm) - {"all", *RTM_REGIONS})
        if unknown:
            raise ValueError(f"real-time monitoring is not offered in: {', '.join(unknown)}")
        return self


class FurtherAccountSpec(AwsAccountSpec):
    """An AWS account besides the lab's own. Its role is for the lab's user to assume.

    :ivar external_id: what has to be said to assume it.
    """

    id: AccountId
    role: str = Field(default="conformity-rtm", pattern=r"^[\w+=,.@-]{1,64}$")
    external_id: str | None = Field(default=None, min_length=2, max_length=1224, pattern=r"^[\w+=,.@:/-]+$")

    @property
    def role_arn(self) -> str:
        """ARN of the role."""
        return f"arn:aws:iam::{self.id}:role/{self.role}"


class CloudFormationSpec(Spec):
    """How long stacks take.

    :ivar operation_seconds: every operation on a stack; a rollback takes as long again.
    :ivar region_seconds: the same for single regions.
    """

    operation_seconds: float = Field(default=0, ge=0)
    region_seconds: dict[str, t.Annotated[float, Field(ge=0)]] = {}

    def seconds(self, region: str) -> float:
        """Return how long an operation takes in a region."""
        return self.region_seconds.get(region, self.operation_seconds)


class OrganizationSpec(Spec):
    """The AWS organization that the lab's own account manages.

    :ivar units: organizational units below the root: name, and the accounts in it.
    :ivar stack_sets_trusted: whether StackSets have trusted access to it.
    """

    units: dict[str, list[AccountId]] = {}
    stack_sets_trusted: bool = True


class AwsSpec(AwsAccountSpec):
    """How AWS behaves, and the account of the lab's user.

    :ivar delay: seconds that every answer takes.
    :ivar log_delivery_interval: seconds between two deliveries of the appliances' logs to CloudWatch.
    :ivar log_stream_created: when an appliance creates a log stream: when streaming is switched on, or with the first event (not documented).
    :ivar sts_us_east_1: what a session stands for that was asked of STS in us-east-1: the regional or the global endpoint.
    """

    delay: float = Field(default=0, ge=0)
    log_delivery_interval: float = Field(default=0.2, gt=0)
    log_stream_created: t.Literal["at_once", "first_event"] = "at_once"
    sts_us_east_1: t.Literal["regional", "global"] = "regional"
    cloudformation: CloudFormationSpec = CloudFormationSpec()
    accounts: list[FurtherAccountSpec] = []
    organization: OrganizationSpec | None = None


class ConformityAccountSpec(Spec):
    """An account that Conformity knows. Several may stand for the same AWS account.

    :ivar id: made from the name unless given.
    :ivar has_real_time_monitoring: as the subscription allows unless given. Without it events are not taken.
    :ivar last_event_days_ago: age of the last event that was taken before the lab started; ``null`` for none.
    :ivar sample: which of the documented samples the API's answers are like: ``older`` has ``has-real-time-monitoring`` and the AWS account's id
        as text, ``newer`` has no such flag and the id as a number.
    """

    name: str
    id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]*$")
    environment: str = "production"
    aws_account_id: AccountId
    subscription: t.Literal["advanced", "essentials"] = "advanced"
    has_real_time_monitoring: bool | None = None
    last_event_days_ago: float | None = Field(default=None, ge=0)
    sample: t.Literal["older", "newer"] = "newer"

    @model_validator(mode="before")
    @classmethod
    def _fill_id(cls, data: t.Any) -> t.Any:
        """Derive the id from the name."""
        if not isinstance(data, dict) or not isinstance(data.get("name"), str) or data.get("id"):
            return data
        return {**data, "id": hashlib.sha256(data["name"].encode()).hexdigest()[:22]}


class CommunicationSettingSpec(Spec):
    """A communication setting that is there from the start; its fields are those of the API's attributes.

    :ivar account: id of the account in Conformity that it is for; ``null`` for all.
    """

    channel: str
    account: str | None = None
    enabled: bool = True
    manual: bool = False
    filter: dict[str, list[str]] = {}
    configuration: dict[str, str | bool | list[str]] = {}


class ConformitySpec(Spec):
    """Conformity: its API and what it knows.

    :ivar delay: seconds that every answer of the API takes.
    :ivar event_delay: seconds from a call to AWS until Conformity has its event.
    :ivar event_bus_account_id: Conformity's own AWS account, whose event buses take the events.
    :ivar account_data: what ``data`` is in the answer about one account: the vendor's samples have both.
    """

    delay: float = Field(default=0, ge=0)
    event_delay: float = Field(default=0.2, ge=0)
    event_bus_account_id: AccountId = "717210094962"
    account_data: t.Literal["list", "object"] = "object"
    accounts: list[ConformityAccountSpec] = []
    communication_settings: list[CommunicationSettingSpec] = []


class Fleet(Spec):
    """The whole lab.

    :ivar ssh: whether the appliances' SSH runs. Thousands that only the API and AWS are asked about need none.
    """

    ssh: bool = True
    api: ApiSpec = ApiSpec()
    aws: AwsSpec = AwsSpec()
    conformity: ConformitySpec = ConformitySpec()
    profiles: list[ProfileSpec] = [ProfileSpec(id=1, name="Default-Profile")]
    appliances: list[ApplianceSpec]

    @model_validator(mode="after")
    def _check_references(self) -> Fleet:
        """Names and instance ids are unique; every named profile and account exists."""
        for what in ("name", "instance_id"):
            values = Counter(getattr(appliance, what) for appliance in self.appliances)
            twice = {value for value, times in values.items() if times > 1}
            if twice:
                raise ValueError(f"{what} used twice: {', '.join(sorted(twice))}")
        known = {profile.name for profile in self.profiles}
        unknown = {appliance.profile for appliance in self.appliances if appliance.profile is not None} - known
        if unknown:
            raise ValueError(f"unknown profile: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
        strange = {appliance.account for appliance in self.appliances} - {OWN_ACCOUNT_ID, *(account.id for account in self.aws.accounts)}
        if strange:
            raise ValueError(f"appliances in an account that is not in aws.accounts: {', '.join(sorted(strange))}")
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
