# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages as AWS would put them into the queue."""

from __future__ import annotations

import base64
import gzip
import json
import typing as t

Json = dict[str, t.Any]

ERROR = "tmcloud[1187]: TLS handshake failed: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"
AN_ID, ANOTHER_ID = "i-0123456789abcdef0", "i-0fedcba9876543210"
AT = 1_790_000_000_000


def document(instance_id: str = AN_ID, lines: t.Sequence[str] = (ERROR,), **other: t.Any) -> Json:
    """What CloudWatch Logs sends of one log stream."""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": "network-security-system",
        "logStream": f"system_{instance_id}",
        "subscriptionFilters": ["certificate-errors"],
        "logEvents": [{"id": f"{number:056}", "timestamp": AT + 1000 * number, "message": line} for number, line in enumerate(lines)],
        **other,
    }


def packed(content: Json) -> str:
    """As CloudWatch Logs packs it."""
    return base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()


def of_function(content: Json) -> str:
    """As a function gets it that CloudWatch Logs calls."""
    return json.dumps({"awslogs": {"data": packed(content)}})


def of_pipe(content: Json) -> str:
    """As EventBridge Pipes take it from a stream of Kinesis."""
    return json.dumps({"kinesisSchemaVersion": "1.0", "partitionKey": "1", "data": packed(content), "eventSource": "aws:kinesis"})


def of_event_bus(content: Json) -> str:
    """As EventBridge sends on what a function put there."""
    return json.dumps({"version": "0", "detail-type": "certificate errors", "source": "my.function", "detail": content})


def of_destination(content: Json) -> str:
    """As the destination of a function that succeeded gets it."""
    return json.dumps({"version": "1.0", "requestPayload": {"awslogs": {"data": packed(content)}}, "responsePayload": None})


def of_topic(content: Json) -> str:
    """As a topic of SNS sends it on."""
    return json.dumps({"Type": "Notification", "Message": json.dumps(content)})
