#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell how Conformity RTM stands in the regions of an AWS account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_rtm_info
short_description: Tell how Conformity Real-Time Threat Monitoring stands in the regions of an AWS account
version_added: 1.0.0
description:
  - Tells for each region whether Real-Time Threat Monitoring (RTM) of Trend Cloud One Conformity is there, whose the rule is, and in what it
    differs from RTM as the options describe it.
  - With an API key it also tells the last event that Conformity received from each region, which proves that events arrive.
options:
  api_key:
    description:
      - API key of Trend Cloud One or of Conformity, with which Conformity is asked for the last events. Without it Conformity is not asked.
      - If not given, the environment variable E(CLOUDONE_API_KEY) is used.
    type: str
    required: false
  event_days:
    description:
      - For how many days back Conformity is asked for events.
    type: int
    default: 7
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.conformity
  - trendmicro.cloudone.rtm
  - trendmicro.cloudone.rtm.regions
  - trendmicro.cloudone.rtm.events
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.aws
      - trendmicro.cloudone.conformity
      - trendmicro.cloudone.all
notes:
  - The credentials need the IAM actions C(ec2:DescribeRegions), C(cloudformation:DescribeStacks),
    C(cloudformation:GetTemplate), C(events:DescribeRule) and C(events:ListTargetsByRule).
  - C(cloudformation:DescribeStackResources) tells whose a rule is where the stack is missing or broken. It is optional.
  - Where Conformity cannot be asked, or does not list the account, the module warns and tells the rest.
seealso:
  - module: trendmicro.cloudone.conformity_rtm
  - module: trendmicro.cloudone.conformity_account_info
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Look at RTM in every region
  trendmicro.cloudone.conformity_rtm_info:
    api_key: "{{ lookup('ansible.builtin.env', 'CLOUDONE_API_KEY') }}"
  register: rtm

- name: Show the regions that forward nothing
  ansible.builtin.debug:
    msg: "{{ rtm.regions | rejectattr('status', 'in', ['present', 'skipped']) | items2dict(key_name='region', value_name='status') }}"
"""

RETURN = r"""
account_id:
  description: ID of the AWS account.
  type: str
  returned: always, unless the failure concerns all regions
  sample: "123456789012"
conformity_accounts:
  description:
    - The accounts of Conformity that are this AWS account, usually one. Empty if Conformity was not asked, could not be asked, or lists none.
    - Each has what M(trendmicro.cloudone.conformity_account_info) returns of it, from C(id) to C(last_monitoring_event_at), and C(includes_rtm).
  type: list
  elements: dict
  returned: always, unless the failure concerns all regions
  contains:
    includes_rtm:
      description: Whether the subscription includes Real-Time Threat Monitoring. Null if the API does not say.
      type: bool
      returned: always
      sample: true
conformity_problem:
  description: Why Conformity could not be asked, or that it does not list the account. Null if it was asked, or there is no API key.
  type: str
  returned: always, unless the failure concerns all regions
  sample: Conformity lists no account for the AWS account 123456789012. Add it there, or give the API key access to it.
regions:
  description: How RTM stands in each region, in the order of O(regions).
  type: list
  elements: dict
  returned: always, unless the failure concerns all regions
  contains:
    region:
      description: AWS region.
      type: str
      returned: always
      sample: eu-central-1
    status:
      description:
        - How RTM stands. One of V(present), V(drifted), V(broken), V(in_progress), V(absent), V(foreign)
          (the rule is not of this stack), V(skipped) and V(failed) (it could not be read).
      type: str
      returned: always
      sample: present
    reason:
      description: Whose the rule is if it is not of this stack, what differs, or why the region is skipped. Null if there is nothing to say.
      type: str
      returned: always
      sample: The rule is disabled.
    stack_id:
      description: ARN of the stack, or null.
      type: str
      returned: always
      sample: arn:aws:cloudformation:eu-central-1:123456789012:stack/CloudConformityMonitoring/0f2d5a10-0000-0000-0000-000000000000
    stack_status:
      description: State of the stack in CloudFormation, or null.
      type: str
      returned: always
      sample: CREATE_COMPLETE
    rule_arn:
      description: ARN of the rule, or null.
      type: str
      returned: always
      sample: arn:aws:events:eu-central-1:123456789012:rule/CloudConformityMonitoring
    rule_state:
      description: State of the rule, or null.
      type: str
      returned: always
      sample: ENABLED
    owner:
      description: Name of the stack that holds the rule. Null if there is no rule, no stack holds it, or that is not known.
      type: str
      returned: always
      sample: CloudConformityMonitoring
    drift:
      description:
        - In what it differs from RTM as the options describe it. Any of V(parameters), V(rule_missing), V(rule_disabled), V(pattern),
          V(older_pattern) (without C(detail.eventCategory)) and V(target).
        - Empty where neither a stack nor a rule is.
      type: list
      elements: str
      returned: always
      sample: ["rule_disabled"]
    last_event_known:
      description: Whether Conformity told about events from here. V(false) without an API key, and for regions that are skipped.
      type: bool
      returned: always
      sample: true
    last_event_at:
      description: When the last event happened that Conformity received from here within O(event_days), in UTC. Null if there is none, or that is not known.
      type: str
      returned: always
      sample: "2026-03-01T12:00:00Z"
    last_event_name:
      description: Name of that event, or null.
      type: str
      returned: always
      sample: account.monitoring.activity
    changed:
      description: Always V(false).
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether this region could not be read.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it could not be read.
      type: str
      returned: when it failed
      sample: >-
        AWS refused cloudformation:DescribeStacks in eu-central-1 (AccessDenied): User: arn:aws:iam::123456789012:user/ops is not authorized to
        perform: cloudformation:DescribeStacks because no identity-based policy allows the cloudformation:DescribeStacks action. Allow the IAM action
        cloudformation:DescribeStacks to the AWS credentials that are used.
"""

import typing as t
from datetime import timedelta
from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, conformity_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Event, conformity_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.accounts import as_result, includes_rtm
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.account import Account, find_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.inspection import accounts_of, inspect, last_event
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import read_wanted, rtm_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text, utc_now

Params = t.Mapping[str, t.Any]


def look(params: Params) -> tuple[Account, list[Result]]:
    """How RTM stands in each region, as AWS tells.

    :raises CloudOneError: what concerns all regions.
    """
    if params["event_days"] < 1:
        raise InputError(f"event_days must be at least 1, not {params['event_days']}.")
    wanted = read_wanted(params)
    clients = AwsClients(params, concurrency=params["concurrency"])
    account = find_account(clients, params)
    reports = account.in_each_region(partial(inspect, clients, account.id, wanted), concurrency=params["concurrency"])
    results = [report.result(wanted) for report in reports]
    for result in results:
        del result["action"]
    return account, results


def ask_conformity(params: Params, account: Account) -> tuple[list[Result], dict[str, Outcome[str, Event | None]]]:
    """Conformity's accounts, and the last event from each region that is on.

    :raises CloudOneError: Conformity cannot be asked, or does not know the account.
    """
    api = conformity_api(params, params["concurrency"])
    accounts = accounts_of(api, account.id)
    since = utc_now() - timedelta(days=params["event_days"])
    asked = for_each(lambda region: last_event(api, accounts, region, since=since), account.regions_on, concurrency=params["concurrency"])
    shown = [{**as_result(one), "includes_rtm": includes_rtm(one)} for one in accounts]
    return shown, {outcome.item: outcome for outcome in asked}


def event_fields(outcome: Outcome[str, Event | None] | None) -> Result:
    """What an entry tells of the last event."""
    event = outcome.value if outcome else None
    return {
        "last_event_known": outcome is not None and outcome.error is None,
        "last_event_at": to_text(event.time) if event else None,
        "last_event_name": event.name if event else None,
    }


def main() -> None:
    conformity = conformity_spec()
    conformity["api_key"]["required"] = False
    module = AnsibleModule(
        argument_spec={**rtm_spec(), **aws_spec(), **conformity, "event_days": {"type": "int", "default": 7}},
        supports_check_mode=True,
    )
    require_libraries(module, "boto3", "requests")
    try:
        account, results = look(module.params)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    accounts: list[Result] = []
    events: dict[str, Outcome[str, Event | None]] = {}
    problem = None
    try:
        if module.params["api_key"]:
            accounts, events = ask_conformity(module.params, account)
    except CloudOneError as error:
        problem = f"The last events are not known. {error}"
        module.warn(problem)
    for outcome in events.values():
        if outcome.error:
            module.warn(f"{outcome.item}: the last event is not known. {outcome.error}")
    results = [{**result, **event_fields(events.get(result["region"]))} for result in results]
    finish(module, results, of="regions", key="region", account_id=account.id, conformity_accounts=accounts, conformity_problem=problem)


if __name__ == "__main__":
    main()
