# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others do in EC2 while an appliance is renewed, or afterwards."""

from __future__ import annotations

import typing as t

import boto3

from lab.lab import Lab


def ec2_of(lab: Lab, region: str) -> t.Any:
    """A client of EC2. What changes behind the lab's back, it may not notice."""
    environment = lab.environment
    session = boto3.session.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    return session.client("ec2", region_name=region, endpoint_url=environment["AWS_ENDPOINT_URL"])


def replace_instance(lab: Lab, instance_id: str) -> None:
    """Terminate an appliance's instance as an Auto Scaling group does, whose life cycle hook unregisters it as well."""
    ec2_of(lab, lab.world.appliances[instance_id].placement.region).terminate_instances(InstanceIds=[instance_id])
    for api_id in lab.world.api_ids(instance_id):
        lab.world.unregister_in_api(api_id)
    # The machine is gone, and with it its command line.
    lab.control.add_fault("cli", {"kind": "drop"}, match={"instance_id": instance_id}, times=None)
