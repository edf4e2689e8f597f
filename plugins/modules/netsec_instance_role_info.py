#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whether the IAM roles of appliances let them stream logs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_instance_role_info
short_description: Tell whether the IAM roles of appliances let them stream logs
version_added: 1.0.0
description:
  - An appliance streams its logs to Amazon CloudWatch Logs with the IAM role of its EC2 instance. This module tells for many appliances at once whether
    there is such a role, and whether its policies allow what the appliance needs.
  - IAM itself judges the policies (C(iam:SimulatePrincipalPolicy)). It is asked once for each role and region, however many appliances have the role.
  - A role that does not suffice is a finding, not a failure. See RV(appliances[].allowed).
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.ec2_appliances
  - trendmicro.cloudone.concurrency
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_aws
options:
  actions:
    description:
      - The IAM actions that the role has to allow. The default is what the vendor's template allows to an appliance.
      - They are judged for all resources (C(*)), as they are allowed in that template. A role that is limited to certain log groups is therefore said to
        lack the actions on logs. If you have such a role, name only the other actions here.
    type: list
    elements: str
    default:
      - cloudwatch:PutMetricData
      - logs:DescribeLogStreams
      - logs:CreateLogGroup
      - logs:CreateLogStream
      - logs:PutLogEvents
      - ec2:DescribeTags
notes:
  - The IAM actions needed are C(ec2:DescribeInstances), C(iam:GetInstanceProfile) and C(iam:SimulatePrincipalPolicy). Without the latter two the module
    does not fail, but cannot tell; then RV(appliances[].allowed) is V(null).
  - IAM considers the policies and the permissions boundary of the role, and the service control policies of the organization. It does not see other
    limits, such as the policy of a VPC endpoint. Conditions in policies are judged with C(aws:RequestedRegion) being the region of the instance.
  - O(appliances[].management_interface) is not used. It is accepted so that the same list of appliances can be given to all modules.
seealso:
  - module: trendmicro.cloudone.netsec_cloudwatch_logconfig
  - module: trendmicro.cloudone.netsec_log_delivery_info
    description: Proves that logs really arrive.
"""

EXAMPLES = r"""
- name: Check the roles of two appliances
  trendmicro.cloudone.netsec_instance_role_info:
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
      - instance_id: i-0fedcba9876543210
    regions:
      - eu-central-1
      - us-east-1
  register: roles
  delegate_to: localhost

- name: Stop if one of them does not suffice
  ansible.builtin.assert:
    that: item.allowed is not false
    fail_msg: "{{ item.instance_id }}: {{ item.reason }}"
  loop: "{{ roles.appliances }}"
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
      description: Whether nothing could be found out about this appliance, for example because there is no such instance.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why nothing could be found out.
      type: str
      returned: if it failed
      sample: >-
        There is no EC2 instance i-0123456789abcdef0 in eu-central-1 for these AWS credentials. Check the id, the region and the account. Leave out
        appliances that the vendor hosts: their instances are in accounts of the vendor.
    region:
      description: AWS region of the instance.
      type: str
      returned: if it did not fail
      sample: eu-central-1
    instance_profile_arn:
      description: The instance profile of the instance, or V(null) if it has none.
      type: str
      returned: if it did not fail
      sample: arn:aws:iam::123456789012:instance-profile/network-security
    role_arn:
      description: The role in the instance profile. V(null) if there is none, or if it may not be read.
      type: str
      returned: if it did not fail
      sample: arn:aws:iam::123456789012:role/network-security
    allowed:
      description:
        - Whether there is a role, and it allows all of O(actions).
        - V(null) if this cannot be told, because the AWS credentials do not allow to ask IAM.
      type: bool
      returned: if it did not fail
      sample: false
    missing_actions:
      description: Those of O(actions) that the role does not allow. Empty if RV(appliances[].allowed) is V(null).
      type: list
      elements: str
      returned: if it did not fail
      sample: ["logs:PutLogEvents"]
    reason:
      description: A sentence that says why, and what to do.
      type: str
      returned: if it did not fail
      sample: >-
        The role arn:aws:iam::123456789012:role/network-security does not allow logs:PutLogEvents (no policy allows it).
        Allow this to the role, on all resources.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.instance_role import STREAMING_ACTIONS, check_roles
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import for_each_found, refuse_duplicates
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, concurrency_spec, ec2_appliances_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import appliances_in_each_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, regions_to_search, require_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish


def check_all(params: t.Mapping[str, t.Any]) -> list[Outcome[str, Result]]:
    """One outcome for each appliance, in their order."""
    concurrency = params["concurrency"]
    refuse_duplicates(appliance["instance_id"] for appliance in params["appliances"])

    def check_account(clients: AwsClients, appliances: list[Result]) -> list[Outcome[str, Result]]:
        searched = regions_to_search(clients, appliances, params["regions"])
        found = for_each(require_instances(clients, searched, concurrency=concurrency), searched, concurrency=1)
        judge = check_roles(clients, [outcome.value for outcome in found if outcome.value], params["actions"], concurrency=concurrency)

        def check(_instance_id: str, instance: Instance) -> Result:
            return {"region": instance.region, **judge(instance).as_result()}

        return for_each_found(found, check, concurrency=1)

    return appliances_in_each_account(params, check_account)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **aws_spec(),
            **ec2_appliances_spec(),
            **concurrency_spec(),
            "actions": {"type": "list", "elements": "str", "default": list(STREAMING_ACTIONS)},
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    try:
        outcomes = check_all(module.params)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, entries(outcomes))


if __name__ == "__main__":
    main()
