# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Successful answers of AWS APIs that the lab gives itself, because moto cannot."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lab.aws_call import AwsCall
from lab.aws_errors import REQUEST_ID

# A list is given to `element` as its items; each becomes one element of the name that the service uses for list items.
Content = t.Union[str, bool, "t.Mapping[str, Content]", "t.Sequence[Content]"]

_NAMESPACE = {
    "cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
}


def element(name: str, content: Content, *, item: str) -> str:
    """Write one XML element."""
    if isinstance(content, bool):
        inside = str(content).lower()
    elif isinstance(content, str):
        inside = escape(content)
    elif isinstance(content, t.Mapping):
        inside = "".join(element(key, value, item=item) for key, value in content.items())
    else:
        inside = "".join(element(item, value, item=item) for value in content)
    return f"<{name}>{inside}</{name}>"


@dataclass(frozen=True)
class AwsAnswer:
    """What an operation returns."""

    result: t.Mapping[str, Content]

    def render(self, call: AwsCall) -> tuple[str, bytes]:
        """Return content type and body, as the protocol of the call has it."""
        if call.protocol == "json":
            return "application/x-amz-json-1.1", json.dumps(self.result).encode()
        namespace = _NAMESPACE[call.service]
        if call.protocol == "ec2":
            inside = f"<requestId>{REQUEST_ID}</requestId>" + "".join(element(name, value, item="item") for name, value in self.result.items())
        else:
            inside = element(f"{call.action}Result", self.result, item="member")
            inside += f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>"
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{call.action}Response xmlns="{namespace}">{inside}</{call.action}Response>'
        return "text/xml;charset=UTF-8", text.encode()
