# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the outside world fails."""

from __future__ import annotations

import typing as t
from fnmatch import fnmatchcase

from faults.model import Kind, Step, Target

# Seconds: the runs wait no longer than API_TIMEOUT for an answer of an API and than SSH_TIMEOUT for an appliance; slow is beyond both.
API_TIMEOUT = 2
SSH_TIMEOUT = 15
SLOW = 3.0

_STATUSES = (400, 401, 403, 404, 409, 429, 500, 502, 503, 504)


def _api(target: Target) -> list[Kind]:
    return [
        *(Kind(f"answer {status}", target, {"status": status, "body": {"message": f"HTTP {status} of the matrix"}}) for status in _STATUSES),
        Kind("slow to the limit", target, {"delay": SLOW}, times=1),
        Kind("garbage", target, {"status": 200, "body": "<html>Please log in</html>"}),
        Kind("other JSON than documented", target, {"status": 200, "body": ["unexpected", {"id": None}]}),
        Kind("truncated", target, {"truncate": True}),
        Kind("cut before the request", target, {"drop": True}),
        Kind("cut before the answer", target, {"lose": "answer"}),
        Kind("cut in the answer", target, {"lose": "half"}),
    ]


_ON_NEW_GROUP = ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:ModifyNetworkInterfaceAttribute", "ec2:DeleteSecurityGroup")
_ON_NEW_LOG_GROUP = ("logs:PutRetentionPolicy", "logs:ListTagsForResource", "logs:DescribeLogStreams")
_AWS = [
    Kind("throttled", "aws", {"code": "RequestLimitExceeded", "status": 503}, calls=("ec2:*",)),
    Kind("throttled", "aws", {"code": "Throttling", "status": 400}, calls=("cloudformation:*", "events:*", "iam:*", "sts:*", "cloudtrail:*", "logs:*")),
    Kind("throttled for a moment", "aws", {"code": "Throttling", "status": 400}, times=1),
    Kind("denied", "aws", {"code": "UnauthorizedOperation", "message": "You are not authorized."}, calls=("ec2:*",)),
    Kind("denied", "aws", {"code": "AccessDenied", "status": 403, "message": "You are not authorized."}, calls=("cloudformation:*", "iam:*", "sts:*")),
    Kind("denied", "aws", {"code": "AccessDeniedException", "status": 400}, calls=("events:*", "logs:*", "cloudtrail:*")),
    Kind("token expired", "aws", {"code": "ExpiredToken", "status": 400, "message": "The security token included in the request is expired"}),
    Kind("clock refused", "aws", {"code": "RequestExpired", "status": 400, "message": "Request has expired."}),
    Kind("answer 500", "aws", {"code": "InternalError", "status": 500}),
    Kind("answer 502", "aws", {"code": "BadGateway", "status": 502}),
    Kind("answer 503", "aws", {"code": "Unavailable", "status": 503}),
    Kind("answer 504", "aws", {"code": "GatewayTimeout", "status": 504}),
    Kind("slow", "aws", {"delay": SLOW}, times=1),
    Kind("garbage", "aws", {"body": "Please log in"}),
    Kind("other XML than documented", "aws", {"body": "<html>Please log in</html>"}, calls=("ec2:*", "cloudformation:*", "iam:*", "sts:*")),
    Kind("other JSON than documented", "aws", {"body": '{"unexpected": []}'}, calls=("events:*", "logs:*", "cloudtrail:*")),
    Kind("truncated", "aws", {"truncate": True}),
    Kind("cut before the request", "aws", {"drop": True}),
    Kind("cut before the answer", "aws", {"lose": "answer"}),
    Kind("cut in the answer", "aws", {"lose": "half"}),
    Kind("not visible yet", "aws", {"code": "InvalidGroup.NotFound", "status": 400}, times=2, calls=_ON_NEW_GROUP),
    Kind("not visible yet", "aws", {"code": "ResourceNotFoundException", "status": 400}, times=2, calls=_ON_NEW_LOG_GROUP),
    Kind("group not visible yet", "aws", {"hide": "nsva-ssh-*"}, times=2, calls=("ec2:DescribeSecurityGroups", "ec2:DescribeNetworkInterfaces")),
    Kind("tags not visible yet", "aws", {"hide": "trendmicro.cloudone:*"}, times=2, calls=("ec2:DescribeInstances", "ec2:DescribeSecurityGroups")),
]

_CLI = [
    *(Kind(f"SSH {kind.replace('_', ' ')}", "cli", {"kind": kind}, times=1) for kind in ("drop", "hang", "garbage", "no_prompt", "refuse")),
    Kind("SSH refused for good", "cli", {"kind": "refuse"}),
    Kind("another host key", "cli", {"kind": "changed_host_key"}, calls=("connect",)),
    Kind("appliance reboots", "cli", {"kind": "drop"}, times=1, calls=("command:*", "answer:*"), down_for=1),
]

KINDS: t.Mapping[Target, t.Sequence[Kind]] = {"api": _api("api"), "conformity": _api("conformity"), "aws": _AWS, "cli": _CLI}


def kinds_for(step: Step) -> list[Kind]:
    """All kinds that can happen at a step."""
    return [kind for kind in KINDS[step.target] if not kind.calls or any(fnmatchcase(step.call, pattern) for pattern in kind.calls)]


# What begins at a call and stays for the rest of the run, whatever is asked. Kinds by target.
OUTAGES: t.Mapping[Target, t.Sequence[Kind]] = {
    "api": [
        Kind("key revoked during the run", "api", {"status": 401, "body": {"message": "The API key is not valid"}}),
        Kind("API unreachable from here on", "api", {"drop": True}),
        Kind("API down from here on", "api", {"status": 503, "body": {"message": "maintenance"}}),
    ],
    "conformity": [
        Kind("key revoked during the run", "conformity", {"status": 403, "body": {"Message": "User is not authorized"}}),
        Kind("API unreachable from here on", "conformity", {"drop": True}),
    ],
    "aws": [
        Kind("credentials expired during the run", "aws", {"code": "ExpiredToken", "status": 400, "message": "The security token is expired"}),
        Kind("AWS unreachable from here on", "aws", {"drop": True}),
    ],
    "cli": [],
}

# What is killed or taken away while the lab holds a call back.
KILL_RUN = "ansible-playbook killed"
ACTS = (KILL_RUN, "worker killed", "module killed", "disk full")
KILL_BASTION = "bastion session killed"
REPLACE = "instance replaced"
