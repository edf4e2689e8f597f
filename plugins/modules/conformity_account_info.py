#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List or look up Conformity's accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_account_info
short_description: List or look up the accounts of Trend Cloud One Conformity
version_added: 1.0.0
description:
  - Lists the cloud accounts that Conformity shows to an API key, or looks some of them up.
  - Tells whether the subscription of an account includes Real-Time Threat Monitoring, and when Conformity last received an event from it.
    Only the latter is evidence that monitoring works.
options:
  account_ids:
    description:
      - Accounts with these IDs of Conformity.
      - O(account_ids), O(aws_account_ids) and O(names) add to each other. Without any of them, every account is listed.
    type: list
    elements: str
  aws_account_ids:
    description:
      - Accounts that are these AWS accounts. Conformity may list the same AWS account more than once; then each is listed.
      - Quote an ID in YAML, or its leading zeros get lost. Missing ones are added.
    type: list
    elements: str
  names:
    description:
      - Accounts with these names.
    type: list
    elements: str
  details:
    description:
      - Whether each account is also read by its ID, which costs a request for each of them.
        What the list does not say about an account is filled in from there.
    type: bool
    default: false
  concurrency:
    description:
      - How many accounts are read at the same time with O(details=true).
    type: int
    default: 10
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_conformity
  - trendmicro.cloudone.conformity
seealso:
  - module: trendmicro.cloudone.conformity_communication_setting
notes:
  - Needs an API key with at least read-only access to the accounts. Those to which it has no access are not listed by the API.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: List all accounts
  trendmicro.cloudone.conformity_account_info:
  register: conformity

- name: Show the accounts from which no event has arrived yet
  ansible.builtin.debug:
    msg: "{{ conformity.accounts | selectattr('last_monitoring_event_at', 'none') | map(attribute='name') | list }}"

- name: Look up one AWS account
  trendmicro.cloudone.conformity_account_info:
    aws_account_ids:
      - "012345678901"
"""

RETURN = r"""
accounts:
  description: The accounts, in the order in which they were asked for, each once. One that is not found is an entry that failed.
  type: list
  elements: dict
  returned: success, and when some accounts failed
  contains:
    asked_for:
      description: The element of O(account_ids), O(aws_account_ids) or O(names) by which it was found, else the ID of the account.
      type: str
      returned: always
      sample: "012345678901"
    changed:
      description: Always false.
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether the account was not found, or could not be read.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed, and what to do.
      type: str
      returned: when it failed
      sample: "This is no account that Conformity shows to this API key: add it in Conformity, or give the role of the key access to it."
    id:
      description: ID of the account in Conformity.
      type: str
      returned: when it was found
      sample: AgA12vIwb
    name:
      description: Name of the account.
      type: str
      returned: when it was found
      sample: Production
    environment:
      description: Environment of the account, as set in Conformity.
      type: str
      returned: when it was found
      sample: prod
    aws_account_id:
      description: The AWS account, 12 digits. Null for an account of another provider.
      type: str
      returned: when it was found
      sample: "012345678901"
    has_real_time_monitoring:
      description: Whether the subscription includes Real-Time Threat Monitoring. Null if the API does not say.
      type: bool
      returned: when it was found
      sample: true
    subscription_type:
      description: V(advanced) includes Real-Time Threat Monitoring, V(essentials) does not. Null if the API does not say.
      type: str
      returned: when it was found
      sample: advanced
    last_monitoring_event_at:
      description: When Conformity last received an event from the account. Null if it never did.
      type: str
      returned: when it was found
      sample: "2026-03-01T12:00:00Z"
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import concurrency_spec, conformity_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import ConformityApi, conformity_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.accounts import Match, as_result, select, unknown_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, finish


def look_up(api: ConformityApi, params: t.Mapping[str, t.Any]) -> list[Result]:
    """Find the accounts that are asked for, and read them one by one if that is wanted, too."""

    def describe(match: Match) -> Result:
        if match.account is None:
            return {"failed": True, "msg": f"This is {unknown_account()}"}
        return as_result(match.account.completed_by(api.account(match.account.id)) if params["details"] else match.account)

    matches = select(api.accounts(), params)
    outcomes = for_each(describe, matches, concurrency=params["concurrency"])
    return [
        {
            "asked_for": outcome.item.asked_for,
            "changed": False,
            "failed": outcome.error is not None,
            **({"msg": str(outcome.error)} if outcome.error else outcome.result()),
        }
        for outcome in outcomes
    ]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "account_ids": {"type": "list", "elements": "str"},
            "aws_account_ids": {"type": "list", "elements": "str"},
            "names": {"type": "list", "elements": "str"},
            "details": {"type": "bool", "default": False},
            **conformity_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    try:
        results = look_up(conformity_api(module.params, module.params["concurrency"]), module.params)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results, of="accounts", key="asked_for")


if __name__ == "__main__":
    main()
