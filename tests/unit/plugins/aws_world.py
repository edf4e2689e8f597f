# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS as tests see it: a stand-in with appliances in it, every call on record, and failures on demand."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3
import botocore.client
import botocore.loaders
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from moto import mock_aws
from moto.ec2.models import ec2_backends
from moto.logs.models import LogEvent, logs_backends

from lab.instance_filters import teach_moto

ACCOUNT = "123456789012"
REGION = "eu-central-1"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# Reading the descriptions of AWS's services costs more than most tests: all sessions share what was read once.
_LOADER = botocore.loaders.create_loader()

Json = dict[str, t.Any]
Reaction = t.Callable[["Call"], None]
Answer = t.Callable[["Call"], Json]

GENEVE = {"IpProtocol": "udp", "FromPort": 6081, "ToPort": 6081, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}


@dataclass(frozen=True)
class Call:
    """One call to AWS."""

    region: str
    operation: str
    parameters: Json


@dataclass
class Calls:
    """Every call to AWS since recording began, and what is to happen at some of them."""

    made: list[Call] = field(default_factory=list)
    _reactions: list[tuple[str, Reaction, list[None]]] = field(default_factory=list)
    _answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def operations(self) -> list[str]:
        """Names of the calls, in order; with ``(dry run)`` behind those that would change nothing."""
        return [call.operation + (" (dry run)" if call.parameters.get("DryRun") else "") for call in self.made]

    def of(self, operation: str) -> list[Json]:
        """Parameters of the calls of one operation."""
        return [call.parameters for call in self.made if call.operation == operation]

    def react(self, operation: str, reaction: Reaction, *, times: int = 1) -> None:
        """Run ``reaction`` just before the operation, so many times: it may raise, or change the world as another run would."""
        self._reactions.append((operation, reaction, [None] * times))

    def fail(self, operation: str, code: str, message: str = "no", *, times: int = 1, region: str | None = None) -> None:
        """Let AWS refuse an operation."""

        def refuse(call: Call) -> None:
            if region in (None, call.region):
                raise ClientError({"Error": {"Code": code, "Message": message}}, operation)

        self.react(operation, refuse, times=times)

    def answer(self, operation: str, answer: Answer) -> None:
        """Answer an operation that the stand-in does not know; parameters and answer have to be as botocore's service description has them."""
        self._answers[operation] = answer

    def instead(self, call: Call) -> Json | None:
        """The answer to a call that is not left to the stand-in."""
        answer = self._answers.get(call.operation)
        return answer(call) if answer else None

    def before(self, call: Call) -> None:
        self.made.append(call)
        for operation, reaction, left in self._reactions:
            if operation == call.operation and left:
                left.pop()
                reaction(call)


class World:
    """One region of the stand-in.

    :ivar role_arn: the role with which it is reached; ``None`` in the account of the credentials themselves.
    """

    def __init__(self, region: str = REGION, account_id: str = ACCOUNT) -> None:
        self.region = region
        self.account_id = account_id
        self.role_arn = None if account_id == ACCOUNT else f"arn:aws:iam::{account_id}:role/certificates"
        credentials: dict[str, str] = {}
        if self.role_arn:
            assumed = boto3.client("sts", region_name=region).assume_role(RoleArn=self.role_arn, RoleSessionName="tests")["Credentials"]
            credentials = {
                "aws_access_key_id": assumed["AccessKeyId"],
                "aws_secret_access_key": assumed["SecretAccessKey"],
                "aws_session_token": assumed["SessionToken"],
            }
        self.ec2 = boto3.client("ec2", region_name=region, **credentials)

    def vpc(self) -> str:
        vpc_id = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")
        return str(vpc_id)

    def group(self, vpc_id: str, name: str, *permissions: Json, tags: dict[str, str] | None = None) -> str:
        specification = [{"ResourceType": "security-group", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}] if tags else []
        group_id = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id, TagSpecifications=specification)["GroupId"]
        if permissions:
            self.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(permissions))
        return str(group_id)

    def appliance(
        self,
        vpc_id: str,
        *,
        interfaces: t.Sequence[str] = ("Network Security Mgmt Port", "Network Security Data Port", "Network Security Data Port"),
        groups: t.Sequence[t.Sequence[str]] = (),
        user_data: str = "",
        tags: dict[str, str] | None = None,
        attached_at: datetime = NOW,
        profile_arn: str = "",
    ) -> str:
        """Start an instance.

        :param interfaces: their descriptions, by device index.
        :param groups: their security groups, by device index.
        :param attached_at: when the root volume was attached.
        :param profile_arn: its instance profile, see :meth:`profile`.
        """
        subnet_id = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["Subnets"][0]["SubnetId"]
        if not groups:
            groups = [[self.group(vpc_id, f"own-{len(self.ec2.describe_security_groups()['SecurityGroups'])}")]] * len(interfaces)
        specification = [
            {"DeviceIndex": index, "SubnetId": subnet_id, "Description": description, "Groups": list(groups[index])}
            for index, description in enumerate(interfaces)
        ]
        profile = {"IamInstanceProfile": {"Arn": profile_arn}} if profile_arn else {}
        answer = self.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, UserData=user_data, NetworkInterfaces=specification, **profile)
        instance_id = str(answer["Instances"][0]["InstanceId"])
        if tags:
            self.ec2.create_tags(Resources=[instance_id], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        # The stand-in does not take the first interface's description from the start.
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=self.interface_id(instance_id), Description={"Value": interfaces[0]})
        for device in ec2_backends[self.account_id][self.region].get_instance(instance_id).block_device_mapping.values():
            device.attach_time = attached_at
        return instance_id

    def profile(self, name: str, role: str | None) -> str:
        """Create an instance profile, with a role in it if one is named; the profile's ARN."""
        iam = boto3.client("iam", region_name=self.region)
        arn = iam.create_instance_profile(InstanceProfileName=name, Path="/network/")["InstanceProfile"]["Arn"]
        if role:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return str(arn)

    def log_stream(self, group: str, stream: str, *events: datetime, message: str = "-", behind: timedelta = timedelta(0)) -> None:
        """Create a log stream, and its group if there is none yet, or add to it events of those times, however long ago.

        :param behind: how long after those times CloudWatch took them; less than nothing where the writer's clock is ahead.
        """
        logs = logs_backends[ACCOUNT][self.region]
        logs.ensure_log_group(group)
        logs.ensure_log_stream(group, stream)
        for moment in events:
            event = {"timestamp": round(moment.timestamp() * 1000), "message": message}
            logs.groups[group].streams[stream].events.append(LogEvent(round((moment + behind).timestamp() * 1000), event))

    def interface(self, instance_id: str, device_index: int = 0) -> Json:
        for interface in self.ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [instance_id]}])["NetworkInterfaces"]:
            if interface["Attachment"]["DeviceIndex"] == device_index:
                return dict(interface)
        raise KeyError(device_index)

    def interface_id(self, instance_id: str, device_index: int = 0) -> str:
        return str(self.interface(instance_id, device_index)["NetworkInterfaceId"])

    def groups_of(self, instance_id: str, device_index: int = 0) -> list[str]:
        return sorted(group["GroupId"] for group in self.interface(instance_id, device_index)["Groups"])

    def group_names(self, vpc_id: str) -> list[str]:
        answer = self.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
        return sorted(group["GroupName"] for group in answer["SecurityGroups"] if group["GroupName"] != "default")

    def tags(self, resource_id: str) -> dict[str, str]:
        answer = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource_id]}])
        return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


def start(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[World]:
    """Put the stand-in in the place of AWS, and yield its first region."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(botocore.session, "create_loader", lambda search_path: _LOADER)
    teach_moto()
    with mock_aws():
        yield World()


def record(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Record all further calls."""
    calls = Calls()
    make_api_call = botocore.client.BaseClient._make_api_call

    def recording(client: t.Any, operation: str, parameters: Json) -> t.Any:
        call = Call(client.meta.region_name, operation, parameters)
        calls.before(call)
        answer = calls.instead(call)
        if answer is None:
            return make_api_call(client, operation, parameters)
        described = client.meta.service_model.operation_model(operation)
        validate_parameters(parameters, described.input_shape)
        if described.output_shape:
            validate_parameters(answer, described.output_shape)
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recording)
    return calls
