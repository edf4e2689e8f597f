#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the log streaming of appliances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_cloudwatch_logconfig_info
short_description: Read which logs Network Security appliances stream to CloudWatch
version_added: 1.0.0
description:
  - Reads the streaming of logs to Amazon CloudWatch Logs of one, several or all appliances of an account.
options:
  instance_ids:
    description:
      - EC2 instance IDs of the appliances, each once. One that is not registered fails.
      - If not given, all appliances of the account are read.
    type: list
    elements: str
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.concurrency
seealso:
  - module: trendmicro.cloudone.netsec_cloudwatch_logconfig
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Read the log streaming of all appliances
  trendmicro.cloudone.netsec_cloudwatch_logconfig_info:
  register: streaming

- name: Name the appliances whose system log is not streamed
  ansible.builtin.debug:
    msg: "{{ item.instance_id }}"
  loop: "{{ streaming.appliances }}"
  loop_control:
    label: "{{ item.instance_id }}"
  when: item.log_types | selectattr('name', 'equalto', 'system') | rejectattr('enabled') | list | length > 0
"""

RETURN = r"""
appliances:
  description: The configuration of each appliance. When some of them could not be read, the others are listed all the same.
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
      description: Always false.
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether this appliance failed.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
      sample: "i-0123456789abcdef0 is no registered appliance of this account: check the instance ID, and the region of the API."
    appliance_id:
      description: Number of the appliance in the API.
      type: int
      returned: when it did not fail
      sample: 1
    log_types:
      description: Each log type that the appliance has.
      type: list
      elements: dict
      returned: when it did not fail
      sample: [{"name": "system", "group": "ips", "stream": "system_{instance_id}", "enabled": false}]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import read_log_types
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, for_each_found, require
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish


def read_log_streaming(api: NetsecApi, instance_ids: list[str] | None, *, concurrency: int) -> list[Result]:
    """Read each appliance's log streaming; ``None``: of all appliances."""

    def read(instance_id: str, listed: Appliance | None) -> Result:
        appliance = require(instance_id, listed)
        log_types = [log_type.as_result() for log_type in read_log_types(api.log_types(appliance.id))]
        return {"appliance_id": appliance.id, "log_types": log_types}

    found = find_each(api, instance_ids, concurrency=concurrency)
    return entries(for_each_found(found, read, concurrency=concurrency))


def main() -> None:
    module = AnsibleModule(
        argument_spec={"instance_ids": {"type": "list", "elements": "str"}, **cloudone_spec(), **concurrency_spec()},
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    concurrency = module.params["concurrency"]
    try:
        results = read_log_streaming(netsec_api(module.params, concurrency), module.params["instance_ids"], concurrency=concurrency)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results)


if __name__ == "__main__":
    main()
