# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that ask or change EC2; the code side is ``_arguments.ec2_appliances_spec()``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
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
          - The network interface for management, as its ID (V(eni-...)) or its device index (V(0), V(1)).
          - Needed only where it cannot be told from what EC2 says about the instance.
        type: str
      assume_role_arn:
        description:
          - ARN of an IAM role to work with on this appliance, in whose AWS account it is. It is assumed as the role of the AWS options is, once for
            all appliances that name it.
          - If not given, the AWS options alone count. So the appliances of one call may be in several accounts. If one account cannot be reached, only
            its appliances fail. Option O(concurrency) counts in each account.
        type: str
      assume_role_external_id:
        description:
          - The external ID that the trust policy of O(appliances[].assume_role_arn) demands, if it does.
        type: str
  regions:
    description:
      - AWS regions to search for appliances whose region is not known.
      - If empty, only the region of the AWS options is searched.
    type: list
    elements: str
    default: []
"""
