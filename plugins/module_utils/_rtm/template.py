# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Real-Time Threat Monitoring (RTM) is in one region: a stack with one rule. Its names, and its template."""

from __future__ import annotations

import json
import typing as t

Json = dict[str, t.Any]

# The regions that the vendor supports, in its order. China and GovCloud are not among them.
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "sa-east-1",
    "ca-central-1",
    "me-south-1",
    "ap-east-1",
    "af-south-1",
    "eu-south-1",
    "ap-northeast-3",
)

# The AWS account whose event bus takes the events, as far as it is known: that of the Cloud One region us-1.
CONFORMITY_ACCOUNT_ID = "717210094962"

# The services whose events are forwarded, in the vendor's order.
EVENT_BUS_SOURCES = (
    "aws.s3",
    "aws.ec2",
    "aws.elasticloadbalancing",
    "aws.autoscaling",
    "aws.cloudformation",
    "aws.iam",
    "aws.dynamodb",
    "aws.rds",
    "aws.lambda",
    "aws.cloudfront",
    "aws.organizations",
    "aws.config",
    "aws.guardduty",
    "aws.cloudtrail",
    "aws.route53domains",
    "aws.kms",
    "aws.route53",
    "aws.sts",
    "aws.ecs",
    "aws.securityhub",
    "aws.signin",
    "aws.macie",
)

STACK_NAME = "CloudConformityMonitoring"
RULE_NAME = "CloudConformityMonitoring"
RULE_DESCRIPTION = "CloudConformityMonitoring"
RULE_TYPE = "AWS::Events::Rule"
TARGET_ID = "CloudConformityBus"

# The vendor's own template has the same two parameters.
ACCOUNT_PARAMETER = "CloudConformityAccountId"
SOURCES_PARAMETER = "EventBusSources"

# Events of reading calls never reach an EventBridge rule; of the others only management events are wanted.
EVENT_DETAIL: Json = {"eventCategory": ["Management"]}


def pattern(account: t.Any, sources: t.Any) -> Json:
    """The rule's event pattern.

    :param account: ID of the AWS account whose events match.
    :param sources: names of the services, ``aws.s3``.
    """
    return {"account": [account], "source": sources, "detail": EVENT_DETAIL}


def target_arn(region: str, conformity_account_id: str) -> str:
    """ARN of the event bus that takes the events of ``region``."""
    return f"arn:aws:events:{region}:{conformity_account_id}:event-bus/default"


def parameters(conformity_account_id: str, sources: t.Iterable[str]) -> dict[str, str]:
    """Values for the parameters of the template."""
    return {ACCOUNT_PARAMETER: conformity_account_id, SOURCES_PARAMETER: ",".join(sources)}


def template() -> Json:
    """The collection's own template. It has no IAM resource, so creating a stack from it needs no capability."""
    rule = {
        "Name": RULE_NAME,
        "Description": RULE_DESCRIPTION,
        "State": "ENABLED",
        "EventPattern": pattern({"Ref": "AWS::AccountId"}, {"Fn::Split": [",", {"Ref": SOURCES_PARAMETER}]}),
        "Targets": [{"Id": TARGET_ID, "Arn": {"Fn::Sub": target_arn("${AWS::Region}", f"${{{ACCOUNT_PARAMETER}}}")}}],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Forwards management events to Trend Cloud One Conformity for Real-Time Threat Monitoring.",
        "Parameters": {
            ACCOUNT_PARAMETER: {"Type": "String", "Description": "AWS account whose event bus takes the events."},
            SOURCES_PARAMETER: {"Type": "String", "Description": "Services whose events are forwarded, separated by commas."},
        },
        "Resources": {RULE_NAME: {"Type": RULE_TYPE, "Properties": rule}},
    }


def template_body() -> str:
    """The template as CloudFormation takes it."""
    return json.dumps(template(), indent=1)
