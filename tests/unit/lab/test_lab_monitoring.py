# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events really flow: from a call to AWS over trail, rule, target and bus into Conformity."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from botocore.exceptions import ClientError
from rtm_lab import BUS_ACCOUNT, NAME, OPT_IN_OFF, RtmLab

from lab.aws import ACCOUNT_ID
from lab.aws_call import AwsCall
from lab.cloudformation import vendor_template
from lab.fleet import RTM_REGIONS
from lab.management_events import management_event, operation_name

OTHER = "222233334444"
REGION = "eu-west-1"


def fleet(**aws: t.Any) -> dict[str, t.Any]:
    return {
        "aws": {"trail": "multi_region", "regions_off": OPT_IN_OFF, "rtm": {"all": {}}, **aws},
        "conformity": {"event_delay": 0, "accounts": [{"name": "main", "id": "main", "aws_account_id": ACCOUNT_ID}]},
    }


def last_event(lab: RtmLab, account_id: str = "main") -> int | None:
    """Return what the API says of the last event, in ms."""
    data = _get(lab, f"/accounts/{account_id}")["data"]
    return t.cast("int | None", data["attributes"].get("last-monitoring-event-date"))


def events(lab: RtmLab, **params: t.Any) -> t.Any:
    return _get(lab, "/events", **params)["data"]


def _get(lab: RtmLab, path: str, **params: t.Any) -> t.Any:
    headers = {"Authorization": f"ApiKey {lab.lab.environment['CLOUDONE_API_KEY']}", "Content-Type": "application/vnd.api+json"}
    return requests.get(lab.lab.environment["CLOUDONE_CONFORMITY_URL"] + path, params=params, headers=headers, timeout=10).json()


def provoke(lab: RtmLab, region: str = REGION, credentials: t.Any = None) -> None:
    """Change something harmless."""
    lab.client("ec2", region, credentials).create_security_group(GroupName=f"g{time.time_ns()}", Description="x")


def test_an_event_arrives(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(**fleet())
    assert last_event(lab) is None
    lab.client("ec2", REGION).describe_vpcs()
    assert last_event(lab) is None, "reading makes no event"
    before = int(time.time() * 1000)
    provoke(lab)
    assert before <= (last_event(lab) or 0) <= time.time() * 1000
    (event,) = events(lab, accountIds="main", **{"filter[regions]": REGION, "filter[since]": before})
    assert event["relationships"]["account"]["data"]["id"] == "main"
    attributes = event["attributes"]
    assert (attributes["name"], attributes["service"], attributes["region"]) == ("account.monitoring.activity", "ec2", REGION)
    assert (attributes["description"], attributes["identity"]) == ("CreateSecurityGroup", f"arn:aws:iam::{ACCOUNT_ID}:user/lab")
    assert lab.monitoring(ACCOUNT_ID, REGION)["events_seen"] == 1
    for other in (
        {"filter[regions]": "us-east-1"},
        {"filter[since]": before + 60_000},
        {"filter[name]": "account.bot.*"},
        {"aws": "false"},
        {"page[number]": 1},
    ):
        assert events(lab, accountIds="main", **other) == []
    provoke(lab)
    newest, older = events(lab)
    assert newest["attributes"]["time"] >= older["attributes"]["time"]
    assert len(events(lab, **{"page[size]": 1})) == 1


def test_an_event_takes_its_time(start_lab: t.Callable[..., RtmLab]) -> None:
    settings = fleet()
    settings["conformity"]["event_delay"] = 0.3
    lab = start_lab(**settings)
    provoke(lab)
    assert last_event(lab) is None
    time.sleep(0.35)
    assert last_event(lab) is not None


@pytest.mark.parametrize("trail", ["none", "stopped", "single_region"])
def test_without_a_trail_that_covers_the_region_nothing_arrives(start_lab: t.Callable[..., RtmLab], trail: str) -> None:
    lab = start_lab(**fleet(trail=trail))
    provoke(lab)
    assert last_event(lab) is None
    provoke(lab, "us-east-1")  # where the trail of one region is
    assert (last_event(lab) is not None) == (trail == "single_region")
    cloudtrail = lab.client("cloudtrail")
    if trail == "stopped":
        cloudtrail.start_logging(Name="management-events")
        provoke(lab)
        assert last_event(lab) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "disabled"},
        {"rule": "missing"},
        {"target": "missing"},
        {"target": "other"},
        {"pattern": "other"},
        {"stack": "ROLLBACK_COMPLETE"},
        {"event_bus_account_id": "105579776292"},
    ],
)
def test_a_region_whose_rule_is_not_right_is_not_monitored(start_lab: t.Callable[..., RtmLab], change: t.Any) -> None:
    lab = start_lab(**fleet(rtm={"all": {}, REGION: change}))
    assert not lab.monitoring(ACCOUNT_ID, REGION)["monitored"]
    assert lab.control.world()["totals"]["regions_monitored"] == len(RTM_REGIONS) - len(OPT_IN_OFF) - 1
    provoke(lab)
    assert last_event(lab) is None
    provoke(lab, "us-west-2")
    assert last_event(lab) is not None


def test_the_older_pattern_forwards_as_well(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(**fleet(rtm={REGION: {"template": "older"}}))
    provoke(lab)
    assert last_event(lab) is not None
    assert lab.monitoring(ACCOUNT_ID, REGION)["monitored"]


def test_global_services_are_heard_in_us_east_1_only(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(**fleet(rtm={REGION: {}}))
    lab.client("iam", REGION).create_user(UserName="someone")
    assert last_event(lab) is None
    lab = start_lab(**fleet(rtm={"us-east-1": {}}))
    lab.client("iam", REGION).create_user(UserName="someone")
    assert [event["attributes"]["region"] for event in events(lab)] == ["us-east-1"]


def test_changes_of_content_are_no_management_events(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(**fleet())
    s3 = lab.client("s3", "us-east-1")
    s3.create_bucket(Bucket="things")
    s3.put_object(Bucket="things", Key="a/b", Body=b"x")
    s3.put_bucket_tagging(Bucket="things", Tagging={"TagSet": [{"Key": "A", "Value": "b"}]})
    s3.get_object(Bucket="things", Key="a/b")
    assert [event["attributes"]["description"] for event in events(lab)] == ["PutBucketTagging", "CreateBucket"]


def test_a_stack_that_is_rolled_out_makes_events_arrive(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(**fleet(rtm={}))
    cfn = lab.client("cloudformation", REGION)
    sources = {"ParameterKey": "EventBusSources", "ParameterValue": "aws.cloudformation"}
    cfn.create_stack(StackName=NAME, TemplateBody=vendor_template(), Parameters=[sources])
    assert last_event(lab) is None, "the call that makes the rule comes before the rule"
    provoke(lab)
    assert last_event(lab) is None, "ec2 is not among the sources"
    cfn.update_stack(StackName=NAME, UsePreviousTemplate=True, Parameters=[sources], Tags=[{"Key": "A", "Value": "b"}])
    assert [event["attributes"]["description"] for event in events(lab)] == ["UpdateStack"]
    shown = lab.monitoring(ACCOUNT_ID, REGION)
    assert (shown["owner"], shown["stacks"], shown["rule"]["sources"]) == (NAME, {NAME: "UPDATE_COMPLETE"}, ["aws.cloudformation"])


def test_an_account_listed_twice_and_one_whose_subscription_does_not_include_monitoring(start_lab: t.Callable[..., RtmLab]) -> None:
    settings = fleet()
    settings["conformity"]["accounts"] = [
        {"name": "first", "id": "first", "aws_account_id": ACCOUNT_ID},
        {"name": "second", "id": "second", "aws_account_id": ACCOUNT_ID, "sample": "older"},
        {"name": "small", "id": "small", "aws_account_id": ACCOUNT_ID, "subscription": "essentials"},
        {"name": "without", "id": "without", "aws_account_id": ACCOUNT_ID, "has_real_time_monitoring": False},
        {"name": "other", "id": "other", "aws_account_id": OTHER},
    ]
    lab = start_lab(**settings)
    provoke(lab)
    moved = [account_id for account_id in ("first", "second", "small", "without", "other") if last_event(lab, account_id) is not None]
    assert moved == ["first", "second"]
    assert lab.monitoring(ACCOUNT_ID, REGION)["events_seen"] == 1


def test_several_accounts_act_for_themselves(start_lab: t.Callable[..., RtmLab]) -> None:
    settings = fleet(
        accounts=[{"id": OTHER, "trail": "multi_region", "regions_off": ["me-south-1"], "denied_actions": ["ec2:DescribeVpcs"], "rtm": {REGION: {}}}]
    )
    settings["conformity"]["accounts"].append({"name": "other", "id": "other", "aws_account_id": OTHER})
    lab = start_lab(**settings)
    session = lab.assume(OTHER)
    identity = lab.client("sts", REGION, session).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (OTHER, f"arn:aws:sts::{OTHER}:assumed-role/conformity-rtm/test")
    provoke(lab, REGION, session)
    assert (last_event(lab), last_event(lab, "other") is not None) == (None, True)
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        lab.client("ec2", REGION, session).describe_vpcs()
    lab.client("ec2", REGION).describe_vpcs()
    lab.client("events", "af-south-1", session).list_rules()  # on in this account only
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        lab.client("events", "af-south-1").list_rules()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        lab.client("sts", "me-south-1", session).get_caller_identity()
    with pytest.raises(ClientError, match=r"AccessDenied.*sts:AssumeRole on resource: arn:aws:iam::999999999999"):
        lab.assume("999999999999")
    with pytest.raises(ClientError, match="AccessDenied"):
        lab.assume(OTHER, role="none")
    lab.control.add_fault("aws", {"code": "Throttling"}, match={"account": OTHER, "operation": "cloudformation:*"})
    lab.client("cloudformation", REGION).list_stacks()
    with pytest.raises(ClientError, match="Throttling"):
        lab.client("cloudformation", REGION, session).list_stacks()
    assert lab.lab.state_dir.read_description()["aws_role_arns"] == [f"arn:aws:iam::{OTHER}:role/conformity-rtm"]


def test_sessions_of_the_global_endpoint_are_not_known_in_opt_in_regions(start_lab: t.Callable[..., RtmLab]) -> None:
    account = {"id": OTHER}
    lab = start_lab(aws={"accounts": [account], "sts_us_east_1": "global"})
    session = lab.assume(OTHER, region="us-east-1")
    lab.client("sts", "us-west-2", session).get_caller_identity()
    for service, operation, code in [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("cloudformation", "list_stacks", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("events", "list_rules", "UnrecognizedClientException"),
    ]:
        with pytest.raises(ClientError, match=code):
            getattr(lab.client(service, "eu-south-1", session), operation)()
    regional = lab.assume(OTHER, region="us-west-2")
    lab.client("sts", "eu-south-1", regional).get_caller_identity()
    lab = start_lab(aws={"accounts": [account]})
    lab.client("sts", "eu-south-1", lab.assume(OTHER, region="us-east-1")).get_caller_identity()


def test_regions_are_described_as_the_account_has_them(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(aws={"regions_off": ["me-south-1", "ap-east-1", "af-south-1"]})
    ec2 = lab.client("ec2")

    def regions(**arguments: t.Any) -> dict[str, str]:
        return {region["RegionName"]: region["OptInStatus"] for region in ec2.describe_regions(**arguments)["Regions"]}

    every = regions(AllRegions=True)
    assert {region: every[region] for region in OPT_IN_OFF} == {
        "me-south-1": "not-opted-in",
        "ap-east-1": "not-opted-in",
        "af-south-1": "not-opted-in",
        "eu-south-1": "opted-in",
    }
    assert {every[region] for region in RTM_REGIONS if region not in OPT_IN_OFF} == {"opt-in-not-required"}
    assert set(every) - set(regions()) == {"me-south-1", "ap-east-1", "af-south-1"}
    assert regions(RegionNames=["af-south-1", "us-east-1"]) == {"af-south-1": "not-opted-in", "us-east-1": "opt-in-not-required"}
    status = {"Name": "opt-in-status", "Values": ["opted-in", "opt-in-not-required"]}
    assert regions(AllRegions=True, Filters=[status]) == regions()
    assert regions(AllRegions=True, Filters=[status, {"Name": "region-name", "Values": ["eu-*", "af-*"]}]).keys() == {
        region for region in regions() if region.startswith("eu-")
    }
    assert list(regions(Filters=[{"Name": "endpoint", "Values": ["ec2.us-east-1.amazonaws.com"]}])) == ["us-east-1"]
    for wrong in ({"RegionNames": ["mars-east-1"]}, {"Filters": [{"Name": "colour", "Values": ["red"]}]}):
        with pytest.raises(ClientError, match="InvalidParameterValue"):
            regions(**wrong)


def call(service: str, action: str, query: str = "", region: str = "us-east-1") -> AwsCall:
    return AwsCall(service, region, "AKIALAB", action, "json", query=query)


@pytest.mark.parametrize(
    ("service", "action", "query", "name"),
    [
        ("s3", "PUT /bucket", "", "CreateBucket"),
        ("s3", "PUT /bucket", "tagging", "PutBucketTagging"),
        ("s3", "DELETE /bucket", "", "DeleteBucket"),
        ("lambda", "POST /2015-03-31/functions", "", "CreateFunction"),
        ("cloudformation", "CreateStack", "", "CreateStack"),
        ("unheard-of", "POST /x", "", "POST /x"),
    ],
)
def test_operations_of_rest_apis_have_names(service: str, action: str, query: str, name: str) -> None:
    assert operation_name(call(service, action, query)) == name


def test_an_event_looks_like_cloudtrails() -> None:
    event = management_event(call("macie2", "EnableMacie", region=REGION), ACCOUNT_ID, "arn:x")
    assert event is not None
    assert (event["source"], event["detail-type"], event["account"], event["region"]) == ("aws.macie", "AWS API Call via CloudTrail", ACCOUNT_ID, REGION)
    assert (event["detail"]["eventCategory"], event["detail"]["eventName"], event["detail"]["readOnly"]) == ("Management", "EnableMacie", False)
    for reading in ("DescribeStacks", "GetTemplate", "ListStacks", "HEAD /bucket", "AssumeRole"):
        assert management_event(call("x", reading), ACCOUNT_ID, "") is None
    assert management_event(call("dynamodb", "PutItem"), ACCOUNT_ID, "") is None


def test_twenty_accounts_start_fast_and_answer_many_at_once(start_lab: t.Callable[..., RtmLab]) -> None:
    ids = [f"{100000000000 + number:012d}" for number in range(20)]
    began = time.monotonic()
    lab = start_lab(
        aws={"cloudformation": {"operation_seconds": 0.5}, "accounts": [{"id": account, "trail": "multi_region", "rtm": {"all": {}}} for account in ids]}
    )
    assert time.monotonic() - began < 10
    assert lab.control.world()["totals"]["regions_monitored"] == 20 * len(RTM_REGIONS)
    cfn = lab.client("cloudformation", REGION, lab.assume(ids[0]))
    clients = [lab.client("cloudformation", region) for region in RTM_REGIONS[:8]]
    sources = {"ParameterKey": "EventBusSources", "ParameterValue": "aws.s3"}
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.create_stack(StackName="x", TemplateBody=vendor_template(), Parameters=[sources]), clients))
        statuses = list(pool.map(lambda one: one.describe_stacks(StackName="x")["Stacks"][0]["StackStatus"], clients))
    assert cfn.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert time.monotonic() - began < 8 * 0.5, "they do not wait for one another"
    assert set(statuses) <= {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
    assert BUS_ACCOUNT in str(lab.monitoring(ids[-1], "ap-northeast-3")["rule"]["targets"])
