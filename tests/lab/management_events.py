# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events that CloudTrail makes of calls which change something, as EventBridge sees them."""

from __future__ import annotations

import functools
import re
import secrets
import typing as t
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import botocore.exceptions
import botocore.session

from lab.aws_call import AwsCall
from lab.aws_writes import is_write

Json = dict[str, t.Any]

# Whatever region was asked: these services emit where they are at home.
HOME_OF_GLOBAL_SERVICES = "us-east-1"
GLOBAL_SERVICES = frozenset({"iam", "cloudfront", "route53", "organizations", "signin"})

# Services whose source is not their name in the signature.
_SOURCES = {"macie2": "macie", "monitoring": "cloudwatch"}

# Changes of content, which trails record as data events if at all.
_DATA = frozenset(
    (
        *("s3:DeleteObjects", "lambda:Invoke", "lambda:InvokeAsync", "logs:PutLogEvents", "events:PutEvents", "sns:Publish"),
        *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:TransactWriteItems"),
    )
)


class _RestOperation(t.NamedTuple):
    name: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]


@functools.lru_cache
def _rest_operations(service: str) -> tuple[_RestOperation, ...]:
    """Return the operations of a REST API; none of one that botocore does not know by this name."""
    try:
        model = botocore.session.get_session().get_service_model(service)
    except botocore.exceptions.UnknownServiceError:
        return ()
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _mark, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\{[^}]*\\\+\}|\{[^}]*\}", lambda part: ".+" if part[0].endswith("\\+}") else "[^/]+", _escaped(path))
        names = frozenset(key for key, _value in parse_qsl(query, keep_blank_values=True))
        found.append(_RestOperation(name, http["method"], re.compile(pattern + "/?"), names))
    return tuple(found)


def _escaped(path: str) -> str:
    """Escape what regular expressions would take for their own, but for the braces around names."""
    return re.escape(path).replace(r"\{", "{").replace(r"\}", "}")


def operation_name(call: AwsCall) -> str:
    """Return the name of the operation, also of a REST API, on whose wire there is none."""
    method, _space, path = call.action.partition(" ")
    if not path:
        return call.action
    given = {key for key, _value in parse_qsl(call.query, keep_blank_values=True)}
    fitting = [one for one in _rest_operations(call.service) if one.method == method and one.query <= given and one.path.fullmatch(path)]
    # Of S3's operations on a bucket the one is meant that says most: PutBucketTagging fits where CreateBucket does.
    return max(fitting, key=lambda one: (len(one.query), len(one.path.pattern))).name if fitting else call.action


def _is_object(call: AwsCall) -> bool:
    """Whether a call is about an object in a bucket."""
    return call.service == "s3" and call.action.rstrip("/").count("/") > 1


def management_event(call: AwsCall, account_id: str, identity: str) -> Json | None:
    """Return the event of a call that was carried out; ``None`` for one that only reads, or changes content."""
    name = operation_name(call)
    if not is_write(call) or _is_object(call) or f"{call.service}:{name}" in _DATA:
        return None
    region = HOME_OF_GLOBAL_SERVICES if call.service in GLOBAL_SERVICES else call.region
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "version": "0",
        "id": secrets.token_hex(16),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{_SOURCES.get(call.service, call.service)}",
        "account": account_id,
        "time": now,
        "region": region,
        "resources": [],
        "detail": {
            "eventVersion": "1.08",
            "userIdentity": {"accountId": account_id, "arn": identity},
            "eventTime": now,
            "eventSource": f"{call.service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "readOnly": False,
            "managementEvent": True,
            "eventCategory": "Management",
        },
    }
