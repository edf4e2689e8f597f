#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roll Conformity RTM out over the regions of an AWS account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_rtm
short_description: Roll Conformity Real-Time Threat Monitoring out over the regions of an AWS account
version_added: 1.0.0
description:
  - Makes, repairs or removes in each region what Real-Time Threat Monitoring (RTM) of Trend Cloud One Conformity needs. That is one
    CloudFormation stack with one EventBridge rule, which forwards management events to Conformity's AWS account.
  - All regions are worked on at the same time, and the failure of one never stops another. At the end the module fails if a region has failed,
    and names it. A further run does only what is left to do.
  - In each region it looks at the stack and at the rule, and does only what is needed. A stack that the vendor's script made is left as it is as
    long as it forwards what is wanted.
  - A stack from which CloudFormation finds no way back (V(CREATE_FAILED), V(ROLLBACK_COMPLETE) and the like) is deleted and created again. For
    one on which CloudFormation is at work, the module waits.
  - What was changed behind CloudFormation's back (a rule that was disabled, edited or deleted, a target that was changed or removed) is found
    and put right. Further targets of the rule stay.
  - A rule that belongs to another stack, for example to that of a stack set (V(StackSet-...)), is reported with its owner and left alone.
    The module warns if it does not forward what is wanted. Nothing else is touched, such as the resources of Trend Vision One.
  - A stack whose template has other resources than rules, or not this rule, is never changed or deleted.
options:
  state:
    description:
      - Whether RTM is to be there or not.
      - With V(absent) the stack is deleted, and with it the rule.
    type: str
    choices: [present, absent]
    default: present
  template_url:
    description:
      - URL of a template in S3 to be used instead of the collection's own, for example the vendor's. It must take the parameters
        C(CloudConformityAccountId) and C(EventBusSources) and have the rule C(CloudConformityMonitoring).
      - By default the collection's own template is used, with which nothing has to be downloaded. It has the same parameters and rule.
      - CloudFormation reads it when a stack is created or updated. That its content has changed is no reason for an update. Of the rule's event
        pattern only the account and the sources are compared, since the rest of it is for the template to say.
    type: str
  tags:
    description:
      - Tags for the stack. Other tags that it has, for example those of the vendor's script, stay.
      - CloudFormation also tags the rule, for which the credentials need C(events:TagResource).
    type: dict
    default: {}
  termination_protection:
    description:
      - Whether the stack is to be protected against being deleted. If not given, it is left as it is.
      - With O(state=absent), and where a stack must be deleted to be created again, V(false) switches the protection off first. Otherwise a
        stack that is protected is an error.
    type: bool
  wait_timeout:
    description:
      - How many seconds at most are waited for CloudFormation in each region.
      - When they are over the region has failed. CloudFormation goes on, and a further run does the rest.
    type: int
    default: 600
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_aws
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.rtm
  - trendmicro.cloudone.rtm.regions
  - trendmicro.cloudone.rtm.events
attributes:
  check_mode:
    support: full
    details:
      - Only reads; no change set is made.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - The credentials need the IAM actions C(ec2:DescribeRegions), C(cloudformation:DescribeStacks),
    C(cloudformation:GetTemplate), C(cloudformation:DescribeStackEvents), C(cloudformation:CreateStack), C(cloudformation:UpdateStack),
    C(cloudformation:DeleteStack), C(events:DescribeRule), C(events:ListTargetsByRule), C(events:PutRule), C(events:EnableRule),
    C(events:PutTargets), and, as CloudFormation acts with their rights, also C(events:RemoveTargets), C(events:DeleteRule), and where the stack
    has tags C(events:TagResource). To change the protection of a stack, C(cloudformation:UpdateTerminationProtection).
  - C(cloudformation:DescribeStackResources) tells whose a rule is. It is optional. Without it, a rule where there is no stack of RTM is left
    alone in any case, and reported without its owner.
  - C(cloudformation:UpdateTerminationProtection) is only needed with O(termination_protection).
  - In check mode only the C(Describe), C(Get) and C(List) actions are needed.
  - China and GovCloud are not supported.
  - The rule matches only events that AWS CloudTrail records. Without a trail that is logging, nothing is forwarded.
seealso:
  - module: trendmicro.cloudone.conformity_rtm_info
  - module: trendmicro.cloudone.conformity_trail_info
  - module: trendmicro.cloudone.conformity_rtm_confirmation
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Have RTM in every region, of this account and no other
  trendmicro.cloudone.conformity_rtm:
    expected_account_id: "123456789012"

- name: Have RTM in two regions of another account, protected against being deleted
  trendmicro.cloudone.conformity_rtm:
    assume_role_arn: arn:aws:iam::210987654321:role/conformity-rtm
    expected_account_id: "210987654321"
    regions: [us-east-1, eu-central-1]
    termination_protection: true
    tags:
      Owner: security

- name: Use the vendor's template
  trendmicro.cloudone.conformity_rtm:
    expected_account_id: "123456789012"
    template_url: https://s3-us-west-2.amazonaws.com/cloud-conformity-public-us-west-2/monitoring/event-bus-template.yml

- name: Remove RTM from every region, also where the stack is protected
  trendmicro.cloudone.conformity_rtm:
    state: absent
    expected_account_id: "123456789012"
    termination_protection: false
"""

RETURN = r"""
account_id:
  description: ID of the AWS account.
  type: str
  returned: always, unless the failure concerns all regions
  sample: "123456789012"
regions:
  description: What became of each region, in the order of O(regions).
  type: list
  elements: dict
  returned: always, unless the failure concerns all regions
  contains:
    region:
      description: AWS region.
      type: str
      returned: always
      sample: eu-central-1
    action:
      description:
        - What was done, or in check mode would be done first.
        - V(repair) writes the rule or its target directly, V(recreate) deletes the stack and creates it again, V(skip) is for a region that is
          off, V(blocked) for one in which something must be decided first. V(wait) is only returned in check mode, or if the waiting failed.
      type: str
      returned: always
      sample: create
    status:
      description:
        - How RTM stands then, in check mode how it stands now. One of V(present), V(drifted), V(broken), V(in_progress), V(absent), V(foreign)
          (the rule is not of this stack), V(skipped) and V(failed).
      type: str
      returned: always
      sample: present
    reason:
      description: Why it was done, or why nothing was done. Null if there is nothing to say.
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
        - In what it differs from what is wanted, after the run, in check mode now. Any of V(parameters), V(tags), V(termination_protection),
          V(rule_missing), V(rule_disabled), V(pattern), V(older_pattern) (without C(detail.eventCategory)) and V(target).
        - Empty where neither a stack nor a rule is.
      type: list
      elements: str
      returned: always
      sample: []
    changed:
      description: Whether anything was written, or would be in check mode.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether this region failed.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
      sample: >-
        The stack CloudConformityMonitoring in eu-central-1 is still CREATE_IN_PROGRESS when the time for waiting (wait_timeout) is over.
        CloudFormation goes on with it; run again to have the rest done.
"""

from functools import partial

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.account import find_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import read_wanted, rtm_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.rollout import Context, roll_out


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "template_url": {"type": "str"},
            "tags": {"type": "dict", "default": {}},
            "termination_protection": {"type": "bool"},
            "wait_timeout": {"type": "int", "default": 600},
            **rtm_spec(),
            **aws_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    params = module.params
    try:
        wanted = read_wanted(params)
        clients = AwsClients(params, concurrency=params["concurrency"])
        account = find_account(clients, params)
        context = Context(clients, account.id, wanted, params["wait_timeout"], module.check_mode)
        reports = account.in_each_region(partial(roll_out, context), concurrency=params["concurrency"])
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    results = [report.result(wanted) for report in reports]
    for result in results:
        if wanted.present and result["status"] == "foreign" and result["drift"]:
            module.warn(f"{result['region']}: {result['reason']}")
    differences = [report.difference(wanted, check_mode=module.check_mode) for report in reports]
    diff = {"diff": [difference for difference in differences if difference]} if module._diff else {}
    finish(module, results, of="regions", key="region", account_id=account.id, **diff)


if __name__ == "__main__":
    main()
