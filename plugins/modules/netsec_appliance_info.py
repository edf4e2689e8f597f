#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List or look up appliances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_appliance_info
short_description: List or look up Network Security appliances
version_added: 1.0.0
description:
  - Lists the Network Security virtual appliances of a Trend Cloud One account, however many pages that takes.
  - Options that select appliances narrow the list down together. What is not found is not listed, which is no error.
options:
  ids:
    description:
      - Only appliances with these numbers of the API.
    type: list
    elements: int
  instance_ids:
    description:
      - Only appliances with these EC2 instance IDs.
    type: list
    elements: str
  query:
    description:
      - Only appliances that have this text in their ID, instance ID, provider, versions or host name. The API searches for it.
    type: str
  minimum_version:
    description:
      - Only appliances whose software (RV(appliances[].tos_version)) has at least this version, for example V(2020.10.0).
      - The parts are compared as numbers. Versions like V(5.5.0.10625) belong to the older scheme and come before V(2020.10.0).
        Appliances without a known version are left out.
    type: str
  maximum_version:
    description:
      - Only appliances whose software has at most this version; see O(minimum_version).
    type: str
  gather:
    description:
      - What to read about each appliance in addition.
      - V(log_types) costs a request for each appliance.
      - V(profile) reads the list of distributions once.
    type: list
    elements: str
    choices:
      - log_types
      - profile
    default: []
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.concurrency
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: List all appliances
  trendmicro.cloudone.netsec_appliance_info:
  register: fleet

- name: Find the appliances that are too old to stream logs to CloudWatch
  trendmicro.cloudone.netsec_appliance_info:
    maximum_version: "2020.9"

- name: Read the log streaming and the profile of one appliance
  trendmicro.cloudone.netsec_appliance_info:
    instance_ids:
      - i-0123456789abcdef0
    gather:
      - log_types
      - profile
"""

RETURN = r"""
appliances:
  description: The appliances that were found. When some of them could not be read, the others are listed all the same.
  type: list
  elements: dict
  returned: success, and when some appliances failed
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
    id:
      description: Number of the appliance in the API. It may change when the appliance registers again.
      type: int
      returned: success
      sample: 1
    provider:
      description: The cloud provider.
      type: str
      returned: success
      sample: AWS
    host_name:
      description: Host name of the appliance.
      type: str
      returned: success
      sample: i-0123456789abcdef0
    tos_version:
      description: Version of the appliance's software, or null if the API gives none.
      type: str
      returned: success
      sample: 2021.1.0.11234
    dv_version:
      description: Version of the Digital Vaccine, or null.
      type: str
      returned: success
      sample: 4.0.0.9442
    aux_dv:
      description: Versions of further filter packages by their names.
      type: dict
      returned: success
      sample: {"Malware": null}
    account_id:
      description: AWS account in which the instance runs, or null.
      type: str
      returned: success
      sample: "123456789012"
    availability_zone:
      description: Availability zone of the instance, or null.
      type: str
      returned: success
      sample: sa-east-1a
    instance_type:
      description: Type of the instance, or null.
      type: str
      returned: success
      sample: c5n.2xlarge
    region:
      description: AWS region of the instance, or null.
      type: str
      returned: success
      sample: sa-east-1
    vpc:
      description: VPC of the instance, or null.
      type: str
      returned: success
      sample: vpc-0123456789abcdef0
    provider_metadata:
      description: All keys and values that the provider gives about the instance, as the API names them.
      type: dict
      returned: success
      sample: {"accountId": "123456789012", "region": "sa-east-1"}
    log_types:
      description: Log streaming to CloudWatch.
      type: list
      elements: dict
      returned: when O(gather) contains V(log_types)
      sample: [{"name": "ipsBlock", "group": "network-security-block-events", "stream": "ipsBlock_{instance_id}", "enabled": true}]
    profile_id:
      description:
        - ID of the profile that was last distributed to the appliance.
        - Null if there was none, or if the API lists several without telling which was last.
      type: int
      returned: when O(gather) contains V(profile)
      sample: 1
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.current_settings import READABLE, settings_reader
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import MOST_SEARCHES
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, version_tuple
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, finish


def candidates(api: NetsecApi, params: t.Mapping[str, t.Any]) -> list[Appliance]:
    """Ask for the appliances that may be wanted, with few requests."""
    ids, instance_ids = params["ids"], params["instance_ids"]
    if params["query"] is None and instance_ids is not None and len(instance_ids) <= MOST_SEARCHES:
        found = for_each(api.find, dict.fromkeys(instance_ids), concurrency=params["concurrency"])
        return [appliance for outcome in found for appliance in outcome.result()]
    if params["query"] is None and ids is not None and len(ids) <= MOST_SEARCHES:
        got = for_each(lambda number: get_if_there(api, number), dict.fromkeys(ids), concurrency=params["concurrency"])
        return [appliance for outcome in got if (appliance := outcome.result())]
    return api.list_appliances(params["query"])


def get_if_there(api: NetsecApi, appliance_id: int) -> Appliance | None:
    try:
        return api.get(appliance_id)
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def select(appliances: t.Iterable[Appliance], params: t.Mapping[str, t.Any]) -> list[Appliance]:
    """Keep the appliances that every given option admits."""
    lowest, highest = (parse_version(params, name) for name in ("minimum_version", "maximum_version"))

    def admitted(appliance: Appliance) -> bool:
        version = version_tuple(appliance.tos_version)
        return (
            (params["ids"] is None or appliance.id in params["ids"])
            and (params["instance_ids"] is None or appliance.instance_id in params["instance_ids"])
            and (lowest is None or (version is not None and version >= lowest))
            and (highest is None or (version is not None and version <= highest))
        )

    return [appliance for appliance in appliances if admitted(appliance)]


def parse_version(params: t.Mapping[str, t.Any], option: str) -> tuple[int, ...] | None:
    if params[option] is None:
        return None
    version = version_tuple(params[option])
    if version is None:
        raise InputError(f"{option} must be numbers with dots in between, like 2020.10.0; it is {params[option]!r}.")
    return version


def gather(api: NetsecApi, appliances: t.Sequence[Appliance], params: t.Mapping[str, t.Any]) -> list[Result]:
    """Read what is wanted in addition. An appliance that cannot be read is an entry that says so."""
    read = settings_reader(api, params["gather"] if appliances else ())
    outcomes = for_each(read, appliances, concurrency=params["concurrency"])
    return [
        {
            "changed": False,
            "failed": outcome.error is not None,
            **outcome.item.as_result(),
            **({"msg": str(outcome.error)} if outcome.error else outcome.result()),
        }
        for outcome in outcomes
    ]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "ids": {"type": "list", "elements": "int"},
            "instance_ids": {"type": "list", "elements": "str"},
            "query": {"type": "str"},
            "minimum_version": {"type": "str"},
            "maximum_version": {"type": "str"},
            "gather": {"type": "list", "elements": "str", "choices": list(READABLE), "default": []},
            **cloudone_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    try:
        api = netsec_api(module.params, module.params["concurrency"])
        results = gather(api, select(candidates(api, module.params), module.params), module.params)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results)


if __name__ == "__main__":
    main()
