#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unregister appliances, or wait until they are registered."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_appliance
short_description: Unregister Network Security appliances, or wait until they are registered
version_added: 1.0.0
description:
  - Unregisters appliances from a Trend Cloud One account, or waits until the account lists them.
  - Appliances are named by their EC2 instance IDs, since the number that the API gives them may change when they register again.
  - Registering itself is done on the appliance; see the M(trendmicro.cloudone.nsva_registration) module.
options:
  instance_ids:
    description:
      - EC2 instance IDs of the appliances, each once.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(absent) unregisters the appliances that are registered, and all entries of one that the API lists more than once. An appliance whose software is
        being migrated is refused.
      - V(present) waits until each appliance is listed exactly once. It changes nothing.
        In check mode it looks once, and an appliance that is missing is no failure.
    type: str
    choices:
      - absent
      - present
    required: true
  wait_timeout:
    description:
      - How many seconds O(state=present) waits, for all appliances together.
    type: int
    default: 600
  wait_interval:
    description:
      - How many seconds lie between two looks at the API.
    type: float
    default: 2
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.concurrency
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - An appliance is either registered or not; RV(appliances[].changed) says all.
  idempotent:
    support: full
seealso:
  - module: trendmicro.cloudone.nsva_registration
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Unregister an appliance that no longer exists
  trendmicro.cloudone.netsec_appliance:
    instance_ids:
      - i-0123456789abcdef0
    state: absent

- name: Wait up to five minutes until the appliances are registered
  trendmicro.cloudone.netsec_appliance:
    instance_ids: "{{ instance_ids }}"
    state: present
    wait_timeout: 300
"""

RETURN = r"""
appliances:
  description: What became of each appliance, in the order of O(instance_ids).
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
      sample: "Its software is being migrated: wait until the migration has finished, then run again."
    appliance:
      description:
        - The appliance as the API lists it, with O(state=absent) as it was listed before, the last of its entries. Null if it is not listed.
        - The keys are those of RV(trendmicro.cloudone.netsec_appliance_info#module:appliances).
      type: dict
      returned: when it did not fail
      sample: {"id": 1, "instance_id": "i-0123456789abcdef0", "tos_version": "2021.1.0.11234"}
    waited:
      description: How many seconds passed until the appliance was seen.
      type: float
      returned: with O(state=present)
      sample: 12.1
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.history import is_migrating
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, for_each_found
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish


def unregister(api: NetsecApi, instance_ids: t.Sequence[str], *, concurrency: int, check_mode: bool) -> list[Result]:
    """Unregister what is registered and not being migrated."""
    found = [listed_entries(outcome) for outcome in find_each(api, instance_ids, concurrency=concurrency)]
    migrations = api.migrations() if any(outcome.value for outcome in found) else []

    def remove(instance_id: str, listed: t.Sequence[Appliance]) -> Result:
        if not listed:
            return {"appliance": None}
        if any(is_migrating(migrations, appliance.id) for appliance in listed):
            raise InputError("Its software is being migrated: wait until the migration has finished, then run again.")
        removed = [check_mode or api.unregister(appliance.id) for appliance in listed]
        # What stands before the API may say as well that there is no such thing. An appliance that is still listed must not register anew.
        if not all(removed) and api.find(instance_id):
            raise InputError("The API said that there is no such appliance, but still lists it. Run again.")
        return {"appliance": listed[-1].as_result(), "changed": any(removed)}

    return entries(for_each_found(found, remove, concurrency=concurrency))


def listed_entries(outcome: Outcome[str, Appliance | None]) -> Outcome[str, t.Sequence[Appliance]]:
    """All entries of an appliance: none, one, or more if it registered while an old one was still there."""
    if isinstance(outcome.error, ListedRepeatedly):
        return Outcome(outcome.item, outcome.error.appliances)
    return Outcome(outcome.item, [outcome.value] if outcome.value else [], outcome.error)


def await_registered(api: NetsecApi, instance_ids: t.Sequence[str], *, timeout: float, interval: float, concurrency: int, check_mode: bool) -> list[Result]:
    """Look until each appliance is listed exactly once, or the time is over."""
    if interval <= 0:
        raise InputError(f"wait_interval must be more than 0 seconds, it is {interval}.")
    start = time.monotonic()
    done: dict[str, Outcome[str, Result]] = {}
    while True:
        missing = [instance_id for instance_id in instance_ids if instance_id not in done]
        looks = look(api, missing, concurrency)
        waited = round(time.monotonic() - start, 1)
        last_look = check_mode or waited + interval > timeout
        for outcome in looks:
            if outcome.value or check_mode:
                appliance = outcome.value.as_result() if outcome.value else None
                done[outcome.item] = Outcome(outcome.item, None if outcome.error else {"appliance": appliance, "waited": waited}, outcome.error)
            elif last_look:
                done[outcome.item] = Outcome(outcome.item, error=outcome.error or CloudOneError(not_listed(waited)))
        if len(done) == len(instance_ids):
            return entries(done[instance_id] for instance_id in instance_ids)
        time.sleep(interval)


def look(api: NetsecApi, instance_ids: t.Sequence[str], concurrency: int) -> list[Outcome[str, Appliance | None]]:
    """Look once. A service that is down for a moment does not end the waiting; a key without rights does."""
    try:
        return find_each(api, instance_ids, concurrency=concurrency)
    except ApiError as error:
        if error.status in (401, 403):
            raise
        return [Outcome(instance_id, error=error) for instance_id in instance_ids]


def not_listed(waited: float) -> str:
    return (
        f"Not listed by the API after {waited:g} seconds. Look at the appliance's own log and at Network > Appliances; "
        "if it is only slow, wait longer (wait_timeout)."
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "instance_ids": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["absent", "present"], "required": True},
            "wait_timeout": {"type": "int", "default": 600},
            "wait_interval": {"type": "float", "default": 2},
            **cloudone_spec(),
            **concurrency_spec(),
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    params = module.params
    concurrency = params["concurrency"]
    try:
        api = netsec_api(params, concurrency)
        if params["state"] == "absent":
            results = unregister(api, params["instance_ids"], concurrency=concurrency, check_mode=module.check_mode)
        else:
            results = await_registered(
                api,
                params["instance_ids"],
                timeout=params["wait_timeout"],
                interval=params["wait_interval"],
                concurrency=concurrency,
                check_mode=module.check_mode,
            )
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, results)


if __name__ == "__main__":
    main()
