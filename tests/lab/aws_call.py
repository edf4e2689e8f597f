# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call to an AWS API, as far as the lab has to understand it before moto does."""

from __future__ import annotations

import io
import json
import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

WsgiEnvironment = dict[str, t.Any]
Form = dict[str, str]

_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True)
class AwsCall:
    """One call.

    :ivar service: as in the signature (``ec2``).
    :ivar action: name of the operation (``DescribeInstances``), or method and path for REST APIs.
    :ivar form: parameters by their wire names: of a query API (``SecurityGroupId.1``), and of one that takes JSON and names its operation
        in a header (``logGroupName``), where what is no text is written as JSON.
    :ivar protocol: how errors have to be written.
    :ivar query: the query string of the URL.
    """

    service: str
    region: str
    access_key: str
    action: str
    protocol: t.Literal["ec2", "query", "json"]
    form: Form = field(default_factory=dict)
    query: str = ""

    @property
    def operation(self) -> str:
        """The operation in IAM's notation."""
        return f"{self.service}:{self.action}"

    @property
    def dry_run(self) -> bool:
        """Whether the caller only asks whether it may."""
        return self.form.get("DryRun", "").lower() == "true"

    def values(self, name: str) -> list[str]:
        """Return a list parameter: ``values("SecurityGroupId")`` gives ``SecurityGroupId.1``, ``.2``, ..."""
        pattern = re.compile(rf"{re.escape(name)}\.\d+$")
        return [value for key, value in self.form.items() if pattern.match(key)]

    def tags(self, prefix: str) -> dict[str, str]:
        """Return tags given as ``<prefix>.N.Key`` and ``<prefix>.N.Value``."""
        pattern = re.compile(rf"{prefix}\.(\d+)\.Key$")
        return {value: self.form.get(key.removesuffix("Key") + "Value", "") for key, value in self.form.items() if pattern.match(key)}

    def required_actions(self) -> list[str]:
        """Return the IAM actions that the call needs.

        Creating something with tags needs the right to tag as well, and handing a role to a service that to pass it.
        """
        actions = [self.operation]
        if self.service == "ec2" and any(key.startswith("TagSpecification.") for key in self.form):
            actions.append("ec2:CreateTags")
        if self.operation in ("cloudformation:CreateStackSet", "cloudformation:UpdateStackSet") and any(key.startswith("Tags.member.") for key in self.form):
            actions.append("cloudformation:TagResource")
        if self.operation == "logs:CreateLogGroup" and "tags" in self.form:
            actions.append("logs:TagResource")
        if self.operation == "logs:PutSubscriptionFilter" and "roleArn" in self.form:
            actions.append("iam:PassRole")
        return actions


def _body(environ: WsgiEnvironment) -> bytes:
    """Read the request's body and put it back for moto."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _json_form(body: bytes) -> Form:
    """Return the parameters of a JSON body; none of a body that moto will refuse."""
    try:
        parameters = json.loads(body)
    except ValueError:
        return {}
    pairs = parameters.items() if isinstance(parameters, dict) else ()
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in pairs}


def parse_call(environ: WsgiEnvironment) -> AwsCall | None:
    """Understand a request; ``None`` if it is not signed."""
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None:
        return None
    service, region, key = credential["service"], credential["region"], credential["key"]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(_body(environ).decode(), keep_blank_values=True))
        return AwsCall(service, region, key, form.get("Action", "?"), "ec2" if service == "ec2" else "query", form)
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if target:
        return AwsCall(service, region, key, target, "json", _json_form(_body(environ)))
    path = environ.get("PATH_INFO", "/")
    action = path.rpartition("/")[2] if "/operation/" in path else f"{environ['REQUEST_METHOD']} {path}"
    return AwsCall(service, region, key, action, "json", query=environ.get("QUERY_STRING", ""))
