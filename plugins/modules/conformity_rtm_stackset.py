#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roll Conformity RTM out over an AWS organisation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_rtm_stackset
short_description: Roll Conformity Real-Time Threat Monitoring out over an AWS organization
version_added: 1.0.0
description:
  - Makes, changes, repairs or removes one CloudFormation stack set with C(SERVICE_MANAGED) permissions, which has in each account of
    organizational units and in each region what Real-Time Threat Monitoring (RTM) of Trend Cloud One Conformity needs. That is one stack with
    one EventBridge rule, the same as M(trendmicro.cloudone.conformity_rtm) makes.
  - With O(auto_deployment), which is the default, accounts that join the organizational units later get it by themselves.
  - B(The management account of the organization is not covered.) Stack sets with C(SERVICE_MANAGED) permissions never deploy into it. Cover it
    with M(trendmicro.cloudone.conformity_rtm), as in the examples.
  - It looks at the stack set and its instances, and does only what is needed. Stack instances that are not up to date, since they failed before
    or an operation was stopped, are tried again, and no others.
  - While CloudFormation is at work on the stack set, the module waits. So two runs at the same time, or a run after one that was killed, come to
    the same.
  - The failure of one account or region never stops another, with the default O(failure_tolerance_percentage). At the end the module fails if a
    stack instance is not up to date, and names it with CloudFormation's reason. A further run tries only these again.
  - A stack set of that name that is C(SELF_MANAGED), or whose template has other resources than rules, or not this rule, is never changed or
    deleted.
options:
  state:
    description:
      - Whether the stack set is to be there or not.
      - With V(absent) all its stack instances are deleted, in whatever organizational unit and region, and with them the rules. Then the stack set
        itself is deleted. To keep the stacks, see O(retain_stacks).
    type: str
    choices: [present, absent]
    default: present
  expected_account_id:
    description:
      - ID of the AWS account that the credentials must belong to. With those of any other account the module fails, before anything is changed.
    type: str
  stack_set_name:
    description:
      - Name of the stack set.
      - The stacks in the accounts are named by CloudFormation, V(StackSet-CloudConformityMonitoring-...). The rule is always named
        V(CloudConformityMonitoring).
    type: str
    default: CloudConformityMonitoring
  administration_region:
    description:
      - AWS region in which the stack set itself is kept. It says nothing about where RTM is rolled out.
      - Name the same one in each run. Elsewhere the stack set is not found, and a second one would fail to create rules that exist already.
    type: str
    default: us-east-1
  call_as:
    description:
      - V(SELF) if the credentials belong to the organization's management account, V(DELEGATED_ADMIN) if they belong to a member account that is
        registered as a delegated administrator for CloudFormation StackSets.
    type: str
    choices: [SELF, DELEGATED_ADMIN]
    default: SELF
  organizational_units:
    description:
      - IDs of the organizational units, such as V(ou-abcd-12345678), or of the root (V(r-abcd)) for the whole organization. Those below are
        included.
      - Needed with O(state=present). Stack instances in other organizational units are left as they are; so are those in other regions.
    type: list
    elements: str
    default: []
  regions:
    description:
      - The AWS regions in which each account gets RTM.
      - The default is those of the regions that the vendor supports that no account can switch off. The vendor also supports V(me-south-1),
        V(ap-east-1), V(af-south-1) and V(eu-south-1). Add one of these if it is switched on in the management account and in all the accounts.
        AWS demands both. In an account in which it is off the stack instance fails, each time.
      - With O(call_as=SELF), a region that is switched off in the management account is an error, before anything is changed. So is one that AWS
        does not know.
    type: list
    elements: str
    default:
      - us-east-1
      - us-east-2
      - us-west-1
      - us-west-2
      - ap-south-1
      - ap-northeast-2
      - ap-southeast-1
      - ap-southeast-2
      - ap-northeast-1
      - eu-central-1
      - eu-west-1
      - eu-west-2
      - eu-west-3
      - eu-north-1
      - sa-east-1
      - ca-central-1
      - ap-northeast-3
  auto_deployment:
    description:
      - Whether accounts that join the organizational units get RTM, and those that leave them lose it.
      - Without it, accounts that join an organizational unit that is covered already get nothing.
    type: bool
    default: true
  retain_stacks_on_account_removal:
    description:
      - Whether the stacks stay in accounts that leave the organizational units. Only with O(auto_deployment).
    type: bool
    default: false
  retain_stacks:
    description:
      - Whether the stacks stay in the accounts when the stack set is deleted. Only with O(state=absent).
    type: bool
    default: false
  failure_tolerance_percentage:
    description:
      - In how many percent of the accounts in a region an operation may fail before CloudFormation stops it. From 0 to 100.
    type: int
    default: 100
  max_concurrent_percentage:
    description:
      - In how many percent of the accounts CloudFormation works at the same time. From 1 to 100. In any case it works in all regions at the same
        time.
    type: int
    default: 100
  template_url:
    description:
      - URL of a template in S3 to be used instead of the collection's own, for example the vendor's. It must take the parameters
        C(CloudConformityAccountId) and C(EventBusSources) and have the rule C(CloudConformityMonitoring).
      - CloudFormation reads it when the stack set is created or updated. That its content has changed, or that the stack set has another
        template of RTM, is no reason for an update.
      - Without it, the stack set has the collection's own template, judged by its resources.
    type: str
  tags:
    description:
      - Tags for the stack set, which CloudFormation also gives to the stacks and the rules. Other tags that it has stay.
    type: dict
    default: {}
  wait_timeout:
    description:
      - How many seconds at most are waited for CloudFormation altogether.
      - When they are over the module fails. CloudFormation goes on, and a further run does the rest.
    type: int
    default: 3600
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_aws
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.rtm.events
attributes:
  check_mode:
    support: full
    details:
      - Only reads. The accounts that stack instances will be created in are not known before.
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - CloudFormation StackSets need trusted access to the organization. It is activated once, in the management account, in the console or with
    C(aws cloudformation activate-organizations-access). This module never does that by itself, but says so if it is missing.
  - The credentials need the IAM actions C(ec2:DescribeRegions), C(cloudformation:DescribeOrganizationsAccess),
    C(cloudformation:DescribeStackSet), C(cloudformation:ListStackInstances), C(cloudformation:ListStackSetAutoDeploymentTargets),
    C(cloudformation:ListStackSetOperations), C(cloudformation:DescribeStackSetOperation), C(cloudformation:CreateStackSet),
    C(cloudformation:UpdateStackSet), C(cloudformation:CreateStackInstances), C(cloudformation:DeleteStackInstances) and
    C(cloudformation:DeleteStackSet). With O(tags) also C(cloudformation:TagResource).
  - In check mode only the C(Describe), C(Get) and C(List) actions are needed.
  - In the accounts no rights are needed. CloudFormation uses roles there that it makes by itself.
  - An account in which another stack holds the rule, for example that of the vendor's script, fails, since two stacks cannot hold one rule.
    Remove that stack with M(trendmicro.cloudone.conformity_rtm), or leave the account out of the organizational units.
  - What was changed behind CloudFormation's back in an account, for example a rule that was disabled, is not seen here.
    M(trendmicro.cloudone.conformity_rtm_info) with the credentials of the account shows it.
  - The rule matches only events that AWS CloudTrail records. Without a trail that is logging, nothing is forwarded.
seealso:
  - module: trendmicro.cloudone.conformity_rtm
  - module: trendmicro.cloudone.conformity_rtm_info
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
# Together these two cover an organization: the first all accounts but the management account, the second that one.
- name: Have RTM in all accounts of the organization
  trendmicro.cloudone.conformity_rtm_stackset:
    expected_account_id: "123456789012"
    organizational_units: [r-abcd]

- name: Have RTM in the management account, which stack sets never reach
  trendmicro.cloudone.conformity_rtm:
    expected_account_id: "123456789012"

- name: Have RTM in two organizational units, in all regions that the vendor supports, as a delegated administrator
  trendmicro.cloudone.conformity_rtm_stackset:
    assume_role_arn: arn:aws:iam::210987654321:role/stack-sets
    call_as: DELEGATED_ADMIN
    organizational_units: [ou-abcd-11111111, ou-abcd-22222222]
    regions:
      - us-east-1
      - us-east-2
      - us-west-1
      - us-west-2
      - ap-south-1
      - ap-northeast-2
      - ap-southeast-1
      - ap-southeast-2
      - ap-northeast-1
      - eu-central-1
      - eu-west-1
      - eu-west-2
      - eu-west-3
      - eu-north-1
      - sa-east-1
      - ca-central-1
      - me-south-1
      - ap-east-1
      - af-south-1
      - eu-south-1
      - ap-northeast-3
    tags:
      Owner: security

- name: Remove RTM from all accounts that the stack set reached
  trendmicro.cloudone.conformity_rtm_stackset:
    state: absent
    expected_account_id: "123456789012"
"""

RETURN = r"""
account_id:
  description: ID of the AWS account that the credentials belong to.
  type: str
  returned: always, unless the options or the account are refused
  sample: "123456789012"
action:
  description:
    - What was done, or in check mode would be done first. V(extend) adds organizational units or regions, V(retry) tries again what is not up to
      date, V(blocked) is for a stack set for which something must be decided first. V(wait) is only returned in check mode, or if the waiting
      failed.
    - One of V(none), V(wait), V(create), V(update), V(retry), V(extend), V(delete) and V(blocked).
  type: str
  returned: always, unless the options or the account are refused
  sample: create
reason:
  description: Why it was done, or why nothing was done. Null if there is nothing to say.
  type: str
  returned: always, unless the options or the account are refused
  sample: There is no stack set CloudConformityMonitoring.
stack_set_id:
  description: ID of the stack set. Null if there is none.
  type: str
  returned: always, unless the options or the account are refused
  sample: CloudConformityMonitoring:0f2d5a10-0000-0000-0000-000000000000
stack_set_status:
  description: State of the stack set in CloudFormation. Null if there is none.
  type: str
  returned: always, unless the options or the account are refused
  sample: ACTIVE
instances:
  description: How each stack instance stands, by account and region.
  type: list
  elements: dict
  returned: always, unless the options or the account are refused
  contains:
    account_id:
      description: ID of the AWS account.
      type: str
      returned: always
      sample: "210987654321"
    organizational_unit:
      description: ID of the organizational unit, or root, by which the account was reached.
      type: str
      returned: always
      sample: ou-abcd-11111111
    region:
      description: AWS region.
      type: str
      returned: always
      sample: eu-central-1
    status:
      description: V(CURRENT), V(OUTDATED) or V(INOPERABLE), as CloudFormation says it.
      type: str
      returned: always
      sample: CURRENT
    detailed_status:
      description:
        - What became of the last operation on it, as CloudFormation says it. V(PENDING), V(RUNNING), V(SUCCEEDED), V(FAILED), V(CANCELLED),
          V(INOPERABLE), V(SKIPPED_SUSPENDED_ACCOUNT) or V(FAILED_IMPORT). Null if it does not.
        - An account that is suspended (V(SKIPPED_SUSPENDED_ACCOUNT)) does not count as failed.
      type: str
      returned: always
      sample: SUCCEEDED
    reason:
      description: CloudFormation's reason for the state, or null.
      type: str
      returned: always
      sample: "ResourceLogicalId:CloudConformityMonitoring, ResourceStatusReason:CloudConformityMonitoring already exists."
    failed:
      description:
        - Whether it is not as it was to be. Never in check mode, nor for stack instances in other organizational units and regions than the
          wanted ones.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
      sample: "The stack instance is OUTDATED, FAILED: The rule already exists."
operations:
  description: CloudFormation's operations on the stack set that were begun or waited for.
  type: list
  elements: dict
  returned: always, unless the options or the account are refused
  contains:
    operation_id:
      description: ID of the operation.
      type: str
      returned: always
      sample: 61726d61-0000-0000-0000-000000000000
    action:
      description: V(CREATE), V(UPDATE) or V(DELETE) (of stack instances), or V(DETECT_DRIFT).
      type: str
      returned: always
      sample: CREATE
    status:
      description: How it ended, or stood last. V(SUCCEEDED) does not mean that no stack instance failed, see O(failure_tolerance_percentage).
      type: str
      returned: always
      sample: SUCCEEDED
    reason:
      description: CloudFormation's reason for the status, or null.
      type: str
      returned: always
      sample: null
management_account_covered:
  description: Always V(false), since stack sets with C(SERVICE_MANAGED) permissions never deploy into the management account.
  type: bool
  returned: always, unless the options or the account are refused
  sample: false
management_account_hint:
  description: What to do about that.
  type: str
  returned: always, unless the options or the account are refused
  sample: Stack sets never deploy into the organization's management account. Cover it with the module conformity_rtm.
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.account import find_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import events_spec, read_wanted_set, stack_set_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset import refuse_regions_off, roll_out_set


def main() -> None:
    module = AnsibleModule(argument_spec={**stack_set_spec(), **events_spec(), **aws_spec()}, supports_check_mode=True)
    require_libraries(module, "boto3")
    params, check_mode = module.params, module.check_mode
    try:
        wanted = read_wanted_set(params)
        clients = AwsClients(params, concurrency=1)
        account = find_account(clients, params)
        refuse_regions_off(account, wanted)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    report = roll_out_set(clients, wanted, region=params["administration_region"], wait_timeout=params["wait_timeout"], check_mode=check_mode)
    result = {"account_id": account.id, **report.result(wanted, check_mode=check_mode)}
    if module._diff:
        result["diff"] = report.difference(wanted, check_mode=check_mode)
    failure = report.failure(result)
    if failure:
        module.fail_json(msg=failure, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
