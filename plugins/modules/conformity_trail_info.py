#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether AWS CloudTrail records the events that RTM needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_trail_info
short_description: Tell whether AWS CloudTrail records the events that Conformity Real-Time Threat Monitoring needs
version_added: 1.0.0
description:
  - The rule of Real-Time Threat Monitoring (RTM) matches only events that a trail of AWS CloudTrail records. Without a trail that is switched on and
    records management events, nothing is ever forwarded, and nothing tells so.
  - Finds for each region the trails that are for it, among them those for all regions and those of the organization, and reads whether they are
    switched on and which management events they record. Event data stores of CloudTrail Lake are no trails and do not count.
  - Warns about regions whose events no trail records.
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_aws
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.rtm.regions
notes:
  - The credentials need the IAM actions C(ec2:DescribeRegions), C(cloudtrail:DescribeTrails), C(cloudtrail:GetTrailStatus)
    and C(cloudtrail:GetEventSelectors). The last is asked only about a trail with event selectors of its own.
  - Of a trail of the organization, its own account may not be told everything. What AWS refuses to tell is returned as unknown.
seealso:
  - module: trendmicro.cloudone.conformity_rtm
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: See whether CloudTrail records what RTM needs
  trendmicro.cloudone.conformity_trail_info:
    expected_account_id: "123456789012"
  register: trails

- name: Show the regions in which RTM would be blind
  ansible.builtin.debug:
    msg: "{{ trails.regions | selectattr('recorded', 'eq', false) | map(attribute='region') | list }}"
"""

RETURN = r"""
account_id:
  description: ID of the AWS account.
  type: str
  returned: always, unless the failure concerns all regions
  sample: "123456789012"
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
    recorded:
      description: Whether a trail records management events of calls that change something. Null if that is not known.
      type: bool
      returned: always
      sample: true
    trails:
      description: Names of the trails that do, or of those that may if it is not known.
      type: list
      elements: str
      returned: always
      sample: [management-events]
    reason:
      description: Why the events are not recorded, or which of them are left out. Null if there is nothing to say.
      type: str
      returned: always
      sample: "CloudTrail leaves out: kms.amazonaws.com."
    changed:
      description: Always false.
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether AWS could not be asked about this region.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it could not.
      type: str
      returned: when it failed
      sample: >-
        AWS refused cloudtrail:DescribeTrails in eu-central-1 (AccessDeniedException): User: arn:aws:iam::123456789012:user/ops is not authorized to
        perform: cloudtrail:DescribeTrails because no identity-based policy allows the cloudtrail:DescribeTrails action. Allow the IAM action
        cloudtrail:DescribeTrails to the AWS credentials that are used.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.account import find_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import regions_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.trail_search import find_coverage
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.trails import Coverage


def as_result(outcome: Outcome[str, Coverage]) -> Result:
    found = outcome.value
    return {
        "region": outcome.item,
        "recorded": found.recorded if found else None,
        "trails": list(found.trails) if found else [],
        "reason": found.reason if found else None,
        "changed": False,
        "failed": outcome.error is not None,
        **({"msg": str(outcome.error)} if outcome.error else {}),
    }


def warning(results: list[Result]) -> str:
    """What to say of regions whose events are not recorded; empty if there are none."""
    blind = [result for result in results if result["recorded"] is False]
    if not blind:
        return ""
    reasons = " ".join(dict.fromkeys(result["reason"] for result in blind))
    names = ", ".join(result["region"] for result in blind)
    return (
        f"Real-Time Threat Monitoring gets no events from {names}: its rule matches only what a trail of CloudTrail records. {reasons} "
        "Have a trail for all regions that is switched on and records management events."
    )


def main() -> None:
    module = AnsibleModule(argument_spec={**regions_spec(), **aws_spec()}, supports_check_mode=True)
    require_libraries(module, "boto3")
    params = module.params
    try:
        clients = AwsClients(params, concurrency=params["concurrency"])
        account = find_account(clients, params)
        results = [as_result(outcome) for outcome in find_coverage(clients, account.regions_on, concurrency=params["concurrency"])]
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    if warning(results):
        module.warn(warning(results))
    finish(module, results, of="regions", key="region", account_id=account.id)


if __name__ == "__main__":
    main()
