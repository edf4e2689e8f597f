#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_ssh_access
short_description: Open and close SSH to the management interfaces of appliances
version_added: 1.0.0
description:
  - Opens SSH by lending. In each VPC one temporary security group is created, which lets in nothing but SSH from O(source_cidrs), and is attached to
    the management interfaces of the appliances, beside the groups that they have. Closing detaches and deletes it. No other group is ever changed.
  - The group is named C(nsva-ssh-<access_id>). The tags C(trendmicro.cloudone:ssh-access) and C(trendmicro.cloudone:expires-at) say who lent it, and
    from when on any other run may take it back. AWS itself does nothing at that time.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.concurrency
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_aws
attributes:
  check_mode:
    support: full
    details:
      - Changes nothing, but asks EC2 whether it would permit each change (C(DryRun)). Fails for an appliance where it would not.
      - A permission that is given only for groups with the tag cannot be proved before there is such a group. Then there is a warning.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) opens SSH to O(appliances). A group that was created is attached only after EC2 has said that it would permit to delete it again
        (C(DryRun)); where it would not, the appliances of that VPC fail.
      - V(absent) closes what was opened with this O(access_id) in the regions, and also what any other run has lent to O(appliances), which is what
        a run that was killed left open. It finds everything by tags, so it needs no O(appliances), unless they are in several AWS accounts. Without
        them, only the account of the AWS options is searched, and with them the accounts that they are in.
    type: str
    choices:
      - present
      - absent
    default: present
  access_id:
    description:
      - Name for what is opened, by which it is closed later. Use another one for each run, so that runs do not close each other's access.
      - Letters, digits, dots, dashes and underscores.
    type: str
    required: true
  appliances:
    description:
      - The appliances, each EC2 instance once. Required to open.
    type: list
    elements: dict
    suboptions:
      instance_id:
        description:
          - EC2 instance ID of the appliance.
        type: str
        required: true
      region:
        description:
          - AWS region of the instance. Saves searching O(regions).
        type: str
      management_interface:
        description:
          - ID of the network interface for management (V(eni-...)). Needed only where it cannot be told from what EC2 says about the instance.
          - Not needed to close.
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
  regions:
    description:
      - AWS regions to search for appliances whose region is not known, and in which to close.
      - If empty, only the regions of O(appliances) are searched, or else the region of the AWS options.
    type: list
    elements: str
    default: []
  source_cidrs:
    description:
      - Networks that SSH comes from, for example V(203.0.113.7/32) for a bastion host. Required to open.
    type: list
    elements: str
    default: []
  allow_any_source:
    description:
      - Allow O(source_cidrs) that let in every address, such as V(0.0.0.0/0).
    type: bool
    default: false
  port:
    description:
      - TCP port of SSH.
    type: int
    default: 22
  expires_after:
    description:
      - After so many minutes any other run may close what this one opened.
    type: int
    default: 120
  close_expired:
    description:
      - Also close, in the same regions, what other runs opened and has expired.
    type: bool
    default: true
notes:
  - The IAM actions needed to open are C(ec2:DescribeInstances), C(ec2:DescribeSecurityGroups), C(ec2:DescribeNetworkInterfaces),
    C(ec2:CreateSecurityGroup), C(ec2:CreateTags), C(ec2:AuthorizeSecurityGroupIngress), C(ec2:RevokeSecurityGroupEgress),
    C(ec2:ModifyNetworkInterfaceAttribute) and C(ec2:DeleteSecurityGroup). Also C(ec2:RevokeSecurityGroupIngress) if O(source_cidrs) or O(port)
    change while SSH is open, C(ec2:DescribeAccountAttributes) for interfaces with five security groups or more, and what
    M(trendmicro.cloudone.netsec_certificate_info) needs to tell the management interface, where it is not given.
  - The IAM actions needed to close are C(ec2:DescribeSecurityGroups), C(ec2:DescribeNetworkInterfaces), C(ec2:ModifyNetworkInterfaceAttribute) and
    C(ec2:DeleteSecurityGroup).
  - The actions on security groups, but C(ec2:CreateSecurityGroup), can be limited to groups that have the tag C(trendmicro.cloudone:ssh-access).
"""

EXAMPLES = r"""
- name: Open SSH from the bastion host
  trendmicro.cloudone.netsec_ssh_access:
    access_id: job-4711
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
    source_cidrs:
      - 203.0.113.7/32
  delegate_to: localhost

- name: Close it again
  trendmicro.cloudone.netsec_ssh_access:
    state: absent
    access_id: job-4711
    regions:
      - eu-central-1
  delegate_to: localhost
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
      description: Whether a group was attached or detached.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether SSH could not be opened or closed.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why not.
      type: str
      returned: if it failed
      sample: eni-0123456789abcdef0, the management interface of i-0123456789abcdef0, is gone.
    interface_id:
      description: The management interface.
      type: str
      returned: if O(state=present) and it did not fail
      sample: eni-0123456789abcdef0
    private_ip:
      description: Its private address.
      type: str
      returned: if O(state=present) and it did not fail
      sample: 10.0.0.10
    group_id:
      description: The group that was lent. V(null) in check mode, if it would have to be created.
      type: str
      returned: if O(state=present) and it did not fail
      sample: sg-0123456789abcdef0
groups:
  description: The security groups that were taken back.
  returned: if O(state=absent)
  type: list
  elements: dict
  contains:
    group_id:
      description: ID of the group.
      type: str
      returned: always
      sample: sg-0123456789abcdef0
    access_id:
      description: Who lent it.
      type: str
      returned: always
      sample: job-4711
    region:
      description: AWS region of the group.
      type: str
      returned: always
      sample: eu-central-1
    vpc_id:
      description: VPC of the group.
      type: str
      returned: always
      sample: vpc-0123456789abcdef0
    interface_ids:
      description: The interfaces that it was detached from.
      type: list
      elements: str
      returned: always
      sample: ["eni-0123456789abcdef0"]
    deleted:
      description: Whether it was deleted, which it is not while interfaces of appliances that were not named have it.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether it could not be taken back.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why not.
      type: str
      returned: if it failed
      sample: eni-0123456789abcdef0 has no security group but what was lent to it. Attach one of your own to it, then close SSH access again.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import refuse_duplicates
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access import Context
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_close import Closed, close_access
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_open import open_access
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_plan import Access, Return, check_access_id, parse_access
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_targets import Target, find_targets
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, concurrency_spec, ec2_appliances_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import appliances_in_each_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import utc_now

Params = t.Mapping[str, t.Any]


def context_of(params: Params, clients: AwsClients, *, check_mode: bool) -> Context:
    """How to work in one account."""
    return Context(clients, utc_now(), params["concurrency"], check_mode)


def open_everywhere(params: Params, *, check_mode: bool) -> tuple[list[Outcome[str, Result]], list[str]]:
    """Open SSH to each appliance, whatever account it is in.

    :returns: one outcome for each appliance, in their order; and warnings.
    :raises CloudOneError: if what is asked for is not valid, or nothing can be asked of AWS.
    """
    warnings: list[str] = []
    access = parse_access(
        params["access_id"],
        params["source_cidrs"],
        port=params["port"],
        minutes=params["expires_after"],
        allow_any_source=params["allow_any_source"],
    )

    def open_account(clients: AwsClients, appliances: list[Result]) -> list[Outcome[str, Result]]:
        outcomes, further = open_all(params, context_of(params, clients, check_mode=check_mode), access, appliances)
        warnings.extend(further)
        return outcomes

    return appliances_in_each_account(params, open_account), warnings


def open_all(params: Params, context: Context, access: Access, appliances: t.Sequence[Result]) -> tuple[list[Outcome[str, Result]], list[str]]:
    """Open SSH to each appliance of an account.

    :returns: one outcome for each appliance, in their order; and warnings.
    :raises CloudOneError: if nothing can be asked of AWS.
    """
    found = find_targets(context.clients, appliances, params["regions"], concurrency=context.concurrency)
    opening = open_access(context, access, [outcome.value for outcome in found if outcome.value], close_expired=params["close_expired"])
    opened = {outcome.item.instance_id: outcome for outcome in opening.outcomes}

    def report(outcome: Outcome[str, Target]) -> Result:
        interface = outcome.result().interface
        lent = opened[outcome.item].result()
        return {"changed": lent.changed, "interface_id": interface.id, "private_ip": interface.private_ip, "group_id": lent.group_id}

    reports = for_each(report, found, concurrency=1)
    return [Outcome(outcome.item.item, outcome.value, outcome.error) for outcome in reports], list(opening.warnings)


def close_everywhere(params: Params, *, check_mode: bool) -> tuple[list[Outcome[str, Result]], list[Closed]]:
    """Close SSH in the account of each appliance; without any, in the account of the AWS options.

    :returns: one outcome for each appliance, in their order; and what was closed in each account that could be asked.
    :raises CloudOneError: if what is asked for is not valid, or nothing can be asked of AWS.
    """
    check_access_id(params["access_id"])
    accounts: list[Closed] = []

    def close_account(clients: AwsClients, appliances: list[Result]) -> list[Outcome[str, Result]]:
        closed = close_all(params, context_of(params, clients, check_mode=check_mode), appliances)
        accounts.append(closed)
        return report_closed(appliances, closed)

    if params["appliances"]:
        return appliances_in_each_account(params, close_account), accounts
    return close_account(AwsClients(params, concurrency=params["concurrency"]), []), accounts


def close_all(params: Params, context: Context, appliances: t.Sequence[Result]) -> Closed:
    """Close in an account what :func:`open_all` opened, and what was left over.

    :raises CloudOneError: if nothing can be asked of AWS.
    """
    regions = [appliance["region"] for appliance in appliances if appliance["region"]]
    if params["regions"] or len(regions) < len(appliances) or not appliances:
        regions += context.clients.regions(params["regions"])
    instance_ids = {appliance["instance_id"] for appliance in appliances}
    return close_access(context, regions, access_id=params["access_id"], instance_ids=instance_ids, expired=params["close_expired"])


def report_closed(appliances: t.Iterable[t.Mapping[str, t.Any]], closed: Closed) -> list[Outcome[str, Result]]:
    """What closing meant for each of the named appliances."""

    def report(appliance: t.Mapping[str, t.Any]) -> Result:
        for region, error in closed.errors.items():
            if appliance["region"] in (None, region):
                raise error
        holding = {borrower.id for borrower in closed.borrowers.values() if borrower.instance_id == appliance["instance_id"]}
        taken_back = [outcome for outcome in closed.returns if holding & outcome.item.interface_ids]
        for outcome in taken_back:
            outcome.result()
        return {"changed": bool(taken_back)}

    reports = for_each(report, appliances, concurrency=1)
    return [Outcome(outcome.item["instance_id"], outcome.value, outcome.error) for outcome in reports]


def group_entry(outcome: Outcome[Return, None]) -> Result:
    """One entry of the return value ``groups``."""
    group = outcome.item.group
    return {
        "group_id": group.id,
        "access_id": group.access_id,
        "region": group.region,
        "vpc_id": group.vpc_id,
        "interface_ids": sorted(outcome.item.interface_ids),
        "deleted": outcome.item.delete and outcome.error is None,
        "failed": outcome.error is not None,
        **({"msg": str(outcome.error)} if outcome.error else {}),
    }


def finish_closing(module: AnsibleModule, outcomes: t.Sequence[Outcome[str, Result]], accounts: t.Sequence[Closed]) -> t.NoReturn:
    """End the module. It fails if anything may still be open, also where that concerns none of the named appliances."""
    returns = [outcome for closed in accounts for outcome in closed.returns]
    result = {
        "changed": any(outcome.error is None for outcome in returns),
        "appliances": entries(outcomes),
        "groups": [group_entry(outcome) for outcome in returns],
    }
    problems = [f"{region}: {error}" for closed in accounts for region, error in closed.errors.items()]
    problems += [f"{outcome.item.group.id} in {outcome.item.group.region}: {outcome.error}" for outcome in returns if outcome.error]
    # What is left are accounts that could not be asked at all.
    reasons = dict.fromkeys(str(outcome.error) for outcome in outcomes if outcome.error)
    problems += [reason for reason in reasons if not any(reason in problem for problem in problems)]
    if problems:
        module.fail_json(msg="\n".join(["SSH could not be closed everywhere.", *problems]), **result)
    module.exit_json(**result)


def main() -> None:
    appliances = ec2_appliances_spec()
    appliances["appliances"]["required"] = False
    module = AnsibleModule(
        argument_spec={
            **aws_spec(),
            **appliances,
            **concurrency_spec(),
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "access_id": {"type": "str", "required": True},
            "source_cidrs": {"type": "list", "elements": "str", "default": []},
            "allow_any_source": {"type": "bool", "default": False},
            "port": {"type": "int", "default": 22},
            "expires_after": {"type": "int", "default": 120},
            "close_expired": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ("appliances",))],
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    params = module.params
    try:
        refuse_duplicates(appliance["instance_id"] for appliance in params["appliances"] or [])
        if params["state"] == "absent":
            finish_closing(module, *close_everywhere(params, check_mode=module.check_mode))
        outcomes, warnings = open_everywhere(params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    finish(module, entries(outcomes))


if __name__ == "__main__":
    main()
