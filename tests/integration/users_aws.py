# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user has in AWS beside the appliances, and the collection does not make."""

from __future__ import annotations

import gzip
import json
import typing as t

import boto3
from conftest import Json, Site


class UsersAws:
    """The user's own hand in AWS: what the collection does not make."""

    def __init__(self, site: Site) -> None:
        environment = site.lab.environment
        self._url = environment["AWS_ENDPOINT_URL"]
        self._session = boto3.session.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])

    def client(self, service: str, region: str = "us-east-1") -> t.Any:
        return self._session.client(service, region_name=region, endpoint_url=self._url)

    def key(self, region: str) -> str:
        """A KMS key that CloudWatch Logs of its region may use."""
        policy = allow("kms:*", Principal={"Service": f"logs.{region}.amazonaws.com"}, Resource="*")
        return t.cast(str, self.client("kms", region).create_key(Policy=policy)["KeyMetadata"]["Arn"])

    def role(self, name: str, service: str, action: str) -> str:
        """A role that a service may take, with the right to one action."""
        iam = self.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=allow("sts:AssumeRole", Principal={"Service": service}))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=allow(action, Resource="*"))
        return t.cast(str, arn)

    def firehose_to(self, bucket: str) -> str:
        """A Firehose stream that writes into a new bucket."""
        self.client("s3").create_bucket(Bucket=bucket)
        destination = {"RoleARN": self.role(f"firehose-to-{bucket}", "firehose.amazonaws.com", "s3:*"), "BucketARN": f"arn:aws:s3:::{bucket}"}
        made = self.client("firehose").create_delivery_stream(DeliveryStreamName=f"to-{bucket}", ExtendedS3DestinationConfiguration=destination)
        return t.cast(str, made["DeliveryStreamARN"])

    def function(self, name: str) -> str:
        """A Lambda function that CloudWatch Logs may not call yet."""
        settings = {"Runtime": "python3.13", "Handler": "slack.main", "Code": {"ZipFile": b"zip"}}
        role = self.role(f"{name}-function", "lambda.amazonaws.com", "logs:*")
        return t.cast(str, self.client("lambda").create_function(FunctionName=name, Role=role, **settings)["FunctionArn"])

    def let_cloudwatch_call(self, name: str) -> None:
        self.client("lambda").add_permission(FunctionName=name, StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.us-east-1.amazonaws.com")

    def groups(self, region: str) -> dict[str, Json]:
        """The log groups of a region, by name."""
        return {group["logGroupName"]: group for group in self.client("logs", region).describe_log_groups()["logGroups"]}

    def events_in(self, bucket: str) -> list[str]:
        """The messages of all events that Firehose has written into a bucket."""
        s3 = self.client("s3")
        objects = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return [event["message"] for one in objects for event in json.loads(gzip.decompress(one))["logEvents"]]


def allow(action: str, **more: t.Any) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})
