# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source of ansible-rulebook: certificate errors of appliances, from an SQS queue that CloudWatch Logs feeds."""

from __future__ import annotations

import importlib
import os
import sys
import typing as t

DOCUMENTATION = r"""
---
short_description: Certificate errors in the streamed system logs of appliances, from an SQS queue
description:
  - Takes what a subscription of CloudWatch Logs sends, by way of a function or a pipe of yours, to an SQS queue, and makes an event of each appliance whose
    system log shows a certificate error.
  - Further errors of the same appliance are duplicates for some time, and only so many appliances are handed on at a time. The others wait in the queue.
  - A message is deleted when what it says was handed on.
  - The guide is docs/event_driven.md in the repository of the collection.
options:
  queue_url:
    description:
      - URL of the queue.
    type: str
    required: true
  wait_seconds:
    description:
      - How long SQS waits for messages before it says that there are none, from 0 to 20. Stopping ansible-rulebook may take as long.
    type: int
    default: 20
  window:
    description:
      - For how many seconds after an event of an appliance further ones are duplicates.
    type: int
    default: 3600
  max_renewals:
    description:
      - How many appliances are handed on within O(period).
    type: int
    default: 10
  period:
    description:
      - See O(max_renewals), in seconds.
    type: int
    default: 3600
  feedback:
    description:
      - Of ansible-rulebook itself, since version 1.2. With V(true), a message is deleted only after the rules have seen its events.
    type: bool
    default: false
  region:
    description:
      - AWS region of the queue. If not given, boto3 takes it from E(AWS_REGION), E(AWS_DEFAULT_REGION) or the profile.
    type: str
  profile:
    description:
      - Name of a profile in the AWS configuration files. What is omitted, here and below, is left to boto3.
    type: str
  access_key:
    description:
      - AWS access key ID.
    type: str
  secret_key:
    description:
      - AWS secret access key that belongs to O(access_key).
    type: str
  session_token:
    description:
      - AWS session token, for temporary credentials.
    type: str
  assume_role_arn:
    description:
      - ARN of an IAM role to read the queue with.
    type: str
  assume_role_external_id:
    description:
      - The external ID that the trust policy of O(assume_role_arn) demands, if it does.
    type: str
  endpoint_url:
    description:
      - URL of the AWS endpoint, replacing the regular one. If not given, boto3 looks at E(AWS_ENDPOINT_URL) and the profile.
    type: str
"""

EXAMPLES = r"""
- trendmicro.cloudone.sqs_certificate_errors:
    queue_url: https://sqs.eu-central-1.amazonaws.com/123456789012/netsec-certificate-errors
    region: eu-central-1
    max_renewals: 5
    feedback: true
"""

_COLLECTION = "ansible_collections.trendmicro.cloudone"


async def main(queue: t.Any, args: dict[str, t.Any]) -> None:
    """Entry point of ansible-rulebook."""
    _make_collection_importable()
    poller = importlib.import_module(f"{_COLLECTION}.extensions.eda.plugins.module_utils.poller")
    await poller.run(queue, args)


def _make_collection_importable() -> None:
    """ansible-rulebook runs this file by its path and, unlike Ansible, knows nothing of ansible_collections."""
    namespaces = os.path.abspath(__file__)
    for _level in range(7):  # from event_source up to ansible_collections; links are not followed, since a checkout may be linked there
        namespaces = os.path.dirname(namespaces)
    sys.path.append(os.path.dirname(namespaces))
    # The Ansible community package brings ansible_collections as a package of its own, which would be the only one that is seen.
    path = importlib.import_module("ansible_collections").__path__
    if namespaces not in path:
        path.append(namespaces)
