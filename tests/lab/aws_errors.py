# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of AWS APIs, written as each protocol does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lab.aws_call import AwsCall

REQUEST_ID = "00000000-0000-4000-8000-000000000000"

_STATUS = {
    "AuthFailure": 401,
    "DryRunOperation": 412,
    "UnauthorizedOperation": 403,
    "AccessDenied": 403,
    "InvalidClientTokenId": 403,
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
}

_MESSAGES = {
    "AuthFailure": "AWS was not able to validate the provided access credentials",
    "DryRunOperation": "Request would have succeeded, but DryRun flag is set.",
    "InvalidClientTokenId": "The security token included in the request is invalid.",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
    "RequestLimitExceeded": "Request limit exceeded.",
    "Throttling": "Rate exceeded",
}


@dataclass(frozen=True)
class AwsFailure:
    """An error that AWS answers.

    :ivar status: HTTP status; the usual one of the code if not given.
    """

    code: str
    message: str = ""
    status: int | None = None

    def render(self, call: AwsCall) -> tuple[int, str, bytes]:
        """Return HTTP status, content type and body."""
        status = self.status or _STATUS.get(self.code, 400)
        message = self.message or _MESSAGES.get(self.code, f"The request failed with {self.code}.")
        if call.protocol == "json":
            return status, "application/x-amz-json-1.1", json.dumps({"__type": self.code, "message": message}).encode()
        error = f"<Code>{escape(self.code)}</Code><Message>{escape(message)}</Message>"
        if call.protocol == "ec2":
            text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
        else:
            text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        return status, "text/xml;charset=UTF-8", b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()


def denied(call: AwsCall, who: str, action: str, resource: str = "*") -> AwsFailure:
    """Return the error for a missing permission."""
    code = {"ec2": "UnauthorizedOperation", "query": "AccessDenied", "json": "AccessDeniedException"}[call.protocol]
    prefix = "You are not authorized to perform this operation. " if call.protocol == "ec2" else ""
    return AwsFailure(code, prefix + not_authorized(who, action, resource))


def not_authorized(who: str, action: str, resource: str) -> str:
    """Return why something is denied, in AWS's words."""
    return f"User: {who} is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows the {action} action"


def invalid_credentials(call: AwsCall) -> AwsFailure:
    """Return the error for an unknown access key, and for a region that the account has not enabled."""
    if call.protocol == "ec2":
        return AwsFailure("AuthFailure")
    return AwsFailure("InvalidClientTokenId" if call.protocol == "query" else "UnrecognizedClientException")
