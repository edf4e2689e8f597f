#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_certificate_info
short_description: Forecast when appliance certificates expire
version_added: 1.0.0
description:
  - Tells for many appliances at once when the certificate expires, on what evidence, and whether it is to be renewed. Opens no SSH connection.
  - A certificate expires two years after the appliance registered. The API does not tell when that was, so it is taken from the tag
    O(registration_tag) that M(trendmicro.cloudone.netsec_renewal_record) writes on the EC2 instance, or else estimated as the time when the root
    volume was attached to the instance. A renewal that was done by hand since then leaves no trace in EC2, so an estimate can be too early.
  - An appliance whose certificate expired writes errors to its system log. Where that log is streamed to CloudWatch, it is searched for errors that
    are newer than the registration. They tell that a certificate expired, whatever its date says, and where they are over for good, that it was
    renewed by hand. See RV(appliances[].evidence).
  - Also tells the network interface for management, from evidence that EC2 gives. See RV(appliances[].management_interface).
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.aws
  - trendmicro.cloudone.ec2_appliances
  - trendmicro.cloudone.concurrency
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.attributes.actiongroup_aws
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.netsec
      - trendmicro.cloudone.aws
      - trendmicro.cloudone.all
options:
  renew_before:
    description:
      - How many days before it expires a certificate is due.
    type: int
    default: 30
  hosted_instance_ids:
    description:
      - Instance IDs of appliances that run on the vendor's infrastructure. The vendor renews them.
      - Only needed for those that cannot be told from others, see RV(appliances[].status).
    type: list
    elements: str
    default: []
  use_aws:
    description:
      - Whether to ask AWS. Without it nothing tells when a certificate expires, only whether the appliance is registered.
    type: bool
    default: true
  use_logs:
    description:
      - Whether to search the system logs in CloudWatch Logs for certificate errors. Not done without O(use_aws).
      - Only logs that can change the result are searched. That takes one request to the API for each of these appliances.
    type: bool
    default: true
  log_window:
    description:
      - How many days of the system logs to search, back from now.
      - Errors of a certificate that is expired are recent ones. More days find more appliances that were renewed by hand, and take longer.
    type: int
    default: 30
  command_line_logs:
    description:
      - What M(trendmicro.cloudone.nsva_certificate_info) found in the logs of appliances, to be judged together with what else is known.
      - The command line tells the time of the appliance's own clock, and nothing of times without errors. So where an estimate is all that is known
        of the registration, an error of before a renewal by hand makes the certificate pass for expired, as long as it is in the log.
    type: list
    elements: dict
    default: []
    suboptions:
      instance_id:
        description:
          - The EC2 instance ID.
        type: str
        required: true
      certificate_errors:
        description:
          - As RV(trendmicro.cloudone.nsva_certificate_info#module:certificate_errors). It may be empty.
        type: list
        elements: dict
        required: true
        suboptions:
          time:
            description:
              - When it was logged. An error without a time does not count, since it may be of a certificate before.
            type: str
          line:
            description:
              - The line of the log. It is not used.
            type: str
  registration_tag:
    description:
      - Key of the EC2 tag that holds the time of the last registration.
    type: str
    default: trendmicro.cloudone:registered-at
notes:
  - The IAM actions needed are C(ec2:DescribeInstances) and C(ec2:DescribeSecurityGroups). For instances whose management interface these do not
    tell, also C(ec2:DescribeInstanceAttribute), C(elasticloadbalancing:DescribeTargetGroups) and C(elasticloadbalancing:DescribeTargetHealth).
  - With O(use_logs) also C(logs:DescribeLogStreams), C(logs:FilterLogEvents) and C(logs:GetLogEvents). If these are denied, the forecast is made
    without the logs, and RV(appliances[].log_search) says so.
  - One query searches up to 100 logs of a log group, the newest days first, and reads at most 20 pages.
    How far it came is in RV(appliances[].log_search.searched_from).
  - An instance is searched in its O(appliances[].region), else in the region that the API gives, else in O(regions), else in O(region).
seealso:
  - module: trendmicro.cloudone.nsva_certificate_info
    description: Searches an appliance's own log for certificate errors.
  - module: trendmicro.cloudone.netsec_renewal_record
"""

EXAMPLES = r"""
- name: Forecast the certificates of two appliances
  trendmicro.cloudone.netsec_certificate_info:
    api_key: "{{ cloudone_api_key }}"
    cloudone_region: us-1
    appliances:
      - instance_id: i-0123456789abcdef0
      - instance_id: i-0fedcba9876543210
        region: eu-central-1
    renew_before: 60
  register: forecast
  delegate_to: localhost

- name: Record the settings of those that are due, which their renewal may lose
  trendmicro.cloudone.netsec_renewal_record:
    api_key: "{{ cloudone_api_key }}"
    cloudone_region: us-1
    state: started
    appliances: "{{ forecast.appliances | selectattr('due') | map(attribute='location') | list }}"
  delegate_to: localhost

- name: Search the appliances' own logs, which are not streamed to CloudWatch
  trendmicro.cloudone.nsva_certificate_info:
  register: found

- name: Forecast with what they said
  trendmicro.cloudone.netsec_certificate_info:
    api_key: "{{ cloudone_api_key }}"
    cloudone_region: us-1
    appliances:
      - instance_id: "{{ inventory_hostname }}"
    use_logs: false
    command_line_logs:
      - instance_id: "{{ inventory_hostname }}"
        certificate_errors: "{{ found.certificate_errors }}"
  delegate_to: localhost

- name: Show what is due
  ansible.builtin.debug:
    msg: "{{ item.instance_id }}: {{ item.reason }}"
  loop: "{{ forecast.appliances | selectattr('due') }}"
  loop_control:
    label: "{{ item.instance_id }}"
"""

RETURN = r"""
appliances:
  description: One entry for each of O(appliances), in the same order.
  returned: always, unless nothing could be found out about any of them
  type: list
  elements: dict
  contains:
    instance_id:
      description: The EC2 instance ID.
      type: str
      returned: always
      sample: i-0123456789abcdef0
    changed:
      description: Always V(false).
      type: bool
      returned: always
      sample: false
    failed:
      description: Whether nothing could be found out about this appliance. The other entries are as good as ever.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why nothing could be found out.
      type: str
      returned: if it failed
      sample: i-0123456789abcdef0 is known neither to the Network Security API nor to EC2 in eu-central-1. Check the instance id and the regions.
    status:
      description:
        - V(valid), V(expiring) (within O(renew_before)) or V(expired).
        - V(unregistered) if the API does not list the appliance.
        - V(hosted) if the user names it in O(hosted_instance_ids), or if the API says that its instance belongs to another AWS account.
        - V(unknown) if it cannot be told. The RV(appliances[].reason) says why. It is due all the same if the API lists the appliance more than once, and a
          renewal has recorded what it had.
      type: str
      returned: if it did not fail
      sample: expiring
    due:
      description: Whether the certificate is to be renewed now.
      type: bool
      returned: if it did not fail
      sample: true
    unfinished:
      description: Whether a renewal began and has not restored everything yet.
      type: bool
      returned: if it did not fail
      sample: false
    reason:
      description: Why the status is what it is.
      type: str
      returned: if it did not fail
      sample: expires on 2026-03-01, 2 years after the appliance registered on 2024-03-01
    orphaned:
      description: Whether the API lists the appliance, but its EC2 instance is gone. The RV(appliances[].status) is V(unknown) then.
      type: bool
      returned: if it did not fail
      sample: false
    registered:
      description: Whether the API lists the appliance.
      type: bool
      returned: if it did not fail
      sample: true
    name:
      description: The tag C(Name) of the EC2 instance, V(null) if it has none.
      type: str
      returned: if it did not fail
      sample: perimeter-1
    appliance:
      description:
        - The appliance as the API lists it, V(null) if it does not.
        - For its keys see RV(trendmicro.cloudone.netsec_appliance_info#module:appliances).
      type: dict
      returned: if it did not fail
      sample: {"id": 4711, "instance_id": "i-0123456789abcdef0", "host_name": "perimeter-1"}
    region:
      description: AWS region of the instance, as far as it is known.
      type: str
      returned: if it did not fail
      sample: eu-central-1
    location:
      description:
        - Where the appliance is, in the form that option O(appliances) has here and in the other modules, which then need not search for it.
        - What was found out, and else what O(appliances) says.
      type: dict
      returned: if it did not fail
      contains:
        instance_id:
          description: The EC2 instance ID.
          type: str
          returned: always
          sample: i-0123456789abcdef0
        region:
          description: AWS region of the instance.
          type: str
          returned: if it is known
          sample: eu-central-1
        management_interface:
          description: ID of the network interface for management.
          type: str
          returned: if it is known
          sample: eni-0123456789abcdef0
        assume_role_arn:
          description: ARN of the role to work with, as in O(appliances).
          type: str
          returned: if it is given
          sample: arn:aws:iam::210987654321:role/certificates
        assume_role_external_id:
          description: The external ID for that role, as in O(appliances).
          type: str
          returned: if it is given
          sample: netsec
    account_id:
      description: ID of the AWS account of the instance, as far as it is known.
      type: str
      returned: if it did not fail
      sample: "123456789012"
    deployment:
      description: V(inline), V(gateway_load_balancer), or V(null) if it is not known.
      type: str
      returned: if it did not fail
      sample: inline
    management_interface:
      description:
        - The network interface for management, V(null) if it is not known.
        - The evidence is, best first, O(appliances[].management_interface); the instance's user data (C(GWLB-mode), C(ManagementPort)); a security
          group rule for GENEVE (UDP 6081) on the interface at device index 0; a Gateway Load Balancer that has the instance as a target; the
          interfaces' descriptions; a source/destination check that is off on only one of the interfaces at device index 0 and 1.
        - User data and load balancers are asked only where the rest tells nothing.
      type: dict
      returned: if it did not fail
      contains:
        id:
          description: ID of the interface.
          type: str
          returned: always
          sample: eni-0123456789abcdef0
        device_index:
          description: V(0) in an appliance deployed inline, V(1) behind a Gateway Load Balancer.
          type: int
          returned: always
          sample: 0
        private_ip:
          description: Its private address.
          type: str
          returned: always
          sample: 10.0.0.10
        vpc_id:
          description: Its VPC.
          type: str
          returned: always
          sample: vpc-0123456789abcdef0
        evidence:
          description: Why it is this one.
          type: str
          returned: always
          sample: user data says GWLB-mode=1
    management_interface_error:
      description: Why the management interface is not known, and what to do. V(null) if it is known, or if EC2 has no such instance.
      type: str
      returned: if it did not fail
      sample: >-
        Nothing tells which network interface of i-0123456789abcdef0 is the one for management. Set management_interface of this appliance to one of
        its interfaces: eni-0123456789abcdef0 (device index 0, 10.0.0.10), eni-0fedcba9876543210 (device index 1, 10.0.1.10).
    registered_at:
      description:
        - When the appliance registered, in UTC. V(null) if nothing tells.
        - Where the log says that a certificate expired, it is what is known or estimated of the registration before.
      type: str
      returned: if it did not fail
      sample: "2024-03-01T12:00:00Z"
    expires_at:
      description:
        - When the certificate expires, in UTC. V(null) if nothing tells.
        - Where only the log says that it expired, it is the time of the first error, by which it had expired at the latest.
      type: str
      returned: if it did not fail
      sample: "2026-03-01T12:00:00Z"
    days_left:
      description: Whole days until RV(appliances[].expires_at), negative after it. V(null) if nothing tells.
      type: int
      returned: if it did not fail
      sample: 20
    estimated:
      description: Whether RV(appliances[].expires_at) is an estimate. V(false) too if nothing tells.
      type: bool
      returned: if it did not fail
      sample: false
    evidence:
      description:
        - What RV(appliances[].expires_at) is taken from. V(null) if nothing tells.
        - V(registration_tag) is what a renewal recorded, two years later. It is the only one that is no estimate.
        - V(renewal_record) is the begin of a renewal that was interrupted after the appliance had registered, two years later.
        - V(root_volume) is when the root volume was attached, two years later.
        - V(log_evidence) are certificate errors in the system log that are newer than all of these. If they go on, or may go on, the certificate is
          expired. If the log proves that they are over, where only an estimate is known otherwise, then the appliance was renewed by hand after
          the last of them. It may have been later, so the date is an early estimate.
      type: str
      choices: [registration_tag, renewal_record, log_evidence, root_volume]
      returned: if it did not fail
      sample: registration_tag
    certificate_errors:
      description:
        - The certificate errors in the system log that are newer than the registration, as far as the log was searched.
        - V(null) if nobody looked. See RV(appliances[].log_search) and O(command_line_logs).
      type: dict
      returned: if it did not fail
      contains:
        count:
          description: How many there are.
          type: int
          returned: always
          sample: 4
        first:
          description: Time of the first one, in UTC. V(null) if there is none.
          type: str
          returned: always
          sample: "2026-03-01T12:00:00Z"
        last:
          description: Time of the last one, in UTC. V(null) if there is none.
          type: str
          returned: always
          sample: "2026-03-02T06:00:00Z"
    log_search:
      description: What became of the search of the appliance's system log in CloudWatch Logs.
      type: dict
      returned: if it did not fail
      contains:
        state:
          description:
            - V(searched); V(not_streamed) if the appliance does not stream its system log; V(missing) if there is no such log stream; V(denied) if
              the AWS credentials do not allow it; V(failed) if something else prevented it.
            - V(not_asked) without O(use_logs), and where the log cannot change the result, as with a certificate that expired by the date of a tag.
          type: str
          choices: [searched, not_streamed, missing, denied, failed, not_asked]
          returned: always
          sample: searched
        note:
          description: Why it was not searched. V(null) if it was, or was not to be.
          type: str
          returned: always
          sample: "The log group network-security-system in eu-central-1 is too large: 20 pages of answers do not cover two days."
        searched_from:
          description: From when on all of the log was searched, in UTC. V(null) if it was not.
          type: str
          returned: always
          sample: "2026-01-30T12:00:00Z"
        last_line_at:
          description: Time of the last line in it, in UTC, as far as it is known. That may be an hour behind. V(null) if it is not known.
          type: str
          returned: always
          sample: "2026-03-01T11:00:00Z"
    saved_settings:
      description: What an unfinished renewal recorded, to be restored. V(null) if there is none. See M(trendmicro.cloudone.netsec_renewal_record).
      type: dict
      returned: if it did not fail
      sample:
        appliance_id: 4711
        profile_id: 4
        log_types: [{"name": "system", "group": "network-security-system", "stream": "system_{instance_id}", "enabled": true}]
summary:
  description: What the forecasts come to.
  returned: when RV(appliances) is
  type: dict
  contains:
    counts:
      description:
        - The number of appliances by their RV(appliances[].status); with V(orphaned) for those that are, and V(failed) where nothing could be found
          out. Each appliance counts once.
      type: dict
      returned: always
      sample: {"failed": 0, "expired": 1, "expiring": 2, "unregistered": 0, "orphaned": 0, "unknown": 0, "valid": 297, "hosted": 0}
    instance_ids:
      description:
        - The instance IDs of those that need something to be done, by the same names without V(valid) and V(hosted); first what expires first.
        - At most 1000 of each.
      type: dict
      returned: always
      sample: {"failed": [], "expired": ["i-0123456789abcdef0"], "expiring": [], "unregistered": [], "orphaned": [], "unknown": []}
    next_expiry:
      description: When the first of the certificates expires that have not expired yet, in UTC. V(null) if there is none, or nothing tells.
      type: str
      returned: always
      sample: "2026-03-20T12:00:00Z"
"""

import typing as t
from dataclasses import replace
from datetime import datetime, timedelta

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import assess, margin
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate_log import LogEvidence
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.evidence import Evidence, Wanted, gather
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.forecast_summary import summarize
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_search import log_reader
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import REGISTERED_AT, decode
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import (
    aws_spec,
    cloudone_spec,
    concurrency_spec,
    ec2_appliances_spec,
    require_libraries,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.system_log import parse_time
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result, entries, finish
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text, utc_now


def forecast(wanted: Wanted, evidence: Evidence, *, registration_tag: str, renew_before: timedelta, now: datetime) -> Result:
    """Judge one appliance and lay out the judgement.

    :raises InputError: if nobody knows the instance, or the record of an earlier renewal cannot be read.
    """
    facts, interface = evidence.facts, evidence.management_interface
    assessment = assess(facts, registration_tag=registration_tag, renew_before=renew_before, now=now)
    saved = decode(facts.instance.tags) if facts.instance else None
    known = facts.instance or facts.appliance
    registration = assessment.registration
    return {
        "status": assessment.status,
        "due": assessment.due,
        "unfinished": saved is not None,
        "reason": assessment.reason,
        "orphaned": assessment.orphaned,
        "registered": facts.appliance is not None,
        "name": facts.instance.tags.get("Name") or None if facts.instance else None,
        "appliance": facts.appliance.as_result() if facts.appliance else None,
        "region": known.region if known else None,
        "location": location(wanted, evidence),
        "account_id": known.account_id if known else None,
        "deployment": interface.deployment if isinstance(interface, ManagementInterface) else None,
        "management_interface": interface.as_result() if isinstance(interface, ManagementInterface) else None,
        "management_interface_error": str(interface) if isinstance(interface, CloudOneError) else None,
        "registered_at": to_text(registration.at) if registration else None,
        "expires_at": to_text(registration.expires_at) if registration else None,
        "days_left": assessment.days_left,
        "evidence": registration.source if registration else None,
        "estimated": registration.estimated if registration else False,
        "certificate_errors": _errors_result(assessment.errors) if facts.log.known else None,
        "log_search": _search_result(facts.log),
        "saved_settings": saved.as_result() if saved else None,
    }


def _errors_result(errors: t.Sequence[datetime]) -> Result:
    return {"count": len(errors), "first": to_text(errors[0]) if errors else None, "last": to_text(errors[-1]) if errors else None}


def _search_result(log: LogEvidence) -> Result:
    return {
        "state": log.state,
        "note": log.note,
        "searched_from": to_text(log.searched_from) if log.searched_from else None,
        "last_line_at": to_text(log.last_line_at) if log.last_line_at else None,
    }


def location(wanted: Wanted, evidence: Evidence) -> Result:
    """Where an appliance is, as the other modules take it: what was found out, and else what the user says."""
    known = evidence.facts.instance or evidence.facts.appliance
    interface = evidence.management_interface
    region = (known.region if known else None) or wanted.region
    interface_id = interface.id if isinstance(interface, ManagementInterface) else wanted.management_interface
    return {
        "instance_id": wanted.instance_id,
        **({"region": region} if region else {}),
        **({"management_interface": interface_id} if interface_id else {}),
        **wanted.role.as_options(),
    }


def forecast_all(params: t.Mapping[str, t.Any], now: datetime) -> list[Outcome[str, Result]]:
    """One outcome for each appliance, in their order."""
    concurrency = params["concurrency"]
    renew_before = margin(params["renew_before"])
    if params["log_window"] < 1:
        raise InputError(f"log_window must be at least 1 day; it is {params['log_window']}.")
    from_cli = {one["instance_id"]: _error_times(one, now) for one in params["command_line_logs"]}
    api = netsec_api(params, concurrency)
    wanted = [Wanted(**appliance, hosted=appliance["instance_id"] in params["hosted_instance_ids"]) for appliance in params["appliances"]]
    read_logs = log_reader(api, registration_tag=params["registration_tag"], window=timedelta(days=params["log_window"]), now=now, concurrency=concurrency)

    def judge(outcome: Outcome[Wanted, Evidence]) -> Result:
        evidence = outcome.result()
        errors = from_cli.get(outcome.item.instance_id)
        if errors is not None:
            evidence = replace(evidence, facts=replace(evidence.facts, log=evidence.facts.log.with_cli(errors, now)))
        return forecast(outcome.item, evidence, registration_tag=params["registration_tag"], renew_before=renew_before, now=now)

    gathered = gather(
        api,
        params if params["use_aws"] else None,
        wanted,
        regions=params["regions"],
        concurrency=concurrency,
        read_logs=read_logs if params["use_logs"] else None,
    )
    return [Outcome(outcome.item.item.instance_id, outcome.value, outcome.error) for outcome in for_each(judge, gathered, concurrency=1)]


def _error_times(log: t.Mapping[str, t.Any], now: datetime) -> list[datetime]:
    """The times of the errors that an appliance's command line told. Those without a time say nothing about the present certificate.

    :raises InputError: one is no time.
    """
    stamps = [error["time"] for error in log["certificate_errors"] if error["time"]]
    times = [parse_time(stamp, now) for stamp in stamps]
    wrong = [stamp for stamp, time in zip(stamps, times, strict=True) if time is None]
    if wrong:
        raise InputError(f"command_line_logs: {wrong[0]!r} of {log['instance_id']} is not a time such as 2026-01-31T04:05:06Z.")
    return [time for time in times if time]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **cloudone_spec(),
            **aws_spec(),
            **ec2_appliances_spec(),
            **concurrency_spec(),
            "renew_before": {"type": "int", "default": 30},
            "hosted_instance_ids": {"type": "list", "elements": "str", "default": []},
            "use_aws": {"type": "bool", "default": True},
            "use_logs": {"type": "bool", "default": True},
            "log_window": {"type": "int", "default": 30},
            "command_line_logs": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "instance_id": {"type": "str", "required": True},
                    "certificate_errors": {
                        "type": "list",
                        "elements": "dict",
                        "required": True,
                        "options": {"time": {"type": "str"}, "line": {"type": "str"}},
                    },
                },
            },
            "registration_tag": {"type": "str", "default": REGISTERED_AT},
        },
        supports_check_mode=True,
    )
    require_libraries(module, "requests", *(["boto3"] if module.params["use_aws"] else []))
    try:
        outcomes = forecast_all(module.params, utc_now())
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    results = entries(outcomes)
    finish(module, results, summary=summarize(results))


if __name__ == "__main__":
    main()
