#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forward the events of log groups."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_log_subscription
short_description: Forward the logs of appliances from CloudWatch to Firehose or Lambda
version_added: 1.0.0
description:
  - Creates, changes and removes subscription filters of log groups in Amazon CloudWatch Logs. Such a filter forwards events to a Firehose stream, from
    where they go on to an S3 bucket, or to a Lambda function, which can post them to Slack.
  - The destination is yours. This module neither creates it nor its permissions, but says which are missing.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_aws
attributes:
  check_mode:
    support: full
    details:
      - Only reads. Whether CloudWatch Logs can write to the destination shows only when the filter is really created.
      - A log group that does not exist yet is only warned about, since an earlier task may be going to create it.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  subscriptions:
    description:
      - The subscription filters. A log group can have two at most. What is to be removed from a log group is removed first.
    type: list
    elements: dict
    required: true
    suboptions:
      log_group:
        description:
          - Name of the log group. It must exist.
        type: str
        required: true
      name:
        description:
          - Name of the subscription filter, with which it is found again.
        type: str
        required: true
      destination_arn:
        description:
          - ARN of the destination, a Firehose stream or a Lambda function. A Kinesis stream or a destination of CloudWatch Logs will do too.
          - Its region is the one in which the log group is looked for, since CloudWatch Logs forwards only within a region. So one list serves many regions.
          - Required if O(subscriptions[].state=present). If not given, the log group is looked for in the region of the AWS options.
        type: str
      filter_pattern:
        description:
          - Which events are forwarded, in CloudWatch Logs' own language for filter patterns. With the empty pattern, all.
        type: str
        default: ''
      role_arn:
        description:
          - ARN of the role with which CloudWatch Logs writes to a Firehose or Kinesis stream. Required for these. Not for a Lambda function.
        type: str
      state:
        description:
          - Whether there should be such a subscription filter.
        type: str
        choices:
          - present
          - absent
        default: present
  concurrency:
    description:
      - How many log groups are worked on at the same time. CloudWatch Logs takes only a few such calls a second in each region.
    type: int
    default: 4
notes:
  - The IAM actions needed are C(logs:DescribeSubscriptionFilters), C(logs:PutSubscriptionFilter) and C(logs:DeleteSubscriptionFilter), and, unless the
    destination is a Lambda function, C(iam:PassRole) for the role.
  - Settings of a subscription filter that are no options here, such as how events are distributed over a Kinesis stream, stay as they are.
seealso:
  - module: trendmicro.cloudone.netsec_log_group
"""

EXAMPLES = r"""
- name: Forward all block events to S3 by way of Firehose, and alerts to a function that posts them to Slack
  trendmicro.cloudone.netsec_log_subscription:
    subscriptions:
      - log_group: network-security-block-events
        name: to-s3
        destination_arn: arn:aws:firehose:eu-central-1:123456789012:deliverystream/network-security
        role_arn: arn:aws:iam::123456789012:role/logs-to-firehose
      - log_group: network-security-alert-events
        name: to-slack
        destination_arn: arn:aws:lambda:eu-central-1:123456789012:function:post-to-slack
        filter_pattern: '?CRITICAL ?HIGH'
  delegate_to: localhost

- name: Forward them no more
  trendmicro.cloudone.netsec_log_subscription:
    subscriptions:
      - log_group: network-security-alert-events
        name: to-slack
        state: absent
    region: eu-central-1
  delegate_to: localhost
"""

RETURN = r"""
subscriptions:
  description: What became of each of O(subscriptions), in their order. One's failure does not stop the others.
  returned: always, unless the failure concerns all
  type: list
  elements: dict
  contains:
    subscription:
      description: Region, log group and name.
      type: str
      returned: always
      sample: eu-central-1:network-security-block-events:to-s3
    changed:
      description: Whether something was changed, or would be in check mode.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether it is not as it should be.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why not, and what to do.
      type: str
      returned: if it failed
      sample: There is no log group network-security-system in eu-central-1. Create it first, for example with netsec_log_group.
    region:
      description: AWS region.
      type: str
      returned: if it did not fail
      sample: eu-central-1
    log_group:
      description: Name of the log group.
      type: str
      returned: if it did not fail
      sample: network-security-block-events
    name:
      description: Name of the subscription filter.
      type: str
      returned: if it did not fail
      sample: to-s3
    state:
      description: V(present) or V(absent).
      type: str
      returned: if it did not fail
      sample: present
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.subscription_plan import Place, Subscription, read_option
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.subscriptions import SubscriptionChange, subscribe
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import entries, finish


def subscribe_all(params: t.Mapping[str, t.Any], *, check_mode: bool) -> list[Outcome[Place, SubscriptionChange]]:
    """One outcome for each subscription filter, in their order."""
    clients = AwsClients(params, concurrency=params["concurrency"])
    wanted: dict[Place, Subscription | None] = {}
    for option in params["subscriptions"]:
        place, subscription = read_option(option, lambda: clients.regions([])[0])
        if place in wanted:
            raise InputError(f"Each subscription filter can be given only once. Given more than once: {place}.")
        wanted[place] = subscription
    return subscribe(clients, wanted, check_mode=check_mode, concurrency=params["concurrency"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "subscriptions": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "log_group": {"type": "str", "required": True},
                    "name": {"type": "str", "required": True},
                    "destination_arn": {"type": "str"},
                    "filter_pattern": {"type": "str", "default": ""},
                    "role_arn": {"type": "str"},
                    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                },
                "required_if": [("state", "present", ["destination_arn"])],
            },
            **aws_spec(),
            **concurrency_spec(4),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    try:
        outcomes = subscribe_all(module.params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    changes = [one.value for one in outcomes if one.value]
    for change in changes:
        if change.without_group:
            module.warn(f"There is no log group {change.place.log_group} in {change.place.region} yet. It must exist before it can be subscribed to.")
    results = entries([Outcome(str(one.item), one.value.as_result() if one.value else None, one.error) for one in outcomes], key="subscription")
    diff = {"diff": [change.diff() for change in changes if change.changed]} if module._diff else {}
    finish(module, results, of="subscriptions", key="subscription", **diff)


if __name__ == "__main__":
    main()
