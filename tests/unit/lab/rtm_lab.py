# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS and Conformity of a lab without appliances, for tests with boto3 and requests."""

from __future__ import annotations

import typing as t

import boto3
import botocore.config

from lab.lab import Lab

SESSION: t.Any = boto3.session.Session()  # making one is slow
OPT_IN_OFF = ["me-south-1", "ap-east-1", "af-south-1", "eu-south-1"]
NAME = "CloudConformityMonitoring"
BUS_ACCOUNT = "717210094962"

Json = dict[str, t.Any]


class RtmLab:
    """A running lab, with clients."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.control = lab.control

    def client(self, service: str, region: str = "us-east-1", credentials: Json | None = None) -> t.Any:
        """Make a client of the lab's user, or of a session that STS gave out."""
        environment = self.lab.environment
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=credentials["AccessKeyId"] if credentials else environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["SecretAccessKey"] if credentials else environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials["SessionToken"] if credentials else None,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def assume(self, account_id: str, *, role: str = "conformity-rtm", region: str = "eu-west-1") -> Json:
        """Act in another account; return credentials."""
        answer = self.client("sts", region).assume_role(RoleArn=f"arn:aws:iam::{account_id}:role/{role}", RoleSessionName="test")
        return t.cast(Json, answer["Credentials"])

    def monitoring(self, account_id: str, region: str) -> Json:
        """Return what is true of monitoring in a region."""
        return t.cast(Json, self.control.world()["rtm"][account_id]["regions"][region])
