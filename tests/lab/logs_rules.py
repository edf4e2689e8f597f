# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch Logs where AWS is stricter than moto, and the calls about keys that moto lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from moto.awslambda_simple.models import lambda_simple_backends
from moto.firehose.models import firehose_backends
from moto.iam.models import Role, iam_backends
from moto.kms.models import kms_backends
from moto.logs.models import LogGroup, logs_backends

from lab.aws_answer import AwsAnswer
from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure
from lab.iam_policies import decide, trusts
from lab.iam_state import find_entity, rights_of

# fmt: off
RETENTION_DAYS = frozenset({1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653})
# fmt: on
FILTERS_PER_GROUP = 2
STREAMS_PER_SEARCH = 100
_GROUP_NAME = re.compile(r"(?!aws/)[._\-/#A-Za-z0-9]{1,512}")
_OTHER_NAME = re.compile(r"[^:*]{1,512}")
_KEY_ARN = re.compile(r"arn:aws:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):key/(?P<id>[0-9a-z-]+)")
_KEY_USES = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey")
_DESTINATION = re.compile(r"arn:aws:(?P<service>lambda|firehose|kinesis|logs):(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<resource>.+)")

Outcome = AwsAnswer | AwsFailure | None
Rule = Callable[[str, AwsCall], Outcome]


def check_logs(account_id: str, call: AwsCall) -> Outcome:
    """Return the error or answer that AWS would give and moto would not; ``None`` where moto does as AWS does."""
    for name, pattern in (("logGroupName", _GROUP_NAME), ("logStreamName", _OTHER_NAME), ("filterName", _OTHER_NAME)):
        if name in call.form and not pattern.fullmatch(call.form[name]):
            return _invalid(f"Value '{call.form[name]}' at '{name}' failed to satisfy constraint: Member must satisfy regular expression {pattern.pattern}")
    rule = _RULES.get(call.action)
    return rule(account_id, call) if rule else None


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterException", message)


def _group(account_id: str, call: AwsCall) -> LogGroup | None:
    return logs_backends[account_id][call.region].groups.get(call.form.get("logGroupName", ""))


def _no_group() -> AwsFailure:
    return AwsFailure("ResourceNotFoundException", "The specified log group does not exist.")


def _services(region: str) -> tuple[str, str]:
    """Return the names under which policies know CloudWatch Logs."""
    return "logs.amazonaws.com", f"logs.{region}.amazonaws.com"


# Keys -----------------------------------------------------------------------------------------------------------------


def _check_key(account_id: str, call: AwsCall) -> AwsFailure | None:
    """A key is named by its ARN, is symmetric, enabled, in the same region, and its policy lets CloudWatch Logs use it."""
    arn = call.form["kmsKeyId"]
    named = _KEY_ARN.fullmatch(arn)
    if named is None or named["region"] != call.region:
        return _invalid(f"The KMS key {arn} must be given by the ARN of a key in {call.region}.")
    key = kms_backends[named["account"]][call.region].keys.get(named["id"])
    if key is None or not key.enabled or key.key_spec != "SYMMETRIC_DEFAULT":
        return _invalid(f"The KMS key {arn} does not exist, is not enabled, or is not symmetric.")
    if not all(trusts(key.policy, _services(call.region), use) for use in _KEY_USES):
        group = f"arn:aws:logs:{call.region}:{account_id}:log-group:{call.form['logGroupName']}"
        return AwsFailure("AccessDeniedException", f"The specified KMS key does not exist or is not allowed to be used with LogGroup '{group}'")
    return None


def _create_group(account_id: str, call: AwsCall) -> Outcome:
    return _check_key(account_id, call) if "kmsKeyId" in call.form else None


def _associate_key(account_id: str, call: AwsCall) -> Outcome:
    if "resourceIdentifier" in call.form or "logGroupName" not in call.form:
        return _invalid("The lab takes logGroupName only.")
    group = _group(account_id, call)
    if group is None:
        return _no_group()
    failure = _check_key(account_id, call)
    if failure is None:
        group.kms_key_id = call.form["kmsKeyId"]
    return failure or AwsAnswer({})


def _disassociate_key(account_id: str, call: AwsCall) -> Outcome:
    group = _group(account_id, call)
    if group is None:
        return _no_group()
    group.kms_key_id = None
    return AwsAnswer({})


# Retention ------------------------------------------------------------------------------------------------------------


def _check_retention(_account_id: str, call: AwsCall) -> Outcome:
    days = call.form.get("retentionInDays", "")
    if days.isdecimal() and int(days) in RETENTION_DAYS:
        return None
    return _invalid(f"Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {sorted(RETENTION_DAYS)}")


# Searches -------------------------------------------------------------------------------------------------------------


def _check_search(account_id: str, call: AwsCall) -> AwsFailure | None:
    """A search names a group, and at most 100 streams, each of which exists."""
    group = _group(account_id, call)
    if group is None:
        return _no_group()
    if "logStreamNames" in call.form and "logStreamNamePrefix" in call.form:
        return _invalid("LogStreamNames and LogStreamNamePrefix are mutually exclusive.")
    names = json.loads(call.form.get("logStreamNames", "[]"))
    if len(names) > STREAMS_PER_SEARCH or ("logStreamNames" in call.form and not names):
        return _invalid(f"Value at 'logStreamNames' failed to satisfy constraint: Member must have length from 1 to {STREAMS_PER_SEARCH}")
    if any(name not in group.streams for name in names):
        return AwsFailure("ResourceNotFoundException", "The specified log stream does not exist.")
    return None


# Subscriptions --------------------------------------------------------------------------------------------------------


def _check_subscription(account_id: str, call: AwsCall) -> Outcome:
    """A group has two subscriptions at most. A destination is in the same account and region, is there, and lets CloudWatch Logs write."""
    group, name = _group(account_id, call), call.form.get("filterName", "")
    if group is None:
        return _no_group()
    failure = _check_destination(account_id, call)
    if failure is not None:
        return failure
    if name in group.subscription_filters:
        # moto counts before it looks whether the filter is there already.
        group.subscription_filters[name].update(call.form.get("filterPattern", ""), call.form["destinationArn"], call.form.get("roleArn", ""))
        return AwsAnswer({})
    if len(group.subscription_filters) >= FILTERS_PER_GROUP:
        return AwsFailure("LimitExceededException", "Resource limit exceeded.")
    return None


def _check_destination(account_id: str, call: AwsCall) -> AwsFailure | None:
    arn = call.form.get("destinationArn", "")
    named = _DESTINATION.fullmatch(arn)
    if named is None:
        return _invalid(f"destinationArn {arn} is no ARN of a destination.")
    if named["service"] == "logs":
        return None  # a logical destination may be in another account
    if (named["account"], named["region"]) != (account_id, call.region):
        return _invalid(f"destinationArn {arn}: the destination must be in the account and region of the log group.")
    if named["service"] == "lambda":
        return _check_function(account_id, call, arn)
    if "roleArn" not in call.form:
        return _invalid(f"destinationArn for vendor {named['service']} cannot be used without roleArn")
    return _check_firehose(account_id, call, arn) if named["service"] == "firehose" else None


def _check_function(account_id: str, call: AwsCall, arn: str) -> AwsFailure | None:
    if "roleArn" in call.form:
        return _invalid("destinationArn for vendor lambda cannot be used with roleArn")
    function = lambda_simple_backends[account_id][call.region].get_function_by_arn(arn)
    document = json.dumps({"Statement": function.policy.statements}) if function is not None else '{"Statement": []}'
    if not trusts(document, _services(call.region), "lambda:InvokeFunction"):
        message = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function."
        return _invalid(message)
    return None


def _check_firehose(account_id: str, call: AwsCall, arn: str) -> AwsFailure | None:
    stream = firehose_backends[account_id][call.region].lookup_name_from_arn(arn)
    if stream is None:
        return _invalid("Could not deliver test message to specified Firehose stream. Check if the given Firehose stream is in ACTIVE state.")
    iam = iam_backends[account_id]["aws"]
    role = find_entity(iam, call.form["roleArn"])
    if not isinstance(role, Role) or not trusts(role.assume_role_policy_document, _services(call.region), "sts:AssumeRole"):
        return _invalid("Could not deliver test message to specified Firehose stream. CloudWatch Logs cannot assume the role of roleArn.")
    if decide(rights_of(iam, role), "firehose:PutRecord", arn).decision != "allowed":
        return _invalid("Could not deliver test message to specified Firehose stream. The role of roleArn does not allow firehose:PutRecord.")
    return None


_RULES: dict[str, Rule] = {
    "AssociateKmsKey": _associate_key,
    "CreateLogGroup": _create_group,
    "DisassociateKmsKey": _disassociate_key,
    "FilterLogEvents": _check_search,
    "PutRetentionPolicy": _check_retention,
    "PutSubscriptionFilter": _check_subscription,
}
