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
          - Without either, or if it is null because nobody knows which profile the appliance had, O(profile_name) is distributed.
        type: int
      profile_name:
        description:
          - Name of the profile, for example V(Default-Profile).
        type: str
  profile_name:
    description:
      - Name of the profile for those of O(distributions) that name none.
      - Without it they are skipped, since a wrong profile is worse than none. Then RV(appliances[].skipped) says so.
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

- name: Give back what a renewal recorded, and the default profile where it is not known what the appliance had
  trendmicro.cloudone.netsec_policy_distribution:
    distributions: "{{ record.appliances | map(attribute='distribution') | list }}"
    profile_name: Default-Profile
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
      description: Whether a profile was distributed, or would be in check mode.
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
      sample: "i-0123456789abcdef0 is no registered appliance of this account: check the instance ID, and the region of the API."
    appliance_id:
      description: Number of the appliance in the API.
      type: int
      returned: when a profile was distributed, or would be in check mode
      sample: 1
    profile_id:
      description: ID of the profile that was distributed, or null if none was.
      type: int
      returned: always
      sample: 4
    skipped:
      description: Whether nothing was done about this appliance, since no profile is given for it.
      type: bool
      returned: always
      sample: false
    reason:
      description: Why it was skipped, and what to do.
      type: str
      returned: when it was skipped
      sample: It is not known which profile the appliance had. Redistribute its policies by hand, or give profile_name.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, for_each_found, refuse_duplicates, require
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, is_number
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish

Params = t.Mapping[str, t.Any]

NOT_KNOWN = "It is not known which profile the appliance had. Redistribute its policies by hand, or give profile_name."


def distribute(api: NetsecApi, params: Params, *, check_mode: bool) -> list[Result]:
    """Distribute each appliance's profile to it; skip the appliances for which none is given."""
    refuse_duplicates(option["instance_id"] for option in params["distributions"])
    given = {option["instance_id"]: given_profile(option, params["profile_name"]) for option in params["distributions"]}
    wanted = {instance_id: profile for instance_id, profile in given.items() if profile is not None}
    found = find_each(api, list(wanted), concurrency=params["concurrency"])
    profiles = api.profiles() if any(isinstance(profile, str) for profile in wanted.values()) else []

    def distribute_one(instance_id: str, listed: Appliance | None) -> Result:
        appliance = require(instance_id, listed)
        profile_id = resolve_profile(wanted[instance_id], profiles)
        if not check_mode:
            api.distribute_profile(appliance.id, profile_id)
        return {"changed": True, "appliance_id": appliance.id, "profile_id": profile_id}

    done = entries(for_each_found(found, distribute_one, concurrency=params["concurrency"]))
    results = {result["instance_id"]: {"profile_id": None, "skipped": False, **result} for result in done}
    return [results.get(instance_id) or skipped(instance_id) for instance_id in given]


def given_profile(option: Params, fallback: str | None) -> int | str | None:
    """ID or name of the profile for one appliance, ``None`` if none is given."""
    if option["profile_id"] is not None:
        return int(option["profile_id"])
    return option["profile_name"] or fallback or None


def skipped(instance_id: str) -> Result:
    """The entry of an appliance to which nothing is distributed."""
    return {"instance_id": instance_id, "changed": False, "failed": False, "profile_id": None, "skipped": True, "reason": NOT_KNOWN}


def resolve_profile(profile: int | str, profiles: t.Sequence[t.Mapping[str, t.Any]]) -> int:
    """The ID of the wanted profile.

    :param profile: its ID or name.
    :param profiles: all that there are; only needed for a name.
    :raises InputError: not exactly one profile has the wanted name, or it has no usable ID.
    """
    if isinstance(profile, int):
        return profile
    ids = [one.get("id") for one in profiles if one.get("name") == profile]
    if len(ids) != 1:
        names = ", ".join(sorted(str(one.get("name")) for one in profiles)) or "none"
        raise InputError(f"{len(ids)} profiles are named {profile!r}. There are: {names}. Give profile_id, or another profile_name.")
    if not is_number(ids[0]):
        raise InputError(f"The API lists the profile {profile!r} without a usable ID: {ids[0]!r}. Give profile_id.")
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
            },
            "profile_name": {"type": "str"},
            **cloudone_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    try:
        api = netsec_api(module.params, module.params["concurrency"])
        results = distribute(api, module.params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results)


if __name__ == "__main__":
    main()
