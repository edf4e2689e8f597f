#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_renewal_record
short_description: Keep the record of a certificate renewal on the appliance's EC2 instance
version_added: 1.0.0
description:
  - An appliance may lose settings when it registers again. This module reads them from the Network Security API before, and records them in tags of
    the EC2 instance, so that they outlive a run that is killed in the middle, and the next run can restore them.
  - It also records when the appliance registered, from which M(trendmicro.cloudone.netsec_certificate_info) tells when its certificate expires.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.ec2_appliances
  - trendmicro.cloudone.concurrency
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.attributes.actiongroup_aws
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.netsec
      - trendmicro.cloudone.aws
      - trendmicro.cloudone.all
  check_mode:
    support: full
    details:
      - Changes nothing, but asks EC2 whether it would permit the changes (C(DryRun)). Fails for an appliance where it would not.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=registered) without O(registered_at) writes the present time whenever it is run.
options:
  state:
    description:
      - V(started) reads log streaming and the profile last distributed from the API, and writes them into the tags C(trendmicro.cloudone:renewal-<n>),
        split over as many as needed, and the time into C(trendmicro.cloudone:renewal-started). A record that is there already is from a renewal that
        was interrupted; it is kept, and the API is not asked. Before anything is written, EC2 is asked whether it would permit what V(finished) does
        (C(DryRun)). It is an error if it would not, if there is no room for all tags, or if the record that is there cannot be read.
      - V(registered) writes the time of the registration into C(trendmicro.cloudone:registered-at), and leaves the record alone.
      - V(finished) removes what V(started) wrote.
    type: str
    choices:
      - started
      - registered
      - finished
    required: true
  registered_at:
    description:
      - When the appliances registered, as an ISO 8601 time. Only used with O(state=registered). The present time if it is not given.
    type: str
  use_aws:
    description:
      - Whether to use AWS. Without it O(state=started) reads the settings and records nothing, so they are lost if the run is killed. The other states
        do nothing but write tags, so they cannot do without.
    type: bool
    default: true
notes:
  - The IAM actions needed are C(ec2:DescribeInstances), C(ec2:CreateTags) and C(ec2:DeleteTags). The latter two can be limited to instances, and to
    tag keys that begin with C(trendmicro.cloudone:).
  - The API is asked only with O(state=started).
  - O(appliances[].management_interface) is not used. It is accepted so that the same list of appliances can be given to all modules.
seealso:
  - module: trendmicro.cloudone.netsec_certificate_info
  - module: trendmicro.cloudone.netsec_cloudwatch_logconfig
  - module: trendmicro.cloudone.netsec_policy_distribution
"""

EXAMPLES = r"""
- name: Record what may be lost, before unregistering
  trendmicro.cloudone.netsec_renewal_record:
    api_key: "{{ cloudone_api_key }}"
    cloudone_region: us-1
    state: started
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
  register: record
  delegate_to: localhost

- name: Record that the appliance registered just now
  trendmicro.cloudone.netsec_renewal_record:
    api_key: "{{ cloudone_api_key }}"
    state: registered
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
  delegate_to: localhost

- name: Restore log streaming
  trendmicro.cloudone.netsec_cloudwatch_logconfig:
    api_key: "{{ cloudone_api_key }}"
    cloudone_region: us-1
    appliances: "{{ record.appliances | map(attribute='log_streaming') | select | list }}"
  delegate_to: localhost

- name: Redistribute policies
  trendmicro.cloudone.netsec_policy_distribution:
    api_key: "{{ cloudone_api_key }}"
    cloudone_region: us-1
    distributions: "{{ record.appliances | map(attribute='distribution') | list }}"
    profile_name: Default-Profile
  delegate_to: localhost
"""

RETURN = r"""
appliances:
  description: One entry for each of O(appliances), in the same order.
  returned: always, unless nothing could be asked of AWS or the API at all
  type: list
  elements: dict
  contains:
    instance_id:
      description: The EC2 instance ID.
      type: str
      returned: always
      sample: i-0123456789abcdef0
    changed:
      description: Whether tags were changed.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether the settings could not be read, or the tags not be changed.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why not.
      type: str
      returned: if it failed
      sample: >-
        There is no EC2 instance i-0123456789abcdef0 in eu-central-1 for these AWS credentials. Check the id, the region and the account. Leave out
        appliances that the vendor hosts: their instances are in accounts of the vendor.
    settings:
      description:
        - The settings that are to be restored after the registration. Those of an interrupted renewal, if there was one.
        - Of an appliance that the API does not list nothing is known.
      type: dict
      returned: if O(state=started) and it did not fail
      contains:
        appliance_id:
          description: Number of the appliance in the API before it is unregistered, or V(null).
          type: int
          returned: always
          sample: 17
        profile_id:
          description: ID of the profile that was last distributed to the appliance, or V(null) if that is not known.
          type: int
          returned: always
          sample: 3
        log_types:
          description: Log streaming of the appliance.
          type: list
          elements: dict
          returned: always
          sample: [{"name": "ipsBlock", "group": "network-security-block-events", "stream": "ipsBlock_{instance_id}", "enabled": true}]
    log_streaming:
      description:
        - The C(instance_id) and C(log_types) to restore, in the form of O(trendmicro.cloudone.netsec_cloudwatch_logconfig#module:appliances).
        - V(null) if there is nothing to restore.
      type: dict
      returned: if O(state=started) and it did not fail
      sample:
        instance_id: i-0123456789abcdef0
        log_types: [{"name": "system", "group": "network-security-system", "stream": "system_{instance_id}", "enabled": true}]
    distribution:
      description:
        - The C(instance_id) and C(profile_id) to restore, in the form of O(trendmicro.cloudone.netsec_policy_distribution#module:distributions).
        - The C(profile_id) is V(null) if it is not known.
      type: dict
      returned: if O(state=started) and it did not fail
      sample: {"instance_id": "i-0123456789abcdef0", "profile_id": 3}
    registered_at:
      description: The time that was recorded, in UTC.
      type: str
      returned: if O(state=registered) and it did not fail
      sample: "2026-03-01T12:00:00Z"
    expires_at:
      description: When the certificate of that registration expires, in UTC.
      type: str
      returned: if O(state=registered) and it did not fail
      sample: "2028-03-01T12:00:00Z"
"""

import typing as t
from datetime import datetime

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import expiry
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.current_settings import read_settings
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import for_each_found, refuse_duplicates
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings, decode, record_keys
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_tags import RenewalTags
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import (
    aws_spec,
    cloudone_spec,
    concurrency_spec,
    ec2_appliances_spec,
    require_libraries,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import ACCOUNTS_AT_ONCE, appliances_in_each_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, regions_to_search, require_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.patience import look_until
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, to_text, utc_now

Params = t.Mapping[str, t.Any]
Outcomes = list[Outcome[str, Result]]


class Place(t.NamedTuple):
    """An appliance's EC2 instance, and what changes tags in its account."""

    instance: Instance
    tags: RenewalTags


def record_all(params: Params, *, check_mode: bool, now: datetime) -> Outcomes:
    """Bring the record of each appliance to the wanted state.

    :returns: one outcome for each appliance, in their order.
    :raises CloudOneError: if what is asked for is not valid, or nothing can be asked of AWS or the API.
    """
    instance_ids = [appliance["instance_id"] for appliance in params["appliances"]]
    refuse_duplicates(instance_ids)
    if params["state"] == "started":
        api = netsec_api(params, params["concurrency"])
        places = find_places(params, check_mode=check_mode) if params["use_aws"] else None
        return start(api, places, instance_ids, now=now, concurrency=params["concurrency"])
    if not params["use_aws"]:
        raise InputError(f"state={params['state']} does nothing but write tags of EC2 instances. Leave use_aws true, or leave this task out.")
    registered_at = from_text(params["registered_at"]) if params["registered_at"] else now.replace(microsecond=0)
    if registered_at is None:
        raise InputError(f"registered_at must be an ISO 8601 time like 2026-03-01T12:00:00Z, not {params['registered_at']!r}.")
    if params["state"] == "finished":
        found = find_records(params, check_mode=check_mode)
        return complete(found, in_each_account(places_of(found), lambda tags, here: tags.finish(here)))
    found = find_places(params, check_mode=check_mode)
    dates = {"registered_at": to_text(registered_at), "expires_at": to_text(expiry(registered_at))}
    return complete(found, in_each_account(places_of(found), lambda tags, here: tags.registered(here, registered_at)), lambda _instance_id: dates)


def find_places(params: Params, *, check_mode: bool) -> list[Outcome[str, Place]]:
    """Look for the instances of all appliances.

    :returns: one outcome for each appliance, in their order.
    :raises CloudOneError: if nothing can be asked of AWS.
    """
    concurrency = params["concurrency"]

    def find(clients: AwsClients, appliances: list[Result]) -> list[Outcome[str, Place]]:
        instance_of = require_instances(clients, regions_to_search(clients, appliances, params["regions"]), concurrency=concurrency)
        tags = RenewalTags(clients, check_mode=check_mode, concurrency=concurrency)
        return for_each(lambda instance_id: Place(instance_of(instance_id), tags), [one["instance_id"] for one in appliances], concurrency=1)

    return appliances_in_each_account(params, find)


def places_of(found: t.Iterable[Outcome[str, Place]]) -> list[Place]:
    """What was found."""
    return [outcome.value for outcome in found if outcome.value]


def find_records(params: Params, *, check_mode: bool) -> list[Outcome[str, Place]]:
    """As :func:`find_places`, with some patience where there is no record: EC2 may not show tags yet that were just written."""

    def all_have_records(found: list[Outcome[str, Place]]) -> bool:
        return all(record_keys(place.instance.tags) for place in places_of(found))

    return look_until(all_have_records, lambda: find_places(params, check_mode=check_mode))


def in_each_account(places: t.Iterable[Place], change: t.Callable[[RenewalTags, list[Instance]], list[Outcome[str, bool]]]) -> list[Outcome[str, bool]]:
    """Change tags, in one go those of an account."""
    instances: dict[RenewalTags, list[Instance]] = {}
    for place in places:
        instances.setdefault(place.tags, []).append(place.instance)
    changed = for_each(lambda account: change(*account), instances.items(), concurrency=ACCOUNTS_AT_ONCE)
    return [outcome for account in changed for outcome in account.result()]


def start(api: NetsecApi, found: t.Sequence[Outcome[str, Place]] | None, instance_ids: t.Sequence[str], *, now: datetime, concurrency: int) -> Outcomes:
    """Find out what the registration of each appliance may lose, and record it.

    :param found: ``None``: record nothing.
    """
    places = {outcome.item: outcome for outcome in found or ()}

    def record_of(instance_id: str) -> Settings | None:
        return decode(places[instance_id].result().instance.tags) if places else None

    # What an interrupted renewal recorded is older than what the API says now, and so nearer to what the user had.
    records = for_each(record_of, instance_ids, concurrency=1)
    without_record = [outcome.item for outcome in records if outcome.error is None and outcome.value is None]
    current = {outcome.item: outcome for outcome in read_settings(api, without_record, concurrency=concurrency)}

    known = for_each_found(records, lambda instance_id, record: record or current[instance_id].result(), concurrency=1)
    settings_of = {outcome.item: outcome.value for outcome in known if outcome.value}
    if places:
        recorded = in_each_account(
            [places[instance_id].result() for instance_id in settings_of],
            lambda tags, here: tags.start([(instance, settings_of[instance.id]) for instance in here], now),
        )
    else:
        recorded = [Outcome(instance_id, value=False) for instance_id in settings_of]

    def what_is_lost(instance_id: str) -> Result:
        settings = settings_of[instance_id]
        log_types = settings.as_result()["log_types"]
        return {
            "settings": settings.as_result(),
            "log_streaming": {"instance_id": instance_id, "log_types": log_types} if log_types else None,
            "distribution": {"instance_id": instance_id, "profile_id": settings.profile_id},
        }

    return complete(known, recorded, what_is_lost)


def complete(
    found: t.Iterable[Outcome[str, t.Any]], changes: t.Iterable[Outcome[str, bool]], result_of: t.Callable[[str], Result] = lambda _instance_id: {}
) -> Outcomes:
    """Join what came before the tags were changed, which may be an error already, with what became of the tags."""
    changed = {outcome.item: outcome for outcome in changes}

    def result(instance_id: str, _value: t.Any) -> Result:
        return {"changed": changed[instance_id].result(), **result_of(instance_id)}

    return for_each_found(found, result, concurrency=1)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **cloudone_spec(),
            **aws_spec(),
            **ec2_appliances_spec(),
            **concurrency_spec(),
            "state": {"type": "str", "choices": ["started", "registered", "finished"], "required": True},
            "registered_at": {"type": "str"},
            "use_aws": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests", *(["boto3"] if module.params["use_aws"] else []))
    try:
        outcomes = record_all(module.params, check_mode=module.check_mode, now=utc_now())
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, entries(outcomes))


if __name__ == "__main__":
    main()
