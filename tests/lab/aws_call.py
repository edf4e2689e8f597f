# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call to an AWS API, as far as the lab has to understand it before moto does."""

from __future__ import annotations

import io
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
    :ivar form: parameters of a query API by their wire names (``SecurityGroupId.1``).
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
        """Return the IAM actions that the call needs. Creating something with tags needs the right to tag as well."""
        tagged = self.service == "ec2" and any(key.startswith("TagSpecification.") for key in self.form)
        return [self.operation, "ec2:CreateTags"] if tagged else [self.operation]


def _body(environ: WsgiEnvironment) -> bytes:
    """Read the request's body and put it back for moto."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


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
    path = environ.get("PATH_INFO", "/")
    action = target or (path.rpartition("/")[2] if "/operation/" in path else f"{environ['REQUEST_METHOD']} {path}")
    return AwsCall(service, region, key, action, "json", query=environ.get("QUERY_STRING", ""))
