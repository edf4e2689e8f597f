#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirm that Conformity receives events."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_rtm_confirmation
short_description: Confirm that Conformity receives events from the regions of an AWS account
version_added: 1.0.0
description:
  - Provokes one harmless event in each region, and waits until Conformity has received it. After Real-Time Threat Monitoring (RTM) was rolled out,
    Conformity shows it as off until the first event arrives.
  - The event is a call C(UpdateTerminationProtection) that writes the termination protection of the stack of RTM as it is. It changes nothing.
    Events of calls that only read never reach the rule.
  - A region is confirmed when Conformity lists an event of it that is newer than the last one before. Whatever else happens there is proof, too.
  - What AWS and Conformity need for that is not documented. The vendor shows an example with a few seconds. Where a region stays unconfirmed,
    the event is provoked again each minute, since a rule that was just made takes a moment to be obeyed.
options:
  stack_name:
    description:
      - Name of the CloudFormation stack of RTM, in each region. Where it is missing or broken, no event is provoked.
    type: str
    default: CloudConformityMonitoring
  wait_timeout:
    description:
      - How many seconds at most to wait for the events.
    type: int
    default: 300
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.conformity
  - trendmicro.cloudone.rtm.regions
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.aws
      - trendmicro.cloudone.conformity
      - trendmicro.cloudone.all
  check_mode:
    support: full
    details:
      - No event is provoked, and none is waited for.
  diff_mode:
    support: N/A
    details:
      - What is written is what is there.
  idempotent:
    support: full
    details:
      - It provokes events each time, but changes nothing.
notes:
  - The credentials need the IAM actions C(ec2:DescribeRegions), C(cloudformation:DescribeStacks) and
    C(cloudformation:UpdateTerminationProtection). The last is not in the vendor's own policy.
  - The API key needs access to the account, and to its events.
seealso:
  - module: trendmicro.cloudone.conformity_rtm
  - module: trendmicro.cloudone.conformity_rtm_info
    description: Tells the last event of each region, and provokes none.
  - module: trendmicro.cloudone.conformity_trail_info
    description: Why no event may ever arrive.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Confirm that events arrive from every region
  trendmicro.cloudone.conformity_rtm_confirmation:
    expected_account_id: "123456789012"
  register: confirmation

- name: Show the regions from which none arrived
  ansible.builtin.debug:
    msg: "{{ confirmation.regions | rejectattr('confirmed') | map(attribute='region') | list }}"
"""

RETURN = r"""
account_id:
  description: ID of the AWS account.
  type: str
  returned: always, unless the failure concerns all regions
  sample: "123456789012"
last_monitoring_event_at:
  description: When, by Conformity's account of it, the last event of the AWS account happened. Null if none ever arrived.
  type: str
  returned: always, unless the failure concerns all regions
  sample: "2026-03-01T12:00:00Z"
moved:
  description: Whether that is later than before.
  type: bool
  returned: always, unless the failure concerns all regions
  sample: true
regions:
  description: The regions that are switched on for the account, in the order of O(regions).
  type: list
  elements: dict
  returned: always, unless the failure concerns all regions
  contains:
    region:
      description: AWS region.
      type: str
      returned: always
      sample: eu-central-1
    provoked:
      description: Whether an event was provoked.
      type: bool
      returned: always
      sample: true
    confirmed:
      description: Whether Conformity has received an event since.
      type: bool
      returned: always
      sample: true
    event_at:
      description: When that event happened, or null.
      type: str
      returned: always
      sample: "2026-03-01T12:00:00Z"
    event_description:
      description: What Conformity calls that event, or null.
      type: str
      returned: always
      sample: UpdateTerminationProtection
    reason:
      description: Why it is not confirmed, or null.
      type: str
      returned: always
      sample: Conformity has listed no new event of the region within 300 seconds.
    changed:
      description: Always false.
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether AWS or Conformity refused something. That an event has not arrived is no failure.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
      sample: >-
        AWS refused cloudformation:UpdateTerminationProtection in eu-central-1 (AccessDenied): User: arn:aws:iam::123456789012:user/ops is not
        authorized to perform: cloudformation:UpdateTerminationProtection because no identity-based policy allows the
        cloudformation:UpdateTerminationProtection action. Allow the IAM action cloudformation:UpdateTerminationProtection to the AWS credentials that
        are used.
"""

import typing as t
from datetime import datetime

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, conformity_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Account, conformity_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.account import find_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.confirmation import Confirmation, Proof, able_to_confirm, as_result
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.inspection import accounts_of
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import regions_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import STACK_NAME
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text, utc_now


def confirm(params: t.Mapping[str, t.Any], *, check_mode: bool) -> tuple[list[Result], Result]:
    """The regions' entries, and the module's other return values.

    :raises CloudOneError: what concerns all regions; no event was provoked.
    """
    concurrency = params["concurrency"]
    clients = AwsClients(params, concurrency=concurrency)
    account = find_account(clients, params)
    api = conformity_api(params, concurrency)
    accounts = able_to_confirm(accounts_of(api, account.id))
    if check_mode:
        proofs = [Proof(region, utc_now(), obstacle="No event is provoked in check mode.") for region in account.regions_on]
    else:
        proofs = Confirmation(clients, api, accounts, stack_name=params["stack_name"], concurrency=concurrency).run(account.regions_on, params["wait_timeout"])
    before = last_monitoring_event(accounts)
    after = last_monitoring_event(api.account(one.id) for one in accounts)
    results = [as_result(proof, wait_timeout=params["wait_timeout"]) for proof in proofs]
    return results, {"account_id": account.id, "last_monitoring_event_at": to_text(after) if after else None, "moved": after != before}


def last_monitoring_event(accounts: t.Iterable[Account]) -> datetime | None:
    """When the last event happened of which these accounts know."""
    return max((account.last_monitoring_event_at for account in accounts if account.last_monitoring_event_at), default=None)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "stack_name": {"type": "str", "default": STACK_NAME},
            "wait_timeout": {"type": "int", "default": 300},
            **regions_spec(),
            **aws_spec(),
            **conformity_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3", "requests")
    try:
        results, confirmed = confirm(module.params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results, of="regions", key="region", **confirmed)


if __name__ == "__main__":
    main()
