#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distribute profiles to appliances."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_policy_distribution
short_description: Distribute a profile, that is policies, to Network Security appliances
version_added: 1.0.0
description:
  - Distributes a profile to each of the named appliances, for example again after an appliance has registered anew.
  - The distribution is started; whether it has arrived is not waited for, since the API does not document its states.
options:
  distributions:
    description:
      - What to distribute where, each appliance once.
    type: list
    elements: dict
    required: true
    suboptions:
      instance_id:
        description:
          - EC2 instance ID of the appliance.
        type: str
        required: true
      profile_id:
        description:
          - ID of the profile. Give either this or O(distributions[].profile_name).
        type: int
      profile_name:
        description:
          - Name of the profile, for example V(Default-Profile).
        type: str
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.concurrency
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details:
      - The API does not tell which profile an appliance has.
  idempotent:
    support: N/A
    details:
      - To distribute is an action. It is done at each run, and always reported as a change.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Distribute a profile by its name to one appliance, by its ID to another
  trendmicro.cloudone.netsec_policy_distribution:
    distributions:
      - instance_id: i-0123456789abcdef0
        profile_name: Default-Profile
      - instance_id: i-0fedcba9876543210
        profile_id: 4
"""

RETURN = r"""
appliances:
  description: What became of each appliance, in the order of O(distributions).
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
    failed:
      description: Whether this appliance failed.
      type: bool
      returned: always
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
    appliance_id:
      description: Number of the appliance in the API.
      type: int
      returned: when it did not fail
      sample: 1
    profile_id:
      description: ID of the profile that was distributed.
      type: int
      returned: when it did not fail
      sample: 4
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, for_each_found, require
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish

Option = t.Mapping[str, t.Any]


def distribute(api: NetsecApi, distributions: t.Sequence[Option], *, concurrency: int, check_mode: bool) -> list[Result]:
    """Distribute each appliance's profile to it."""
    found = find_each(api, [option["instance_id"] for option in distributions], concurrency=concurrency)
    by_instance = {option["instance_id"]: option for option in distributions}
    profiles = api.profiles() if any(option["profile_name"] is not None for option in distributions) else []

    def distribute_one(instance_id: str, listed: Appliance | None) -> Result:
        appliance = require(instance_id, listed)
        profile_id = resolve_profile(by_instance[instance_id], profiles)
        if not check_mode:
            api.distribute_profile(appliance.id, profile_id)
        return {"changed": True, "appliance_id": appliance.id, "profile_id": profile_id}

    return entries(for_each_found(found, distribute_one, concurrency=concurrency))


def resolve_profile(option: Option, profiles: t.Sequence[t.Mapping[str, t.Any]]) -> int:
    """The ID of the wanted profile.

    :raises InputError: not exactly one profile has the wanted name.
    """
    if option["profile_id"] is not None:
        return int(option["profile_id"])
    ids = [profile["id"] for profile in profiles if profile.get("name") == option["profile_name"]]
    if len(ids) != 1:
        names = ", ".join(sorted(str(profile.get("name")) for profile in profiles)) or "none"
        raise InputError(f"{len(ids)} profiles are named {option['profile_name']!r}. There are: {names}. Give profile_id, or another profile_name.")
    return int(ids[0])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "distributions": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "instance_id": {"type": "str", "required": True},
                    "profile_id": {"type": "int"},
                    "profile_name": {"type": "str"},
                },
                "mutually_exclusive": [("profile_id", "profile_name")],
                "required_one_of": [("profile_id", "profile_name")],
            },
            **cloudone_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    concurrency = module.params["concurrency"]
    try:
        api = netsec_api(module.params, concurrency)
        results = distribute(api, module.params["distributions"], concurrency=concurrency, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results)


if __name__ == "__main__":
    main()
