# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Network Security API accepts, field by field; anything else is refused."""

from __future__ import annotations

import typing as t

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.fleet import LogName

GroupName = t.Annotated[str, Field(pattern=r"^[A-Za-z0-9._/#-]{0,512}$")]
StreamName = t.Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^:*]+$")]
Limit = t.Annotated[int, Field(ge=1, le=1000)]


class PayloadRefused(Exception):
    """A request is not as documented; ``str()`` is the reason for the field ``details``."""


class Payload(BaseModel):
    """Base of JSON bodies: unknown fields and wrong types are refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """Base of query strings: unknown parameters are refused, numbers come as text."""

    model_config = ConfigDict(extra="forbid")


class Page(Query):
    """Parameters of every list."""

    cursor: str = ""
    limit: Limit = 10


class ApplianceQuery(Page):
    """Parameters of ``GET /appliances``."""

    query: str = ""
    sortBy: t.Literal["ID", "instanceId", "dvVersion", "tosVersion", "provider", "hostName"] = "ID"
    sortDirection: t.Literal["asc", "desc"] = "asc"


class DistributionQuery(Page):
    """Parameters of ``GET /appliancedistributions``."""

    type: t.Literal["profile"]


class NoQuery(Query):
    """For requests without parameters."""


class SearchCriterion(Payload):
    """One condition of a search; only this test is documented."""

    fieldName: t.Literal["instanceId", "hostName", "provider", "tosVersion", "dvVersion"]
    stringTest: t.Literal["equal"]
    stringValue: str


class SearchRequest(Payload):
    """Body of ``POST /appliances/search``."""

    searchCriteria: t.Annotated[list[SearchCriterion], Field(min_length=1)]
    limit: Limit = 10
    cursor: str = ""


class LogTypeChange(Payload):
    """One entry of :class:`LogConfigRequest`."""

    logName: LogName
    logGroupName: GroupName
    logStreamName: StreamName = ""  # left out, it is the default name
    enable: bool


class LogConfigRequest(Payload):
    """Body of ``POST /appliances/{id}/cloudwatchlogconfig``."""

    logTypes: t.Annotated[list[LogTypeChange], Field(min_length=1)]


class ProfileReference(Payload):
    """A profile by its ID."""

    id: int


class DistributionRequest(Payload):
    """Body of ``POST /appliancedistributions``."""

    applianceId: int
    type: t.Literal["profile"]
    profile: ProfileReference


Model = t.TypeVar("Model", bound=BaseModel)


def _reason(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in item['loc']) or 'body'}: {item['msg']}" for item in error.errors())


def parse_body(model: type[Model], body: bytes) -> Model:
    """Check a JSON body.

    :raises PayloadRefused: if it is no JSON or not as the model says.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise PayloadRefused(_reason(error)) from None


def parse_query(model: type[Model], pairs: t.Sequence[tuple[str, str]]) -> Model:
    """Check the parameters of a query string, given as name and value.

    :raises PayloadRefused: if one is unknown, out of range, or given twice.
    """
    names = [name for name, _value in pairs]
    if len(set(names)) < len(names):
        raise PayloadRefused("a query parameter is given twice")
    try:
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        raise PayloadRefused(_reason(error)) from None
