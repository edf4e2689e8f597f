# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudWatch Logs sends to Lambda functions. moto would run each function in a container; here the events are only counted."""

from __future__ import annotations

import typing as t
from collections import Counter

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config


def count_lambda_events() -> Counter[str]:
    """Let moto count events from now on; return the count by the ARN of the function."""
    events: Counter[str] = Counter()

    def send_log_event(_backend: t.Any, function_arn: str, _filter: str, _group: str, _stream: str, log_events: list[t.Any]) -> None:
        events[function_arn] += len(log_events)

    default_user_config["lambda"] = {"use_docker": False}
    LambdaSimpleBackend.send_log_event = send_log_event  # type: ignore[method-assign, assignment]
    return events
