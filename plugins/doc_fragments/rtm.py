# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say what RTM is; the code side is ``_rtm/options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    # Which account and regions; for modules that need to know nothing else of RTM.
    REGIONS = r"""
options:
  regions:
    description:
      - The AWS regions. The default is those that the vendor supports.
      - One that is switched off for the account is skipped. One that AWS does not know is an error, before anything is changed.
    type: list
    elements: str
    default:
      - us-east-1
      - us-east-2
      - us-west-1
      - us-west-2
      - ap-south-1
      - ap-northeast-2
      - ap-southeast-1
      - ap-southeast-2
      - ap-northeast-1
      - eu-central-1
      - eu-west-1
      - eu-west-2
      - eu-west-3
      - eu-north-1
      - sa-east-1
      - ca-central-1
      - me-south-1
      - ap-east-1
      - af-south-1
      - eu-south-1
      - ap-northeast-3
  expected_account_id:
    description:
      - ID of the AWS account that the credentials must belong to. With those of any other account the module fails, before anything is changed.
    type: str
  concurrency:
    description:
      - How many regions are worked on at the same time. The default is all at once.
    type: int
    default: 25
"""

    # Which events go where.
    EVENTS = r"""
options:
  conformity_account_id:
    description:
      - ID of the AWS account of Conformity whose event bus takes the events.
      - The default is that of the Cloud One region V(us-1). Those of other Cloud One regions are not published. Take it from the script that the
        Conformity console offers there.
    type: str
    default: "717210094962"
  event_bus_sources:
    description:
      - The AWS services whose events are forwarded, as event sources. Their order means nothing.
      - The default is the list of the vendor's template.
    type: list
    elements: str
    default:
      - aws.s3
      - aws.ec2
      - aws.elasticloadbalancing
      - aws.autoscaling
      - aws.cloudformation
      - aws.iam
      - aws.dynamodb
      - aws.rds
      - aws.lambda
      - aws.cloudfront
      - aws.organizations
      - aws.config
      - aws.guardduty
      - aws.cloudtrail
      - aws.route53domains
      - aws.kms
      - aws.route53
      - aws.sts
      - aws.ecs
      - aws.securityhub
      - aws.signin
      - aws.macie
"""

    # The stack that does it.
    DOCUMENTATION = r"""
options:
  stack_name:
    description:
      - Name of the CloudFormation stack, in each region.
      - The rule in it is always named V(CloudConformityMonitoring).
    type: str
    default: CloudConformityMonitoring
"""
