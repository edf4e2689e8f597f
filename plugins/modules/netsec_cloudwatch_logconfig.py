#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set the log streaming of appliances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_cloudwatch_logconfig
short_description: Set which logs Network Security appliances stream to CloudWatch
version_added: 1.0.0
description:
  - Sets the streaming of logs to Amazon CloudWatch Logs for one, several or all appliances of an account in one task.
  - For each appliance the present configuration is read and the wanted one merged into it. Only where something differs the whole
    configuration is written, and then read back. Log types that are not named stay as they are.
  - The appliances need version 2020.10.0 or later, and an IAM role on their EC2 instances that allows C(cloudwatch:PutMetricData),
    C(logs:DescribeLogStreams), C(logs:CreateLogGroup), C(logs:CreateLogStream), C(logs:PutLogEvents) and C(ec2:DescribeTags).
    Older appliances are refused before anything is written; the others are done all the same.
options:
  appliances:
    description:
      - The appliances, each with a configuration of its own.
      - Give either this, O(instance_ids), or O(all_appliances).
    type: list
    elements: dict
    suboptions:
      instance_id:
        description:
          - EC2 instance ID of the appliance.
        type: str
        required: true
      log_types:
        description:
          - The wanted log types.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description:
              - Name of the log type. Known are V(system), V(audit), V(host), V(ipsAlert), V(ipsBlock), V(reputationBlock), V(reputationAlert),
                V(quarantine), and on some appliances V(sslInspection).
            type: str
            required: true
          group:
            description:
              - Log group. If not given, the present one stays; there must be one to enable the log type.
            type: str
          stream:
            description:
              - Log stream. In it the appliance replaces C({instance_id}) by its instance ID.
              - If not given, it is the log type's name, an underscore and C({instance_id}).
            type: str
          enabled:
            description:
              - Whether the log type is streamed.
            type: bool
            default: true
  instance_ids:
    description:
      - EC2 instance IDs of appliances that all get the same configuration, O(log_types).
    type: list
    elements: str
  all_appliances:
    description:
      - Whether every appliance of the account gets the configuration O(log_types).
    type: bool
    default: false
  log_types:
    description:
      - The wanted log types, with O(instance_ids) or O(all_appliances).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the log type. Known are V(system), V(audit), V(host), V(ipsAlert), V(ipsBlock), V(reputationBlock), V(reputationAlert),
            V(quarantine), and on some appliances V(sslInspection).
        type: str
        required: true
      group:
        description:
          - Log group. If not given, the present one stays; there must be one to enable the log type.
        type: str
      stream:
        description:
          - Log stream. In it the appliance replaces C({instance_id}) by its instance ID.
          - If not given, it is the log type's name, an underscore and C({instance_id}).
        type: str
      enabled:
        description:
          - Whether the log type is streamed.
        type: bool
        default: true
  purge:
    description:
      - Whether log types that are not named are switched off.
    type: bool
    default: false
  ignore_unavailable:
    description:
      - Whether a log type that an appliance does not have is only warned about. By default such an appliance fails, and nothing is written to it.
    type: bool
    default: false
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.concurrency
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: trendmicro.cloudone.netsec_cloudwatch_logconfig_info
  - module: trendmicro.cloudone.netsec_instance_role_info
    description: Checks the IAM roles before.
  - module: trendmicro.cloudone.netsec_log_delivery_info
    description: Proves afterwards that logs arrive.
  - module: trendmicro.cloudone.netsec_log_group
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Stream the events of the intrusion prevention of every appliance
  trendmicro.cloudone.netsec_cloudwatch_logconfig:
    all_appliances: true
    log_types:
      - name: ipsBlock
        group: network-security-block-events
      - name: ipsAlert
        group: network-security-alert-events

- name: Stream the system log of one appliance, and nothing else
  trendmicro.cloudone.netsec_cloudwatch_logconfig:
    instance_ids:
      - i-0123456789abcdef0
    log_types:
      - name: system
        group: network-security-system
        stream: system_{instance_id}
    purge: true
"""

RETURN = r"""
appliances:
  description: What became of each appliance.
  type: list
  elements: dict
  returned: always, unless the failure concerns all
  contains:
    instance_id:
      description: EC2 instance ID.
      type: str
      returned: always
      sample: i-0123456789abcdef0
    changed:
      description: Whether something was changed, or would be in check mode.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether this appliance failed.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
      sample: i-0123456789abcdef0 has version 2020.9.12; streaming logs to CloudWatch needs 2020.10.0 or later. Update the appliance first.
    appliance_id:
      description: Number of the appliance in the API.
      type: int
      returned: when it did not fail
      sample: 1
    log_types:
      description:
        - The configuration afterwards, or in check mode the one it would have. It has each log type that is streamed, wanted or changed.
        - The module M(trendmicro.cloudone.netsec_cloudwatch_logconfig_info) tells of all log types.
      type: list
      elements: dict
      returned: when it did not fail
      sample: [{"name": "ipsBlock", "group": "network-security-block-events", "stream": "ipsBlock_{instance_id}", "enabled": true}]
    location:
      description:
        - The C(instance_id) and C(region) of the appliance, in the form of O(trendmicro.cloudone.netsec_instance_role_info#module:appliances).
      type: dict
      returned: when it did not fail
      sample: {"instance_id": "i-0123456789abcdef0", "region": "eu-central-1"}
    delivery:
      description:
        - What should arrive in CloudWatch, in the form of O(trendmicro.cloudone.netsec_log_delivery_info#module:appliances). Of a configuration that was
          changed, only events since then count.
        - V(null) if the appliance streams nothing.
      type: dict
      returned: when it did not fail
      sample:
        instance_id: i-0123456789abcdef0
        region: eu-central-1
        since: "2026-03-01T12:00:00Z"
        log_types: [{"name": "ipsBlock", "group": "network-security-block-events", "stream": "ipsBlock_{instance_id}", "enabled": true}]
    before:
      description: Those log types of RV(appliances[].log_types) that were different before, as they were.
      type: list
      elements: dict
      returned: when it did not fail
      sample: [{"name": "ipsBlock", "group": null, "stream": "ipsBlock_{instance_id}", "enabled": false}]
    unavailable:
      description: Wanted log types that the appliance does not have.
      type: list
      elements: str
      returned: when it did not fail
      sample: ["sslInspection"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import (
    LogType,
    plan,
    read_log_types,
    read_options,
    refuse_old_version,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, for_each_found, require
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, log_types_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text, utc_now

Params = t.Mapping[str, t.Any]


def configure(api: NetsecApi, params: Params, *, check_mode: bool) -> list[Result]:
    """Bring every wanted appliance to its wanted log streaming."""
    instance_ids, wanted_of = read_targets(params)

    def configure_one(instance_id: str, appliance: Appliance) -> Result:
        return set_log_streaming(api, appliance, wanted_of(instance_id), params, check_mode=check_mode)

    found = find_each(api, instance_ids, concurrency=params["concurrency"])
    # All versions are judged before the first appliance is written to.
    able = for_each_found(found, require_able, concurrency=1)
    return entries(for_each_found(able, configure_one, concurrency=params["concurrency"]))


def require_able(instance_id: str, listed: Appliance | None) -> Appliance:
    """The appliance.

    :raises InputError: it is not registered, or too old to stream logs.
    """
    appliance = require(instance_id, listed)
    refuse_old_version(appliance)
    return appliance


def read_targets(params: Params) -> tuple[list[str] | None, t.Callable[[str], list[LogType]]]:
    """Which appliances are wanted (``None``: all), and what tells the wanted log types of each.

    :raises InputError: the options do not go together.
    """
    chosen = [option for option in ("appliances", "instance_ids", "all_appliances") if params[option] not in (None, False)]
    if len(chosen) != 1:
        raise InputError("Give exactly one of the options appliances, instance_ids and all_appliances.")
    if (params["log_types"] is None) != (chosen == ["appliances"]):
        raise InputError("Give log_types together with instance_ids or all_appliances; with appliances, give them for each appliance.")
    if params["appliances"] is not None:
        by_instance = {option["instance_id"]: read_options(option["log_types"]) for option in params["appliances"]}
        return [option["instance_id"] for option in params["appliances"]], by_instance.__getitem__
    common = read_options(params["log_types"])
    return params["instance_ids"], lambda _instance_id: common


def set_log_streaming(api: NetsecApi, appliance: Appliance, wanted: t.Sequence[LogType], params: Params, *, check_mode: bool) -> Result:
    """Read, merge, write if something differs, read back."""
    merged = plan(api.log_types(appliance.id), wanted, purge=params["purge"])
    if merged.unavailable and not params["ignore_unavailable"]:
        has = ", ".join(log_type.name for log_type in merged.before) or "none"
        raise InputError(f"The appliance does not have the log types {', '.join(merged.unavailable)}. It has: {has}. See ignore_unavailable.")
    since = to_text(utc_now()) if merged.changed else None
    now = merged.after
    if merged.changed and not check_mode:
        api.set_log_types(appliance.id, merged.payload)
        now = read_log_types(api.log_types(appliance.id))
    differing = [log_type for log_type in merged.before if log_type not in now]
    # Log types that are off and that nobody asked about are left out: with a large fleet, handing them on would be a fifth of the run.
    of_interest = {log_type.name for log_type in (*wanted, *differing)}
    streamed = [log_type.as_result() for log_type in now if log_type.enabled]
    location = {"instance_id": appliance.instance_id, "region": appliance.region}
    result: Result = {
        "changed": merged.changed,
        "appliance_id": appliance.id,
        "log_types": [log_type.as_result() for log_type in now if log_type.enabled or log_type.name in of_interest],
        "before": [log_type.as_result() for log_type in differing],
        "location": location,
        "delivery": {**location, "since": since, "log_types": streamed} if streamed else None,
        "unavailable": merged.unavailable,
    }
    missing = [str(log_type) for log_type in merged.after if log_type not in now]
    if missing:
        result.update(failed=True, msg=f"The API accepted the configuration, but does not show it afterwards: {'; '.join(missing)}.")
    return result


def diff_of(result: Result) -> dict[str, str]:
    """The difference that was made to one appliance: one line for each log type."""

    def lines(log_types: t.Iterable[Result]) -> str:
        return "".join(f"{LogType(**log_type)}\n" for log_type in log_types)

    name, after = result["instance_id"], result["log_types"]
    differing = {log_type["name"]: log_type for log_type in result["before"]}
    before = [differing.get(log_type["name"], log_type) for log_type in after]
    return {"before_header": name, "after_header": name, "before": lines(before), "after": lines(after)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "appliances": {
                "type": "list",
                "elements": "dict",
                "options": {"instance_id": {"type": "str", "required": True}, **log_types_spec(required=True)},
            },
            "instance_ids": {"type": "list", "elements": "str"},
            "all_appliances": {"type": "bool", "default": False},
            **log_types_spec(required=False),
            "purge": {"type": "bool", "default": False},
            "ignore_unavailable": {"type": "bool", "default": False},
            **cloudone_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    try:
        api = netsec_api(module.params, module.params["concurrency"])
        results = configure(api, module.params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    for result in results:
        if result.get("unavailable"):
            module.warn(f"{result['instance_id']} does not have the log types {', '.join(result['unavailable'])}; they were left out.")
    if module.params["all_appliances"] and not results:
        module.warn("The account has no appliance yet: deploy one first.")
    diff = {"diff": [diff_of(result) for result in results if result["changed"]]} if module._diff else {}
    finish(module, results, **diff)


if __name__ == "__main__":
    main()
