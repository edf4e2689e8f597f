# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Conformity API accepts, field by field; anything else is refused."""

from __future__ import annotations

import typing as t

from pydantic import BaseModel, Field, ValidationError, model_validator

from lab.netsec_payloads import Payload, Query

RiskLevel = t.Literal["LOW", "MEDIUM", "HIGH", "VERY_HIGH", "EXTREME"]
Category = t.Literal["security", "cost-optimisation", "reliability", "performance-efficiency", "operational-excellence", "sustainability"]
Flag = t.Literal["true", "false"]


class Refused(Exception):
    """A request is not as documented.

    :ivar problems: where, as a JSON pointer, and why.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__(str(problems))
        self.problems = problems


class NoQuery(Query):
    """For requests without parameters."""


class EventQuery(Query):
    """Parameters of ``GET /events``."""

    accountIds: str = ""
    aws: Flag = "true"
    cc: Flag = "true"
    name: str = Field(default="*", alias="filter[name]")
    regions: str = Field(default="", alias="filter[regions]")
    since: int = Field(default=0, ge=0, alias="filter[since]")
    size: int = Field(default=100, ge=1, le=1000, alias="page[size]")
    number: int = Field(default=0, ge=0, alias="page[number]")


class SettingsQuery(Query):
    """Parameters of ``GET /settings/communication``."""

    accountId: str | None = None


class SubscriptionAttributes(Payload):
    subscriptionType: t.Literal["advanced", "essentials"]


class SubscriptionData(Payload):
    attributes: SubscriptionAttributes


class SubscriptionRequest(Payload):
    """Body of ``PATCH /accounts/{id}/subscription``."""

    data: SubscriptionData


class Tag(Payload):
    key: str
    value: str


class CheckFilter(Payload):
    """Which checks a setting is about."""

    regions: list[str] | None = None
    services: list[str] | None = None
    ruleIds: list[str] | None = None
    categories: list[Category] | None = None
    riskLevels: list[RiskLevel] | None = None
    statuses: list[t.Literal["SUCCESS", "FAILURE"]] | None = None
    complianceStandards: list[str] | None = None
    tags: list[str] | None = None
    filterTags: list[str] | None = None
    suppressed: bool | None = None


class Named(Payload):
    """Every channel may have a name."""

    channelName: str | None = None


class Users(Named):
    users: list[str] = Field(min_length=1)


class Displaying(Named):
    displayIntroducedBy: bool | None = None
    displayResource: bool | None = None
    displayTags: bool | None = None
    displayExtraData: bool | None = None


Url = t.Annotated[str, Field(pattern=r"^https://[^\s]+$")]


class Slack(Displaying):
    url: Url
    channel: str = Field(min_length=1)


class PagerDuty(Named):
    serviceName: str = Field(min_length=1)
    serviceKey: str = Field(min_length=1)


class Sns(Named):
    arn: str = Field(pattern=r"^arn:aws:sns:[a-z0-9-]+:\d{12}:.+$")


class MsTeams(Displaying):
    url: Url
    channel: str | None = None


class Webhook(Named):
    url: Url
    securityToken: str | None = None


CONFIGURATIONS: dict[str, type[Payload]] = {
    "email": Users,
    "sms": Users,
    "slack": Slack,
    "pager-duty": PagerDuty,
    "sns": Sns,
    "ms-teams": MsTeams,
    "webhook": Webhook,
}


class SettingAttributes(Payload):
    """A communication setting."""

    type: t.Literal["communication"]
    channel: t.Literal["email", "sms", "slack", "pager-duty", "sns", "ms-teams", "webhook"]
    enabled: bool
    manual: bool | None = None
    filter: CheckFilter | None = None
    configuration: dict[str, t.Any]

    @model_validator(mode="after")
    def _check_configuration(self) -> t.Self:
        """The configuration is that of the channel."""
        try:
            CONFIGURATIONS[self.channel].model_validate(self.configuration)
        except ValidationError as error:
            raise Refused(*_problems(error, "/data/attributes/configuration")) from None
        return self


class Resource(Payload):
    type: t.Literal["accounts"]
    id: str


class Organisation(Payload):
    type: t.Literal["organisations"]
    id: str


class AccountRelation(Payload):
    data: Resource | None


class OrganisationRelation(Payload):
    data: Organisation


class Relationships(Payload):
    account: AccountRelation
    organisation: OrganisationRelation | None = None


class NewSetting(Payload):
    type: t.Literal["settings"] = "settings"
    attributes: SettingAttributes
    relationships: Relationships


class NewSettings(Payload):
    """Body of ``POST /settings/communication``."""

    data: list[NewSetting] = Field(min_length=1)


class ChangedSetting(Payload):
    type: t.Literal["settings"] = "settings"
    id: str | None = None
    attributes: SettingAttributes
    relationships: Relationships | None = None


class ChangedSettingRequest(Payload):
    """Body of ``PATCH /settings/communication/{id}``."""

    data: ChangedSetting


Model = t.TypeVar("Model", bound=BaseModel)


def _problems(error: ValidationError, prefix: str = "") -> list[tuple[str, str]]:
    return [("/".join([prefix, *(str(part) for part in item["loc"])]) or "/", item["msg"]) for item in error.errors()]


def parse_body(model: type[Model], body: bytes) -> Model:
    """Check a JSON body.

    :raises Refused: if it is no JSON or not as the model says.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Refused(*_problems(error)) from None


def parse_query(model: type[Model], pairs: t.Sequence[tuple[str, str]]) -> Model:
    """Check the parameters of a query string, given as name and value.

    :raises Refused: if one is unknown, out of range, or given twice.
    """
    names = [name for name, _value in pairs]
    if len(set(names)) < len(names):
        raise Refused(("/", "a query parameter is given twice"))
    try:
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        raise Refused(*_problems(error)) from None
