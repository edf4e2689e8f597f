# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import traceback
import typing as t

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws import session
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, AwsCredentialsError, call, chunks, pages, prove_permission
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError

if t.TYPE_CHECKING:
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import Calls, World


@pytest.fixture
def stubbed(aws: World) -> t.Iterator[tuple[t.Any, Stubber]]:
    client = boto3.client("ec2", region_name="eu-west-1")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


class TestClients:
    def test_makes_each_client_once(self, aws: World) -> None:
        clients = AwsClients({}, concurrency=7)
        assert clients.ec2("us-east-1") is clients.client("ec2", "us-east-1")
        assert clients.ec2("us-east-1") is not clients.ec2("us-west-2")

    def test_sets_the_client_up(self, aws: World) -> None:
        client = AwsClients({}, concurrency=7).ec2("us-east-1")
        assert client.meta.region_name == "us-east-1"
        assert client.meta.config.max_pool_connections == 7
        assert client.meta.config.retries["mode"] == "standard"
        assert client.meta.config.user_agent.endswith("trendmicro.cloudone")

    def test_takes_keys_region_and_url_from_the_options(self, aws: World) -> None:
        options = {"access_key": "AKIDEXAMPLE", "secret_key": "s3cr3t", "session_token": "t0k3n", "region": "sa-east-1", "endpoint_url": "http://127.0.0.9:1"}
        clients = AwsClients(options, concurrency=1)
        client = clients.ec2("sa-east-1")
        credentials = client._request_signer._credentials
        assert (credentials.access_key, credentials.secret_key, credentials.token) == ("AKIDEXAMPLE", "s3cr3t", "t0k3n")
        assert client.meta.endpoint_url == "http://127.0.0.9:1"
        assert clients.regions([]) == ["sa-east-1"]

    def test_region_from_the_environment(self, aws: World, monkeypatch: pytest.MonkeyPatch) -> None:
        assert AwsClients({}, concurrency=1).regions([]) == ["eu-central-1"]
        monkeypatch.setenv("AWS_REGION", "ap-southeast-2")
        assert AwsClients({}, concurrency=1).regions([]) == ["ap-southeast-2"]

    def test_wanted_regions_come_first_and_once(self, aws: World) -> None:
        assert AwsClients({}, concurrency=1).regions(["b", "a", "b"]) == ["b", "a"]

    def test_says_what_to_set_if_there_is_no_region(self, aws: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(InputError, match="AWS_DEFAULT_REGION"):
            AwsClients({}, concurrency=1).regions([])

    def test_unknown_profile(self, aws: World) -> None:
        with pytest.raises(AwsCredentialsError, match="nobody.*Set profile"):
            AwsClients({"profile": "nobody"}, concurrency=1)

    @pytest.mark.parametrize(("region", "url"), [("not a region", None), ("eu-west-1", "no-url")])
    def test_a_client_that_cannot_be_made(self, aws: World, region: str, url: str | None) -> None:
        with pytest.raises(AwsError, match="cannot reach ec2 in the region"):
            AwsClients({"endpoint_url": url}, concurrency=1).ec2(region)

    def test_account_id(self, aws: World, record_calls: t.Callable[[], Calls]) -> None:
        calls = record_calls()
        assert AwsClients({}, concurrency=1).account_id("eu-west-1") == "123456789012"
        assert [(made.region, made.operation) for made in calls.made] == [("eu-west-1", "GetCallerIdentity")]

    @pytest.mark.parametrize("options", [{"access_key": "AKIDEXAMPLE"}, {"secret_key": "s3cr3t"}])
    def test_half_of_a_pair_of_keys(self, aws: World, options: dict[str, str]) -> None:
        with pytest.raises(InputError, match="belong together"):
            AwsClients(options, concurrency=1)

    def test_concurrency_must_be_positive(self, aws: World) -> None:
        with pytest.raises(InputError, match="concurrency"):
            AwsClients({}, concurrency=0)


class TestErrors:
    def test_a_denied_call_names_the_iam_action(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        reason = "You are not authorized to perform this operation. Encoded authorization failure message: aBcDeF"
        stubber.add_client_error("delete_security_group", "UnauthorizedOperation", reason, expected_params={"GroupId": "sg-1"})
        with pytest.raises(AwsError) as caught:
            call(client, "delete_security_group", GroupId="sg-1")
        assert (caught.value.code, caught.value.operation) == ("UnauthorizedOperation", "ec2:DeleteSecurityGroup")
        assert str(caught.value) == (
            "AWS refused ec2:DeleteSecurityGroup in eu-west-1 (UnauthorizedOperation): You are not authorized to perform this operation. "
            "Allow the IAM action ec2:DeleteSecurityGroup to the AWS credentials that are used."
        )

    def test_a_denied_call_names_the_action_that_is_lacking_where_aws_says_which(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        reason = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/y"
        stubber.add_client_error("run_instances", "AccessDeniedException", reason)
        with pytest.raises(AwsError, match=r"AWS refused ec2:RunInstances .*:role/y\. Allow the IAM action iam:PassRole to the AWS credentials"):
            call(client, "run_instances", MinCount=1, MaxCount=1)

    @pytest.mark.parametrize("code", ["AuthFailure", "ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "RequestExpired"])
    def test_bad_credentials_are_an_error_of_their_own(self, stubbed: tuple[t.Any, Stubber], code: str) -> None:
        client, stubber = stubbed
        stubber.add_client_error("describe_instances", code, "first line\nx-amz-security-token: s3cr3t")
        with pytest.raises(AwsCredentialsError, match="Check the AWS credentials") as caught:
            call(client, "describe_instances")
        assert "s3cr3t" not in str(caught.value)

    def test_throttling_says_what_to_do(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        stubber.add_client_error("describe_instances", "RequestLimitExceeded", "Request limit exceeded.")
        with pytest.raises(AwsError, match="lower concurrency"):
            call(client, "describe_instances")

    def test_a_long_reason_is_cut_and_a_missing_one_missed_silently(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        stubber.add_client_error("describe_instances", "Odd", "x" * 5000)
        with pytest.raises(AwsError) as caught:
            call(client, "describe_instances")
        assert len(str(caught.value)) < 400
        stubber.add_client_error("describe_instances", "Odd", "")
        with pytest.raises(AwsError, match=r"\(Odd\)\.$"):
            call(client, "describe_instances")

    @pytest.mark.parametrize(
        ("raised", "wanted", "hint"),
        [
            (NoCredentialsError(), AwsCredentialsError, "Set profile"),
            (EndpointConnectionError(endpoint_url="http://127.0.0.9:1"), AwsError, "Check the network"),
        ],
    )
    def test_no_answer(self, aws: World, monkeypatch: pytest.MonkeyPatch, raised: Exception, wanted: type[AwsError], hint: str) -> None:
        client = AwsClients({}, concurrency=1).ec2("eu-west-1")

        def fail(*args: t.Any) -> t.Any:
            raise raised

        monkeypatch.setattr(client, "_make_api_call", fail)
        with pytest.raises(wanted, match=hint) as caught:
            call(client, "describe_instances")
        assert caught.value.code is None
        assert str(caught.value).startswith("ec2:DescribeInstances could not be asked of AWS")

    def test_a_bad_parameter_is_not_hidden_either(self, aws: World) -> None:
        with pytest.raises(AwsError, match="could not be asked"):
            call(AwsClients({}, concurrency=1).ec2("eu-west-1"), "describe_instances", Filters="wrong")


class TestDryRun:
    def test_a_permission_is_proved(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        wanted = {"GroupId": "sg-1", "DryRun": True}
        stubber.add_client_error("delete_security_group", "DryRunOperation", "Request would have succeeded", expected_params=wanted)
        prove_permission(client, "delete_security_group", GroupId="sg-1")

    def test_a_missing_permission_is_found(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        stubber.add_client_error("delete_security_group", "UnauthorizedOperation", "no", expected_params={"GroupId": "sg-1", "DryRun": True})
        with pytest.raises(AwsError, match="Allow the IAM action ec2:DeleteSecurityGroup"):
            prove_permission(client, "delete_security_group", GroupId="sg-1")


class TestPages:
    def test_follows_next_token(self, stubbed: tuple[t.Any, Stubber]) -> None:
        client, stubber = stubbed
        filters = [{"Name": "tag-key", "Values": ["k"]}]
        stubber.add_response("describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-1"}], "NextToken": "more"}, {"Filters": filters})
        stubber.add_response("describe_security_groups", {"SecurityGroups": [{"GroupId": "sg-2"}]}, {"Filters": filters, "NextToken": "more"})
        groups = pages(client, "describe_security_groups", "SecurityGroups", Filters=filters)
        assert [group["GroupId"] for group in groups] == ["sg-1", "sg-2"]

    def test_follows_the_next_token_of_cloudwatch_logs(self, aws: World) -> None:
        client = boto3.client("logs", region_name="eu-west-1")
        with Stubber(client) as stubber:
            stubber.add_response("describe_log_groups", {"logGroups": [{"logGroupName": "a"}], "nextToken": "more"}, {"logGroupNamePrefix": "a"})
            stubber.add_response("describe_log_groups", {"logGroups": [{"logGroupName": "ab"}]}, {"logGroupNamePrefix": "a", "nextToken": "more"})
            groups = pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix="a")
        assert groups == [{"logGroupName": "a"}, {"logGroupName": "ab"}]

    def test_follows_the_marker_of_iam(self, aws: World) -> None:
        client = boto3.client("iam", region_name="eu-west-1")
        with Stubber(client) as stubber:
            stubber.add_response("list_role_policies", {"PolicyNames": ["a"], "IsTruncated": True, "Marker": "more"}, {"RoleName": "r"})
            stubber.add_response("list_role_policies", {"PolicyNames": ["b"], "IsTruncated": False}, {"RoleName": "r", "Marker": "more"})
            assert pages(client, "list_role_policies", "PolicyNames", RoleName="r") == ["a", "b"]

    def test_follows_next_marker(self, aws: World) -> None:
        client = boto3.client("elbv2", region_name="eu-west-1")
        with Stubber(client) as stubber:
            stubber.add_response("describe_target_groups", {"TargetGroups": [{"Protocol": "GENEVE"}], "NextMarker": "more"}, {})
            stubber.add_response("describe_target_groups", {"TargetGroups": []}, {"Marker": "more"})
            assert pages(client, "describe_target_groups", "TargetGroups") == [{"Protocol": "GENEVE"}]


def test_chunks_fit_into_a_filter() -> None:
    values = [f"i-{number}" for number in range(2 * session.FILTER_VALUES + 1)]
    assert [len(chunk) for chunk in chunks(values + values)] == [200, 200, 1]
    assert chunks([]) == []


def test_client_error_is_the_cause(stubbed: tuple[t.Any, Stubber]) -> None:
    client, stubber = stubbed
    stubber.add_client_error("describe_instances", "Odd")
    with pytest.raises(AwsError) as caught:
        call(client, "describe_instances")
    assert isinstance(caught.value.__cause__, ClientError)


class TestRole:
    ARN = "arn:aws:iam::210987654321:role/rtm"

    def test_is_assumed_in_the_region_and_then_used(self, aws: World, record_calls: t.Callable[[], Calls]) -> None:
        calls = record_calls()
        clients = AwsClients({"assume_role_arn": self.ARN, "assume_role_external_id": "shared", "region": "eu-west-1"}, concurrency=2)
        assert calls.made == []
        assert clients.account_id("ap-northeast-3") == "210987654321"
        assert clients.account_id("ap-northeast-3") == "210987654321"
        assert [(made.region, made.operation) for made in calls.made] == [
            ("ap-northeast-3", "GetCallerIdentity"),
            ("eu-west-1", "AssumeRole"),
            ("ap-northeast-3", "GetCallerIdentity"),
        ]
        assert calls.of("AssumeRole") == [{"RoleArn": self.ARN, "RoleSessionName": "trendmicro.cloudone", "ExternalId": "shared"}]
        assert clients.regions([]) == ["eu-west-1"]

    def test_without_a_region(self, aws: World, record_calls: t.Callable[[], Calls], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        calls = record_calls()
        AwsClients({"assume_role_arn": self.ARN}, concurrency=1).account_id("eu-west-1")
        assert calls.made[1].region == "us-east-1"
        assert calls.of("AssumeRole") == [{"RoleArn": self.ARN, "RoleSessionName": "trendmicro.cloudone"}]

    def test_of_the_keys_that_were_given(self, aws: World) -> None:
        options = {"assume_role_arn": self.ARN, "access_key": "AKIDEXAMPLE", "secret_key": "s3cr3t"}
        credentials = AwsClients(options, concurrency=1).ec2("eu-west-1")._request_signer._credentials
        assert credentials.get_frozen_credentials().access_key.startswith("ASIA")

    def test_refused(self, aws: World, record_calls: t.Callable[[], Calls]) -> None:
        record_calls().fail("AssumeRole", "AccessDenied", "User: x is not authorized to perform: sts:AssumeRole")
        with pytest.raises(AwsError, match="Allow the IAM action sts:AssumeRole") as caught:
            AwsClients({"assume_role_arn": self.ARN}, concurrency=1).account_id("eu-west-1")
        assert caught.value.operation == "sts:AssumeRole"

    def test_needs_credentials(self, aws: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        with pytest.raises(AwsCredentialsError, match="Set profile"):
            AwsClients({"assume_role_arn": self.ARN}, concurrency=1)

    def test_an_external_id_alone(self, aws: World) -> None:
        with pytest.raises(InputError, match="assume_role_arn, which is not set"):
            AwsClients({"assume_role_external_id": "x"}, concurrency=1)

    @pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
    def test_sts_is_asked_at_its_regional_endpoint(self, aws: World, monkeypatch: pytest.MonkeyPatch, region: str) -> None:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
        assert AwsClients({}, concurrency=1).client("sts", region).meta.endpoint_url == f"https://sts.{region}.amazonaws.com"


class Endless:
    """A client whose pages do not end.

    :param same: the marker is always the same.
    """

    def __init__(self, *, same: bool) -> None:
        self.meta = boto3.client("ec2", region_name="eu-west-1").meta
        self.asked = 0
        self._same = same

    def describe_tags(self, **arguments: t.Any) -> dict[str, t.Any]:
        self.asked += 1
        return {"Tags": [], "NextToken": "x" if self._same else f"{self.asked}"}


@pytest.mark.parametrize(("same", "asked"), [(True, 2), (False, 5)])
def test_pages_that_never_end(aws: World, monkeypatch: pytest.MonkeyPatch, same: bool, asked: int) -> None:
    monkeypatch.setattr(session, "MOST_PAGES", 5)
    client = Endless(same=same)
    with pytest.raises(AwsError, match="The pages of ec2:DescribeTags in eu-west-1 do not end"):
        pages(client, "describe_tags", "Tags")
    assert client.asked == asked


@pytest.mark.parametrize(
    "error", [ValueError("invalid literal for int()"), KeyError("DescribeStacksResult"), RecursionError("too deep"), OverflowError("date value out of range")]
)
def test_an_answer_that_cannot_be_read(aws: World, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    client = boto3.client("ec2", region_name="eu-west-1")

    def describe_tags(**_arguments: t.Any) -> t.NoReturn:
        raise error

    monkeypatch.setattr(client, "describe_tags", describe_tags)
    with pytest.raises(AwsError, match=r"The answer to ec2:DescribeTags cannot be read: .*Check the network"):
        call(client, "describe_tags")


class Page(io.BytesIO):
    """The body of an answer, as botocore reads it."""

    def stream(self, **_arguments: t.Any) -> t.Iterator[bytes]:
        yield self.read()


@pytest.fixture
def ec2_behind_a_login_page(aws: World) -> t.Any:
    """What a captive portal does: it answers everything, with well-formed markup."""
    client = boto3.client("ec2", region_name="eu-west-1")
    client.meta.events.register("before-send.ec2", lambda request, **_: AWSResponse(request.url, 200, {}, Page(b"<html>Please log in</html>")))
    return client


def test_another_answer_than_documented_is_not_taken_for_an_empty_list(ec2_behind_a_login_page: t.Any) -> None:
    with pytest.raises(AwsError, match=r"The answer to ec2:DescribeInstances cannot be read: it has no Reservations\. Check the network"):
        pages(ec2_behind_a_login_page, "describe_instances", "Reservations")


def test_another_answer_than_documented_is_no_traceback(ec2_behind_a_login_page: t.Any) -> None:
    answer = call(ec2_behind_a_login_page, "create_security_group", GroupName="x", Description="x")
    with pytest.raises(AwsError, match=r"The answer to ec2:CreateSecurityGroup cannot be read: it has no GroupId\.") as caught:
        answer["GroupId"]
    assert caught.value.operation == "ec2:CreateSecurityGroup"


def test_json_without_the_list_is_an_empty_list(aws: World) -> None:
    client = boto3.client("logs", region_name="eu-west-1")
    client.meta.events.register("before-send.logs", lambda request, **_: AWSResponse(request.url, 200, {}, Page(b"{}")))
    assert pages(client, "describe_log_groups", "logGroups") == []


def test_another_answer_than_documented_of_a_service_whose_results_have_names(aws: World) -> None:
    client = boto3.client("cloudformation", region_name="eu-west-1")
    client.meta.events.register("before-send.cloudformation", lambda request, **_: AWSResponse(request.url, 200, {}, Page(b"<html>Please log in</html>")))
    with pytest.raises(AwsError, match=r"The answer to cloudformation:DescribeStacks cannot be read: .*DescribeStacksResult.*Check the network"):
        pages(client, "describe_stacks", "Stacks")


def test_half_an_answer_with_credentials_is_in_no_traceback(aws: World) -> None:
    half = b"<AssumeRoleResponse><AssumeRoleResult><Credentials><SecretAccessKey>not to be seen</SecretAccessKey>"
    client = boto3.client("sts", region_name="eu-west-1")
    client.meta.events.register("before-send.sts", lambda request, **_: AWSResponse(request.url, 200, {}, Page(half)))
    with pytest.raises(AwsError, match="sts:AssumeRole could not be asked of AWS: Unable to parse response") as caught:
        call(client, "assume_role", RoleArn="arn:aws:iam::210987654321:role/rtm", RoleSessionName="renewal")
    assert "not to be seen" not in "".join(traceback.format_exception(caught.value))
