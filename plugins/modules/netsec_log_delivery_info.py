#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that logs of appliances arrive in CloudWatch."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_log_delivery_info
short_description: Prove that logs of appliances arrive in CloudWatch
version_added: 1.0.0
description:
  - Looks in Amazon CloudWatch Logs for the log streams of appliances, and for events in them. Can wait until there are some.
  - That no events arrive is a finding, not a failure. See RV(appliances[].receiving).
  - An appliance sends events of log types like V(ipsBlock) only when there is something to block. So a stream without events need not be broken.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.concurrency
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_aws
attributes:
  check_mode:
    support: full
    details:
      - Looks only once, since the log streaming may not have been set in check mode.
options:
  appliances:
    description:
      - The appliances, each EC2 instance once.
    type: list
    elements: dict
    required: true
    suboptions:
      instance_id:
        description:
          - EC2 instance ID of the appliance.
        type: str
        required: true
      region:
        description:
          - AWS region of the instance, in which its logs are.
          - If not given, it is the only one of O(regions). Of several, EC2 is asked in which the instance is.
        type: str
      assume_role_arn:
        description:
          - ARN of an IAM role to work with on this appliance, in whose AWS account it is. It is assumed as the role of the AWS options is, once for
            all appliances that name it.
          - If not given, the AWS options alone count. So the appliances of one call may be in several accounts. If one account cannot be reached, only
            its appliances fail. Option O(concurrency) counts in each account.
        type: str
      assume_role_external_id:
        description:
          - The external ID that the trust policy of O(appliances[].assume_role_arn) demands, if it does.
        type: str
      since:
        description:
          - Only events at or after this time count. An ISO 8601 time; one without a zone is in UTC.
          - It is compared with the times that the events have, which the appliance's clock gives.
          - If not given, events count that are no older than O(max_age).
        type: str
      log_types:
        description:
          - The log types, in the form in which M(trendmicro.cloudone.netsec_cloudwatch_logconfig) and
            M(trendmicro.cloudone.netsec_cloudwatch_logconfig_info) return them. Only those are looked at that are enabled.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description:
              - Name of the log type.
            type: str
            required: true
          group:
            description:
              - Log group. Required if the log type is enabled.
            type: str
          stream:
            description:
              - Log stream, with C({instance_id}) in place of the instance ID.
              - If not given, it is the log type's name, an underscore and C({instance_id}).
            type: str
          enabled:
            description:
              - Whether the log type is streamed.
            type: bool
            default: true
  regions:
    description:
      - AWS regions in which appliances can be whose region is not known.
      - If empty, the region of the AWS options.
    type: list
    elements: str
    default: []
  max_age:
    description:
      - How many seconds old an event may be to count, where C(since) is not given.
    type: int
    default: 3600
  wait_timeout:
    description:
      - For how many seconds to look again for what has not arrived. With V(0) the module looks once.
    type: int
    default: 0
  wait_interval:
    description:
      - Seconds from one look to the next.
    type: float
    default: 15
notes:
  - The IAM actions needed are C(logs:DescribeLogStreams) and C(logs:GetLogEvents), and C(ec2:DescribeInstances) to find out regions.
  - The descriptions of log streams, which are read page by page, may be an hour behind. Only where they do not prove that events arrive, the stream
    itself is asked. The content of events is not returned.
seealso:
  - module: trendmicro.cloudone.netsec_cloudwatch_logconfig
  - module: trendmicro.cloudone.netsec_instance_role_info
"""

EXAMPLES = r"""
- name: Wait until system logs arrive, at most ten minutes
  trendmicro.cloudone.netsec_log_delivery_info:
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
        log_types:
          - name: system
            group: network-security-system
      - instance_id: i-0fedcba9876543210
        region: us-east-1
        since: "2026-03-01T12:00:00Z"
        log_types:
          - name: system
            group: network-security-system
            stream: system_{instance_id}
    wait_timeout: 600
  register: delivery
  delegate_to: localhost

- name: Show what does not arrive
  ansible.builtin.debug:
    msg: "{{ item.instance_id }}: {{ item.reason }}"
  loop: "{{ delivery.appliances | rejectattr('receiving') }}"
  loop_control:
    label: "{{ item.instance_id }}"
"""

RETURN = r"""
appliances:
  description: One entry for each of O(appliances), in the same order.
  returned: always, unless nothing could be asked of AWS at all
  type: list
  elements: dict
  contains:
    instance_id:
      description: The EC2 instance ID.
      type: str
      returned: always
      sample: i-0123456789abcdef0
    changed:
      description: Always V(false).
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether it could not be found out if logs arrive.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it could not be found out.
      type: str
      returned: if it failed
      sample: >-
        There is no EC2 instance i-0123456789abcdef0 in eu-central-1 for these AWS credentials. Check the id, the region and the account. Leave out
        appliances that the vendor hosts: their instances are in accounts of the vendor.
    region:
      description: AWS region in which the logs were looked for.
      type: str
      returned: if it did not fail
      sample: eu-central-1
    receiving:
      description: Whether each of the log streams has an event that counts. Also V(true) if no log type is enabled.
      type: bool
      returned: if it did not fail
      sample: false
    reason:
      description: Sentences that say what does not arrive, and what to check.
      type: str
      returned: if it did not fail
      sample: >-
        system: there is no log stream system_i-0123456789abcdef0 in the log group network-security-system in eu-central-1.
        Check the role of the instance (netsec_instance_role_info) and its way to CloudWatch Logs. An appliance whose certificate expired may not get
        its configuration (netsec_certificate_info). Logs of events, as ipsBlock, need events; wait longer (wait_timeout) if there should be some.
    streams:
      description: One entry for each log type that is enabled.
      type: list
      elements: dict
      returned: if it did not fail
      contains:
        name:
          description: Name of the log type.
          type: str
          returned: always
          sample: system
        group:
          description: The log group.
          type: str
          returned: always
          sample: network-security-system
        stream:
          description: The log stream, with the instance ID in it.
          type: str
          returned: always
          sample: system_i-0123456789abcdef0
        exists:
          description: Whether there is such a log group and log stream.
          type: bool
          returned: always
          sample: true
        last_event_at:
          description: Time of the last event that was found, in UTC. It may be older than what counts. V(null) if none was found.
          type: str
          returned: always
          sample: "2026-03-01T12:00:00Z"
        receiving:
          description: Whether there is an event that counts.
          type: bool
          returned: always
          sample: true
        waited:
          description: How many seconds had passed at the last look for this stream.
          type: float
          returned: always
          sample: 15.2
"""

import typing as t
from datetime import datetime, timedelta

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import for_each_found, refuse_duplicates
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import (
    aws_spec,
    concurrency_spec,
    log_types_spec,
    require_libraries,
    role_spec,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import appliances_in_each_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import regions_to_search, require_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.delivery import read_enabled, report, streams_of
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.delivery_watch import await_events
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, utc_now

Params = t.Mapping[str, t.Any]


def prove(params: Params, now: datetime, *, wait_timeout: float) -> list[Outcome[str, Result]]:
    """One outcome for each appliance, in their order."""
    appliances, concurrency = params["appliances"], params["concurrency"]
    refuse_duplicates(appliance["instance_id"] for appliance in appliances)
    log_types = {appliance["instance_id"]: read_enabled(appliance["instance_id"], appliance["log_types"]) for appliance in appliances}
    since = {appliance["instance_id"]: read_since(appliance["since"], params["max_age"], now) for appliance in appliances}

    def prove_account(clients: AwsClients, appliances: list[Result]) -> list[Outcome[str, Result]]:
        located = locate(clients, appliances, params)
        streams = {one.item: streams_of(one.item, one.value, log_types[one.item], since[one.item]) for one in located if one.value}
        sightings = await_events(
            clients,
            [stream for by_name in streams.values() for stream in by_name.values()],
            timeout=wait_timeout,
            interval=params["wait_interval"],
            concurrency=concurrency,
        )

        def tell(instance_id: str, region: str) -> Result:
            return report(region, streams[instance_id], {stream: sightings[stream].result() for stream in streams[instance_id].values()})

        return for_each_found(located, tell, concurrency=1)

    return appliances_in_each_account(params, prove_account)


def read_since(text: str | None, max_age: int, now: datetime) -> datetime:
    """From when on events count.

    :raises InputError: the text is no time.
    """
    since = from_text(text) if text else now - timedelta(seconds=max_age)
    if since is None:
        raise InputError(f"since must be an ISO 8601 time like 2026-03-01T12:00:00Z, not {text!r}.")
    return since


def locate(clients: AwsClients, appliances: t.Sequence[Result], params: Params) -> list[Outcome[str, str]]:
    """The region of each appliance of an account. EC2 is asked only where several come into question."""
    searched = regions_to_search(clients, appliances, params["regions"])
    doubtful = {instance_id: regions for instance_id, regions in searched.items() if len(regions) > 1}
    find = require_instances(clients, doubtful, concurrency=params["concurrency"])
    return for_each(lambda instance_id: find(instance_id).region if instance_id in doubtful else searched[instance_id][0], searched, concurrency=1)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "appliances": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "instance_id": {"type": "str", "required": True},
                    "region": {"type": "str"},
                    **role_spec(),
                    "since": {"type": "str"},
                    **log_types_spec(required=True),
                },
            },
            "regions": {"type": "list", "elements": "str", "default": []},
            "max_age": {"type": "int", "default": 3600},
            "wait_timeout": {"type": "int", "default": 0},
            "wait_interval": {"type": "float", "default": 15},
            **aws_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    try:
        outcomes = prove(module.params, utc_now(), wait_timeout=0 if module.check_mode else module.params["wait_timeout"])
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, entries(outcomes))


if __name__ == "__main__":
    main()
