# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS accounts of a lab: whose a call is, which regions an account has, what it may do, who may act in it."""

from __future__ import annotations

import json
import typing as t
from unittest import mock

from moto.cloudtrail import models as moto_trails
from moto.cloudtrail.models import cloudtrail_backends
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure
from lab.aws_regions import ALWAYS_ON
from lab.fleet import AwsAccountSpec, AwsSpec

ISSUED_BY_STS = "ASIA"
TRAIL = "management-events"
HOME_REGION = "us-east-1"


def account_specs(spec: AwsSpec, own_id: str) -> dict[str, AwsAccountSpec]:
    """Return all accounts by id, the lab's own first."""
    return {own_id: spec, **{account.id: account for account in spec.accounts}}


def build_accounts(spec: AwsSpec, own_id: str) -> None:
    """Make the roles and trails of all accounts in moto."""
    for account in spec.accounts:
        trust: dict[str, t.Any] = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{own_id}:root"}, "Action": "sts:AssumeRole"}
        if account.external_id is not None:
            trust["Condition"] = {"StringEquals": {"sts:ExternalId": account.external_id}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam_backends[account.id]["aws"].create_role(account.role, document, "/", None, "", [], "3600")
    for account_id, settings in account_specs(spec, own_id).items():
        if settings.trail != "none":
            _create_trail(account_id, multi_region=settings.trail != "single_region", logging=settings.trail != "stopped")


class AwsAccounts:
    """Who is who in the lab's own account and those that the fleet file adds.

    :param access_key: the access key of the lab's user, who is in the account ``own_id``.
    """

    def __init__(self, spec: AwsSpec, *, own_id: str, access_key: str) -> None:
        self._spec = spec
        self._access_key = access_key
        self.own_id = own_id
        self.specs = account_specs(spec, own_id)
        self._off = {account_id: frozenset(account.regions_off) for account_id, account in self.specs.items()}
        self._sessions_of_global_endpoint: set[str] = set()

    def account_of(self, access_key: str) -> str | None:
        """Return the account in which an access key acts; ``None`` for an unknown key."""
        if access_key == self._access_key:
            return self.own_id
        if not access_key.startswith(ISSUED_BY_STS):
            return None
        return next((account for account in self.specs if access_key in iam_backends[account]["aws"].access_keys), None)

    def identity(self, account_id: str, access_key: str) -> str:
        """Return who acts with an access key, as CloudTrail names them."""
        if access_key == self._access_key:
            return f"arn:aws:iam::{account_id}:user/lab"
        role = sts_backends[account_id]["aws"].get_assumed_role_from_access_key(access_key)
        return role.arn if role is not None else f"arn:aws:iam::{account_id}:root"

    def off(self, account_id: str) -> frozenset[str]:
        """Return the regions that an account has not enabled."""
        return self._off[account_id]

    def region_refused(self, account_id: str, call: AwsCall) -> bool:
        """Whether the region does not know the caller: it is off, or it is opt-in and the session is one of the global STS endpoint."""
        if call.region in self._off[account_id]:
            return True
        return call.region not in ALWAYS_ON and call.access_key in self._sessions_of_global_endpoint

    def denied_actions(self, account_id: str) -> t.Sequence[str]:
        """Return the IAM actions, with wildcards, that are denied in an account."""
        return self.specs[account_id].denied_actions

    def check_role(self, account_id: str, call: AwsCall) -> AwsFailure | None:
        """Refuse to let somebody assume a role that does not exist, for which moto would make up the account, or that asks for an external ID."""
        wanted = call.form.get("RoleArn", "")
        known = any(role.arn == wanted for account in self.specs for role in iam_backends[account]["aws"].roles.values())
        external_id = next((account.external_id for account in self._spec.accounts if account.role_arn == wanted), None)
        if known and external_id in (None, call.form.get("ExternalId")):
            return None
        message = f"User: {self.identity(account_id, call.access_key)} is not authorized to perform: sts:AssumeRole on resource: {wanted}"
        return AwsFailure("AccessDenied", message)

    def note_sessions(self, call: AwsCall) -> None:
        """Remember the sessions of the global STS endpoint after a call that made one.

        A signature tells the region, not the endpoint: the global one's is that of us-east-1, which has a regional one as well.
        ``aws.sts_us_east_1`` says which of the two stands for it.
        """
        if self._spec.sts_us_east_1 == "global" and call.region == HOME_REGION:
            account_id = call.form["RoleArn"].split(":")[4]
            self._sessions_of_global_endpoint.add(sts_backends[account_id]["aws"].assumed_roles[-1].access_key_id)


class _Trail(moto_trails.Trail):
    """moto's, whose description never says that a trail has event selectors of its own."""

    def description(self, include_region: bool = False) -> dict[str, t.Any]:
        own = bool(self.event_selectors or self.advanced_event_selectors)
        return {**super().description(include_region), "HasCustomEventSelectors": own}


def session_secrets(account_ids: t.Iterable[str]) -> list[str]:
    """Return what STS gave out for the roles of accounts: secret keys and session tokens."""
    roles = [role for account_id in account_ids for role in sts_backends[account_id]["aws"].assumed_roles]
    return [secret for role in roles for secret in (role.secret_access_key, role.session_token)]


def _create_trail(account_id: str, *, multi_region: bool, logging: bool) -> None:
    """Make a CloudTrail trail with its bucket."""
    bucket = f"trail-{account_id}"
    s3_backends[account_id]["aws"].create_bucket(bucket, HOME_REGION)
    backend = cloudtrail_backends[account_id][HOME_REGION]
    with mock.patch.object(moto_trails, "Trail", _Trail):
        backend.create_trail(
            TRAIL, bucket, "", "", is_global=True, is_multi_region=multi_region, log_validation=False, is_org_trail=False,
            cw_log_group_arn="", cw_role_arn="", kms_key_id="", tags_list=[],
        )  # fmt: skip
    if logging:
        backend.start_logging(TRAIL)


def trail_covers(account_id: str, region: str) -> bool:
    """Whether a trail of the account records what happens in a region."""
    return any(
        trail.status.is_logging and (trail.is_multi_region or trail.region_name == region)
        for backend in cloudtrail_backends[account_id].values()
        for trail in backend.trails.values()
    )
