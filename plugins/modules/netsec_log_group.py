#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create log groups in CloudWatch Logs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_log_group
short_description: Create the log groups to which appliances stream
version_added: 1.0.0
description:
  - Creates log groups of Amazon CloudWatch Logs in one or several regions, and sets their retention, their KMS key and their tags.
  - An appliance creates the log groups that it streams to by itself. They are then not encrypted with a key of yours, and keep events for ever. So it is
    of use to create them before, or to change them afterwards.
  - Log groups are never deleted.
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
      - Only reads. CloudWatch Logs does not tell whether it would permit a change, so missing permissions are not found.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  log_groups:
    description:
      - The log groups, each name once.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the log group. 1 to 512 letters, digits and the characters V(_), V(-), V(/), V(.) and V(#). It must not begin with V(aws/).
        type: str
        required: true
      retention_days:
        description:
          - How many days CloudWatch Logs keeps events. V(0) is for ever.
          - If not given, this stays as it is; events of a new log group are kept for ever.
        type: int
        choices: [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
      kms_key_arns:
        description:
          - ARNs of the KMS keys with which new events are encrypted, one for each region, since a key encrypts only in its own. A key must be symmetric,
            and its policy must allow C(logs.<region>.amazonaws.com) to use it.
          - If not given, this stays as it is.
        type: list
        elements: str
      tags:
        description:
          - Tags to set. Other tags that the log group has stay as they are.
        type: dict
  regions:
    description:
      - AWS regions in which there should be these log groups.
      - If empty, the region of the AWS options.
    type: list
    elements: str
    default: []
  concurrency:
    description:
      - How many log groups are worked on at the same time. CloudWatch Logs takes only a few such calls a second in each region.
    type: int
    default: 4
notes:
  - The IAM actions needed are C(logs:DescribeLogGroups), C(logs:CreateLogGroup), and, for what is asked for, C(logs:PutRetentionPolicy),
    C(logs:DeleteRetentionPolicy), C(logs:AssociateKmsKey), C(logs:ListTagsForResource) and C(logs:TagResource).
seealso:
  - module: trendmicro.cloudone.netsec_cloudwatch_logconfig
  - module: trendmicro.cloudone.netsec_log_subscription
"""

EXAMPLES = r"""
- name: Create the log groups of the intrusion prevention in two regions
  trendmicro.cloudone.netsec_log_group:
    log_groups:
      - name: network-security-block-events
        retention_days: 365
      - name: network-security-alert-events
        retention_days: 30
    regions:
      - eu-central-1
      - us-east-1
  delegate_to: localhost

- name: Encrypt a log group
  trendmicro.cloudone.netsec_log_group:
    log_groups:
      - name: network-security-system
        kms_key_arns:
          - arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
        tags:
          team: network
    region: eu-central-1
  delegate_to: localhost
"""

RETURN = r"""
log_groups:
  description: What became of each log group in each region. One's failure does not stop the others.
  returned: always, unless the failure concerns all
  type: list
  elements: dict
  contains:
    log_group:
      description: Region and name.
      type: str
      returned: always
      sample: eu-central-1:network-security-block-events
    changed:
      description: Whether something was changed, or would be in check mode. Can be V(true) for one that failed half-way.
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
      sample: >-
        AWS refused logs:CreateLogGroup in eu-central-1 (AccessDeniedException): User: arn:aws:iam::123456789012:user/ops is not authorized to
        perform: logs:CreateLogGroup because no identity-based policy allows the logs:CreateLogGroup action. Allow the IAM action logs:CreateLogGroup
        to the AWS credentials that are used.
    region:
      description: AWS region.
      type: str
      returned: if it could be read, and something could be changed if that was needed
      sample: eu-central-1
    name:
      description: Name of the log group.
      type: str
      returned: as RV(log_groups[].region)
      sample: network-security-block-events
    arn:
      description: ARN of the log group. V(null) in check mode if there is none yet.
      type: str
      returned: as RV(log_groups[].region)
      sample: arn:aws:logs:eu-central-1:123456789012:log-group:network-security-block-events
    retention_days:
      description: How many days events are kept, V(0) for ever.
      type: int
      returned: as RV(log_groups[].region)
      sample: 365
    kms_key_arn:
      description: ARN of the KMS key, or V(null) if there is none.
      type: str
      returned: as RV(log_groups[].region)
      sample: arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
    created:
      description: Whether the log group was created, or would be in check mode.
      type: bool
      returned: as RV(log_groups[].region)
      sample: true
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, refuse_bad_credentials
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.group_plan import RETENTION_DAYS, WantedGroup
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.groups import GroupChange, ensure
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import entries, finish


def ensure_all(params: t.Mapping[str, t.Any], *, check_mode: bool) -> list[Outcome[str, GroupChange]]:
    """One outcome for each log group in each region, by region and name."""
    clients = AwsClients(params, concurrency=params["concurrency"])
    regions = clients.regions(params["regions"])
    names = [option["name"] for option in params["log_groups"]]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"Each log group can be given only once. Given more than once: {', '.join(repeated)}.")
    places = {f"{region}:{option['name']}": (region, WantedGroup.from_option(option, region)) for region in regions for option in params["log_groups"]}
    outcomes = for_each(lambda place: ensure(clients, *places[place], check_mode=check_mode), places, concurrency=params["concurrency"])
    refuse_bad_credentials(outcomes)
    return outcomes


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "log_groups": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "retention_days": {"type": "int", "choices": list(RETENTION_DAYS)},
                    "kms_key_arns": {"type": "list", "elements": "str", "no_log": False},
                    "tags": {"type": "dict"},
                },
            },
            "regions": {"type": "list", "elements": "str", "default": []},
            **aws_spec(),
            **concurrency_spec(4),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    try:
        outcomes = ensure_all(module.params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    results = entries([Outcome(one.item, one.value.as_result() if one.value else None, one.error) for one in outcomes], key="log_group")
    diff = {"diff": [one.value.diff() for one in outcomes if one.value and one.value.changed]} if module._diff else {}
    finish(module, results, of="log_groups", key="log_group", **diff)


if __name__ == "__main__":
    main()
