#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a communication setting, or have it not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conformity_communication_setting
short_description: Manage how Trend Cloud One Conformity notifies, for example in Slack
version_added: 1.0.0
description:
  - Creates, changes or deletes a communication setting of an account or of the whole organisation. A setting says which findings are sent where.
  - The API itself creates a new setting at each request, duplicates too. So this module looks for the setting first, and creates one only if it is not there.
  - "A setting is told by O(id), if given. Otherwise it is, among the settings of the same account (or of the organisation) and the same O(channel):
    the one with the label O(configuration.channel_name), if that is given; else the one that sends to the same place. That is O(configuration.channel)
    for V(slack) and V(ms-teams), O(configuration.users) for V(email) and V(sms), O(configuration.service_name) for V(pager-duty),
    O(configuration.arn) for V(sns) and O(configuration.url) for V(webhook). To be able to change that place later, give a label."
  - If more than one setting is the one, the module fails and names their IDs.
  - Only what is given is compared, lists in any order. Where something differs, the whole setting is written, and then read back.
options:
  state:
    description:
      - V(present) creates or changes the setting, V(absent) deletes it.
    type: str
    choices:
      - present
      - absent
    default: present
  id:
    description:
      - ID of the setting, as returned in RV(setting.id). With O(state=present) it must exist.
    type: str
  account_id:
    description:
      - ID of the account in Conformity for which the setting is.
      - Without O(account_id) and O(aws_account_id), the setting is for the organisation.
    type: str
  aws_account_id:
    description:
      - The AWS account for which the setting is; its ID in Conformity is looked up. Conformity must list it exactly once.
      - Quote it in YAML, or its leading zeros get lost.
    type: str
  channel:
    description:
      - The kind of notification.
    type: str
    choices:
      - email
      - sms
      - slack
      - pager-duty
      - sns
      - ms-teams
      - webhook
    required: true
  enabled:
    description:
      - Whether notifications are sent. If not given, a new setting is enabled, and an existing one stays as it is.
    type: bool
  manual:
    description:
      - Whether users may send single findings by hand. The API uses it for V(sns) only.
    type: bool
  filter:
    description:
      - Which findings are sent. Each list that is given replaces the present one, and an empty one removes the restriction. Lists that are not given
        stay as they are.
    type: dict
    suboptions:
      regions:
        description:
          - Regions, for example V(us-east-1), and V(global).
        type: list
        elements: str
      services:
        description:
          - Services as Conformity names them, for example V(S3) or V(EC2).
        type: list
        elements: str
      rule_ids:
        description:
          - IDs of rules, for example V(S3-016).
        type: list
        elements: str
      categories:
        description:
          - Categories, for example V(security), V(cost-optimisation), V(reliability), V(performance-efficiency) or V(operational-excellence).
        type: list
        elements: str
      risk_levels:
        description:
          - Risk levels.
        type: list
        elements: str
        choices:
          - LOW
          - MEDIUM
          - HIGH
          - VERY_HIGH
          - EXTREME
      statuses:
        description:
          - Results of a check. The API uses them for V(sns) and V(webhook) only.
        type: list
        elements: str
        choices:
          - SUCCESS
          - FAILURE
      tags:
        description:
          - Tags of the resources.
        type: list
        elements: str
  configuration:
    description:
      - Where to send, and how. Each O(channel) has its own part of these options; others are refused.
    type: dict
    suboptions:
      channel_name:
        description:
          - Label of the setting, to tell settings of the same O(channel) apart. The vendor allows 20 characters.
        type: str
      url:
        description:
          - For V(slack), V(ms-teams) and V(webhook), the URL to post to. It is a secret. Needed to create such a setting.
        type: str
      channel:
        description:
          - For V(slack) and V(ms-teams), the channel, for example V(#alerts). Quote it in YAML. Needed to create a setting for V(slack).
        type: str
      display_introduced_by:
        description:
          - For V(slack) and V(ms-teams), whether a message says who caused the finding.
        type: bool
      display_resource:
        description:
          - For V(slack) and V(ms-teams), whether a message names the resource.
        type: bool
      display_tags:
        description:
          - For V(slack) and V(ms-teams), whether a message has the tags of the resource.
        type: bool
      display_extra_data:
        description:
          - For V(slack) and V(ms-teams), whether a message has further data.
        type: bool
      users:
        description:
          - For V(email) and V(sms), IDs of users in Conformity. Needed to create such a setting.
        type: list
        elements: str
      service_name:
        description:
          - For V(pager-duty), the name of the service. Needed to create such a setting.
        type: str
      service_key:
        description:
          - For V(pager-duty), the key of the service. It is a secret. Needed to create such a setting.
        type: str
      arn:
        description:
          - For V(sns), ARN of the topic. Needed to create such a setting.
        type: str
      security_token:
        description:
          - For V(webhook), the token with which the receiver recognises the sender. It is a secret.
        type: str
  update_secrets:
    description:
      - What to do about a secret of O(configuration) that cannot be compared with the present one, because the API shows it with asterisks or not at all.
        That includes O(configuration.security_token) of a setting that has none yet. A secret that the API shows is compared like anything else.
      - With V(on_create) it is sent only when the setting is created, or changed for another reason.
      - With V(always) it is sent at each run, which is then reported as changed.
    type: str
    choices:
      - on_create
      - always
    default: on_create
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_conformity
  - trendmicro.cloudone.conformity
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Secrets are not shown, only that one would be new.
  idempotent:
    support: partial
    details:
      - It is, except with O(update_secrets=always) where the API does not show the secret.
seealso:
  - module: trendmicro.cloudone.conformity_account_info
notes:
  - Settings of the organisation need an API key of the role ADMIN, those of an account one with full access to the account.
    With less, the API shows settings without their configuration, or none.
  - When the answer to a request that writes got lost, the request is not repeated. The module looks again, and fails only if what it wanted is not there.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Send the worst findings of an AWS account to Slack
  trendmicro.cloudone.conformity_communication_setting:
    aws_account_id: "123456789012"
    channel: slack
    filter:
      risk_levels:
        - VERY_HIGH
        - EXTREME
    configuration:
      channel_name: Alerts
      channel: "#cloud-alerts"
      url: "{{ slack_webhook_url }}"
      display_resource: true

- name: Mail findings about S3 in all accounts to two users
  trendmicro.cloudone.conformity_communication_setting:
    channel: email
    filter:
      services:
        - S3
    configuration:
      channel_name: Storage team
      users:
        - H13rFYTvl
        - BJlqMqknVb

- name: Stop the notifications in Slack, but keep the setting
  trendmicro.cloudone.conformity_communication_setting:
    aws_account_id: "123456789012"
    channel: slack
    enabled: false
    configuration:
      channel_name: Alerts

- name: Delete a setting
  trendmicro.cloudone.conformity_communication_setting:
    state: absent
    aws_account_id: "123456789012"
    channel: slack
    configuration:
      channel_name: Alerts
"""

RETURN = r"""
setting:
  description: The setting as it is, or in check mode as it would be. Null if it was deleted or is not there.
  type: dict
  returned: success
  contains:
    id:
      description: ID of the setting. Null in check mode for a setting that would be created.
      type: str
      returned: success
      sample: AgA12vIwb:communication:slack-H1gwe8WwFM
    account_id:
      description: ID of the account in Conformity, null for a setting of the organisation.
      type: str
      returned: success
      sample: AgA12vIwb
    channel:
      description: The kind of notification.
      type: str
      returned: success
      sample: slack
    enabled:
      description: Whether notifications are sent.
      type: bool
      returned: success
      sample: true
    manual:
      description: Whether users may send single findings by hand.
      type: bool
      returned: success
      sample: false
    filter:
      description: Which findings are sent.
      type: dict
      returned: success
      sample: {"risk_levels": ["VERY_HIGH", "EXTREME"]}
    configuration:
      description: Where to send, and how, without secrets. Null if the API does not show it.
      type: dict
      returned: success
      sample: {"channel": "#cloud-alerts", "channel_name": "Alerts", "display_resource": true}
"""

import dataclasses
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import Spec, conformity_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import ConformityApi, conformity_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.accounts import for_aws_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.communication import (
    CHANNELS,
    Plan,
    Setting,
    Wanted,
    find,
    plan,
    plan_absence,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._secrets import keep_secret

Params = t.Mapping[str, t.Any]


def ensure(api: ConformityApi, wanted: Wanted, params: Params) -> Plan:
    """Find the setting, and plan what to do about it."""
    present = find(read(api, wanted.account_id), wanted)
    if params["state"] == "absent":
        return plan_absence(present)
    if wanted.id is not None and present is None:
        owner = f"The account {wanted.account_id}" if wanted.account_id else "The organisation"
        raise InputError(f"{owner} has no setting {wanted.id}: correct id, or leave it out to have a setting created.")
    return plan(present, wanted, rewrite_hidden=params["update_secrets"] == "always")


def account_of(api: ConformityApi, params: Params) -> str | None:
    """ID of the account that the setting is for, ``None`` for the organisation."""
    if params["aws_account_id"] is not None:
        return for_aws_account(api.accounts(), params["aws_account_id"]).id
    if params["account_id"] == "":
        raise InputError("account_id is empty. For a setting of the organisation, leave it out.")
    return t.cast("str | None", params["account_id"])


def read(api: ConformityApi, account_id: str | None) -> list[Setting]:
    return [Setting.from_api(entry, account_id) for entry in api.communication_settings(account_id)]


def carry_out(api: ConformityApi, made: Plan, wanted: Wanted) -> Setting | None:
    """Write, and read back.

    :returns: the setting as it is now.
    :raises CloudOneError: it was refused, or afterwards is not as planned.
    """
    lost: ApiError | None = None
    setting_id = wanted.id
    try:
        setting_id = write(api, made)
    except ApiError as error:
        if error.status is not None and 300 <= error.status < 500:
            raise
        lost = error  # it may have been done all the same
    try:
        now = find(read(api, wanted.account_id), dataclasses.replace(wanted, id=setting_id))
        rest = plan_absence(now) if made.after is None else plan(now, wanted)
    except CloudOneError as error:
        raise lost or error from error
    if rest.changed:
        raise lost or CloudOneError(f"The API accepted the request, but afterwards shows something else: {rest}. Look at the setting in Conformity.")
    return now


def write(api: ConformityApi, made: Plan) -> str | None:
    """Send what is planned.

    :returns: the ID of the setting, ``None`` if the API does not tell.
    """
    if made.before is None:
        return api.create_communication_setting(made.payload or {})
    setting_id = str(made.before.id)
    if made.after is None:
        api.delete_communication_setting(setting_id)
    else:
        api.update_communication_setting(setting_id, made.payload or {})
    return setting_id


def setting_spec() -> Spec:
    texts: Spec = {"type": "list", "elements": "str"}
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "id": {"type": "str"},
        "account_id": {"type": "str"},
        "aws_account_id": {"type": "str"},
        "channel": {"type": "str", "choices": list(CHANNELS), "required": True},
        "enabled": {"type": "bool"},
        "manual": {"type": "bool"},
        "filter": {
            "type": "dict",
            "options": {
                "regions": texts,
                "services": texts,
                "rule_ids": texts,
                "categories": texts,
                "risk_levels": {**texts, "choices": ["LOW", "MEDIUM", "HIGH", "VERY_HIGH", "EXTREME"]},
                "statuses": {**texts, "choices": ["SUCCESS", "FAILURE"]},
                "tags": texts,
            },
        },
        "configuration": {
            "type": "dict",
            "options": {
                "channel_name": {"type": "str"},
                "url": {"type": "str", "no_log": True},
                "channel": {"type": "str"},
                "display_introduced_by": {"type": "bool"},
                "display_resource": {"type": "bool"},
                "display_tags": {"type": "bool"},
                "display_extra_data": {"type": "bool"},
                "users": texts,
                "service_name": {"type": "str"},
                "service_key": {"type": "str", "no_log": True},
                "arn": {"type": "str"},
                "security_token": {"type": "str", "no_log": True},
            },
        },
        "update_secrets": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={**setting_spec(), **conformity_spec()},
        mutually_exclusive=[("account_id", "aws_account_id")],
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    try:
        api = conformity_api(module.params, 1)
        wanted = Wanted.from_options(module.params, account_of(api, module.params))
        made = ensure(api, wanted, module.params)
        setting = made.after
        if made.before:
            keep_secret(module, made.before.secrets)  # an error may quote what is sent back
        if made.changed and not module.check_mode:
            setting = carry_out(api, made, wanted)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    diff = {"diff": made.diff()} if module._diff else {}
    module.exit_json(changed=made.changed, setting=setting and setting.as_result(), **diff)


if __name__ == "__main__":
    main()
