# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WSGI filter before moto: credentials, permissions, regions, faults, AWS's own rules, and the record of calls."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from http import HTTPStatus

from lab.aws import ACCOUNT_ID, Aws
from lab.aws_accounts import AwsAccounts
from lab.aws_answer import AwsAnswer
from lab.aws_call import AwsCall, WsgiEnvironment, parse_call
from lab.aws_errors import AwsFailure, denied, invalid_credentials, not_authorized
from lab.aws_needs import needs
from lab.aws_policies import AwsPolicies
from lab.aws_regions import describe_regions
from lab.aws_rules import check
from lab.aws_spoiling import drop_connection, spoiled, spoils
from lab.aws_writes import is_write
from lab.call_log import CallLog
from lab.ec2_answers import Answer, Ec2Answers
from lab.faults import AwsEffect, Faults
from lab.fleet import AwsSpec
from lab.iam_conditions import NotEvaluated
from lab.logs_rules import check_logs
from lab.policy_simulation import simulate_principal_policy
from lab.stack_rights import needs_of_stack

StartResponse = Callable[..., t.Any]
WsgiApp = Callable[[WsgiEnvironment, StartResponse], Iterable[bytes]]

# Called with each write that AWS carried out, the account that it was in, and who did it, while moto is locked.
WriteObserver = Callable[[AwsCall, str, str], None]


class AwsFilter:
    """WSGI application in front of moto.

    Facts that a fault can match: ``service``, ``operation`` (IAM's notation; also each further action that the call needs),
    ``region``, ``account``, ``access_key``, and each parameter by its wire name (``NetworkInterfaceId``, ``DryRun``, ``logGroupName``).

    :param access_key: the one access key that AWS knows, besides those that STS gave out.
    :param policies: what may be done with them; by default as the fleet file says.
    :param observe: told about each write.
    """

    def __init__(
        self,
        moto: WsgiApp,
        aws: Aws,
        *,
        spec: AwsSpec,
        access_key: str,
        faults: Faults,
        calls: CallLog,
        policies: AwsPolicies | None = None,
        observe: WriteObserver | None = None,
    ) -> None:
        self._moto = moto
        self._aws = aws
        self._spec = spec
        self._policies = policies or AwsPolicies(spec, own_id=ACCOUNT_ID)
        self._accounts = AwsAccounts(spec, own_id=ACCOUNT_ID, access_key=access_key)
        self._faults = faults
        self._calls = calls
        self._observe = observe
        self._answers = Ec2Answers()

    def __call__(self, environ: WsgiEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = parse_call(environ)
        if call is None:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"The request is not signed."]
        time.sleep(self._spec.delay)
        account_id = self._accounts.account_of(call.access_key)
        effect = self._fault(call, account_id)
        if effect is not None:
            time.sleep(effect.delay)
            if effect.drop:
                self._record(call, account_id, None, None)
                drop_connection(environ)
        failure = self._failure(call, account_id, effect)
        if failure is not None or account_id is None:
            return self._refuse(call, account_id, failure or invalid_credentials(call), start_response)
        if effect is None or not spoils(effect):
            return self._carry_out(call, account_id, effect, environ, start_response)
        return spoiled(effect, environ, start_response, lambda start: self._carry_out(call, account_id, effect, environ, start))

    def _fault(self, call: AwsCall, account_id: str | None) -> AwsEffect | None:
        """Return the fault that hits this call, if any."""
        facts = {**call.form, "service": call.service, "region": call.region, "access_key": call.access_key, "operation": call.required_actions()}
        return self._faults.due("aws", AwsEffect, {**facts, "account": account_id or ""})

    def _failure(self, call: AwsCall, account_id: str | None, effect: AwsEffect | None) -> AwsFailure | None:
        """Return the error to answer before the request is looked into: who asks, where, and with what right."""
        if account_id is None or self._accounts.region_refused(account_id, call):
            return invalid_credentials(call)
        if effect is not None and effect.code:
            return AwsFailure(effect.code, effect.message or "", effect.status)
        for action in call.required_actions():
            if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self._accounts.denied_actions(account_id)):
                return denied(call, self._accounts.identity(account_id, call.access_key), action)
        return self._outside_policy(call, account_id) if self._policies.limited(account_id) else None

    def _outside_policy(self, call: AwsCall, account_id: str) -> AwsFailure | None:
        """Return the error for what the policy of the account does not allow."""
        try:
            with self._aws.lock:
                missing = self._policies.denied(account_id, needs(account_id, call))
        except NotEvaluated as error:
            return AwsFailure("InternalFailure", f"The lab does not evaluate conditions with {error}.")
        return denied(call, self._accounts.identity(account_id, call.access_key), missing.action, missing.resource) if missing else None

    def _within_policy(self, call: AwsCall, account_id: str, effect: AwsEffect | None) -> AwsEffect | None:
        """Return how an operation on a stack goes: CloudFormation changes the stack's resources with the rights of the caller."""
        missing = self._policies.denied(account_id, needs_of_stack(account_id, call)) if self._policies.limited(account_id) else None
        if missing is None:
            return effect
        reason = not_authorized(self._accounts.identity(account_id, call.access_key), missing.action, missing.resource)
        return (effect or AwsEffect()).model_copy(update={"stack_fails": reason})

    def _refuse(self, call: AwsCall, account_id: str | None, failure: AwsFailure, start_response: StartResponse) -> Iterable[bytes]:
        status, content_type, body = failure.render(call)
        self._record(call, account_id, status, failure.code)
        start_response(_status_line(status), [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _carry_out(self, call: AwsCall, account_id: str, effect: AwsEffect | None, environ: WsgiEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a call that may be carried out, one at a time: moto is not made for threads."""
        with self._aws.lock:
            self._aws.stacks.advance()
            answer = check(account_id, call) or self._own_answer(call, account_id, effect)
            if isinstance(answer, AwsFailure):
                return self._refuse(call, account_id, answer, start_response)
            if answer is None:
                status, body = self._forward(call, account_id, environ, start_response)
            else:
                content_type, text = answer.render(call)
                status, body = 200, [text]
                start_response(_status_line(status), [("Content-Type", content_type), ("Content-Length", str(len(text)))])
            if status < 300:
                self._after(call, account_id)
        self._record(call, account_id, status, None)
        return body

    def _own_answer(self, call: AwsCall, account_id: str, effect: AwsEffect | None) -> AwsAnswer | AwsFailure | None:
        """Return the answer to what moto cannot answer, or would answer differently from AWS."""
        if call.service == "cloudformation":
            effect = self._within_policy(call, account_id, effect)
            return self._aws.cloudformation.answer(account_id, call, effect) or self._aws.stack_sets.answer(account_id, call)
        if call.operation == "ec2:DescribeRegions" and not call.dry_run:
            return describe_regions(call, self._accounts.off(account_id))
        if call.operation == "sts:AssumeRole":
            return self._accounts.check_role(account_id, call)
        if call.operation == "iam:SimulatePrincipalPolicy":
            return simulate_principal_policy(account_id, call)
        if call.service == "logs":
            return check_logs(account_id, call)
        return None

    def _after(self, call: AwsCall, account_id: str) -> None:
        """Do what follows from a call that was carried out."""
        if call.operation == "sts:AssumeRole":
            self._accounts.note_sessions(call)
        if self._observe is not None and is_write(call):
            self._observe(call, account_id, self._accounts.identity(account_id, call.access_key))

    def _forward(self, call: AwsCall, account_id: str, environ: WsgiEnvironment, start_response: StartResponse) -> tuple[int, Iterable[bytes]]:
        """Let moto answer; return status and body."""

        def ask() -> Answer:
            started: list[tuple[str, list[tuple[str, str]]]] = []
            body = list(self._moto(environ, lambda status, headers, *_rest: started.append((status, headers))))
            return *started[-1], body

        status, headers, body = self._answers.answer(call, account_id, ask)
        start_response(status, headers)
        return int(status.split()[0]), body

    def _record(self, call: AwsCall, account_id: str | None, status: int | None, code: str | None) -> None:
        facts: dict[str, t.Any] = {"service": call.service, "operation": call.operation, "region": call.region, "account": account_id}
        self._calls.record("aws", **facts, write=is_write(call), dry_run=call.dry_run, status=status, code=code, parameters=call.form)


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
