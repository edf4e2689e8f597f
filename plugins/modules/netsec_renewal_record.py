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
  - An appliance may lose settings when it registers again. This module records them in tags of its EC2 instance before, so that they outlive a run
    that is killed in the middle, and the next run can restore them.
  - It also records when the appliance registered, from which M(trendmicro.cloudone.netsec_certificate_info) tells when its certificate expires.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.concurrency
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_aws
attributes:
  check_mode:
    support: full
    details:
      - Changes nothing, but asks EC2 whether it would permit the changes (C(DryRun)). Fails for an appliance where it would not.
      - With O(state=started) it also asks whether EC2 would permit what O(state=finished) does.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(state=registered) without O(registered_at) writes the present time whenever it is run.
options:
  state:
    description:
      - V(started) writes O(appliances[].settings), split over the tags C(trendmicro.cloudone:renewal-<n>), and the time into
        C(trendmicro.cloudone:renewal-started). A record that is there already is from a renewal that was interrupted, and is kept. It is an error if
        there is no room for all tags, or if the record that is there cannot be read.
      - V(registered) writes the time of the registration into C(trendmicro.cloudone:registered-at), and leaves the record alone.
      - V(finished) removes what V(started) wrote.
    type: str
    choices:
      - started
      - registered
      - finished
    required: true
  appliances:
    description:
      - The appliances, each EC2 instance once.
    type: list
    elements: dict
    required: true
    suboptions:
      instance_id:
        description:
          - EC2 instance ID of the appliance.
        type: str
        required: true
      region:
        description:
          - AWS region of the instance. Saves searching O(regions).
        type: str
      management_interface:
        description:
          - Not used. Accepted so that the same list of appliances can be given to all modules.
        type: str
      settings:
        description:
          - What the registration may lose. Required for O(state=started).
        type: dict
        suboptions:
          appliance_id:
            description:
              - ID of the appliance in the API before it is unregistered.
            type: int
          profile_id:
            description:
              - ID of the profile that was last distributed to the appliance.
            type: int
          log_types:
            description:
              - Log streaming of the appliance, in the form of M(trendmicro.cloudone.netsec_cloudwatch_logconfig).
            type: list
            elements: dict
            default: []
            suboptions:
              name:
                description:
                  - Name of the log type.
                type: str
                required: true
              group:
                description:
                  - Log group in CloudWatch.
                type: str
              stream:
                description:
                  - Log stream in CloudWatch.
                type: str
              enabled:
                description:
                  - Whether the log type is streamed.
                type: bool
  regions:
    description:
      - AWS regions to search for appliances whose region is not known.
      - If empty, only the region of the AWS options is searched.
    type: list
    elements: str
    default: []
  registered_at:
    description:
      - When the appliances registered, as an ISO 8601 time. Only used with O(state=registered). The present time if it is not given.
    type: str
notes:
  - The IAM actions needed are C(ec2:DescribeInstances), C(ec2:CreateTags) and C(ec2:DeleteTags). The latter two can be limited to instances, and to
    tag keys that begin with C(trendmicro.cloudone:).
seealso:
  - module: trendmicro.cloudone.netsec_certificate_info
"""

EXAMPLES = r"""
- name: Record what may be lost, before unregistering
  trendmicro.cloudone.netsec_renewal_record:
    state: started
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
        settings:
          appliance_id: 17
          profile_id: 3
          log_types:
            - name: ipsBlock
              group: network-security-block-events
              stream: ipsBlock_{instance_id}
              enabled: true
  delegate_to: localhost

- name: Record that the appliance registered just now
  trendmicro.cloudone.netsec_renewal_record:
    state: registered
    appliances:
      - instance_id: i-0123456789abcdef0
        region: eu-central-1
  delegate_to: localhost
"""

RETURN = r"""
appliances:
  description: One entry for each of O(appliances), in the same order.
  returned: always, unless nothing could be asked of AWS at all
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
    failed:
      description: Whether the tags could not be changed.
      type: bool
      returned: always
    msg:
      description: Why not.
      type: str
      returned: if it failed
    settings:
      description: The settings that are on record now. Those of an interrupted renewal, if there was one.
      type: dict
      returned: if O(state=started) and it did not fail
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
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import refuse_duplicates
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_tags import RenewalTags
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, concurrency_spec, ec2_appliances_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import require_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, to_text, utc_now

Params = t.Mapping[str, t.Any]

SETTINGS = {
    "appliance_id": {"type": "int"},
    "profile_id": {"type": "int"},
    "log_types": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "group": {"type": "str"},
            "stream": {"type": "str"},
            "enabled": {"type": "bool"},
        },
    },
}


def record_all(params: Params, *, check_mode: bool, now: datetime) -> list[Outcome[str, Result]]:
    """Bring the record of each appliance to the wanted state.

    :returns: one outcome for each appliance, in their order.
    :raises CloudOneError: if what is asked for is not valid, or nothing can be asked of AWS.
    """
    appliances = {appliance["instance_id"]: appliance for appliance in params["appliances"]}
    refuse_duplicates(appliance["instance_id"] for appliance in params["appliances"])
    registered_at = from_text(params["registered_at"]) if params["registered_at"] else now.replace(microsecond=0)
    if registered_at is None:
        raise InputError(f"registered_at must be an ISO 8601 time like 2026-03-01T12:00:00Z, not {params['registered_at']!r}.")
    if params["state"] == "started":
        lacking = [instance_id for instance_id, appliance in appliances.items() if appliance["settings"] is None]
        if lacking:
            raise InputError(f"state=started needs the settings to record; they are missing for {', '.join(lacking)}.")

    clients = AwsClients(params, concurrency=params["concurrency"])
    searched = {
        instance_id: clients.regions([appliance["region"]] if appliance["region"] else params["regions"]) for instance_id, appliance in appliances.items()
    }
    find = require_instances(clients, searched, concurrency=params["concurrency"])
    tags = RenewalTags(clients, check_mode=check_mode)

    def record(instance_id: str) -> Result:
        instance = find(instance_id)
        if params["state"] == "started":
            changed, settings = tags.start(instance, Settings.from_dict(appliances[instance_id]["settings"]), now)
            return {"changed": changed, "settings": settings.as_result()}
        if params["state"] == "registered":
            return {"changed": tags.registered(instance, registered_at), "registered_at": to_text(registered_at), "expires_at": to_text(expiry(registered_at))}
        return {"changed": tags.finish(instance)}

    return for_each(record, appliances, concurrency=params["concurrency"])


def main() -> None:
    appliances = ec2_appliances_spec()
    appliances["appliances"]["options"]["settings"] = {"type": "dict", "options": SETTINGS}
    module = AnsibleModule(
        argument_spec={
            **aws_spec(),
            **appliances,
            **concurrency_spec(),
            "state": {"type": "str", "choices": ["started", "registered", "finished"], "required": True},
            "registered_at": {"type": "str"},
        },
        supports_check_mode=True,
    )
    require_libraries(module, "boto3")
    try:
        outcomes = record_all(module.params, check_mode=module.check_mode, now=utc_now())
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    finish(module, entries(outcomes))


if __name__ == "__main__":
    main()
