# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WSGI filter before moto: credentials, permissions, regions, faults, AWS's own rules, and the record of calls."""

from __future__ import annotations

import socket
import time
import typing as t
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from http import HTTPStatus

from lab.aws import Aws
from lab.aws_call import AwsCall, WsgiEnvironment, parse_call
from lab.aws_errors import AwsFailure, denied, invalid_credentials
from lab.aws_rules import check
from lab.call_log import CallLog
from lab.faults import AwsEffect, Faults
from lab.fleet import AwsSpec

StartResponse = Callable[..., t.Any]
WsgiApp = Callable[[WsgiEnvironment, StartResponse], Iterable[bytes]]

ISSUED_BY_STS = "ASIA"


class AwsFilter:
    """WSGI application in front of moto.

    Facts that a fault can match: ``service``, ``operation`` (IAM's notation; also each further action that the call needs),
    ``region``, ``access_key``, and each parameter of a query API by its wire name (``NetworkInterfaceId``, ``DryRun``).

    :param access_key: the one access key that AWS knows, besides those that STS gave out.
    """

    def __init__(self, moto: WsgiApp, aws: Aws, *, spec: AwsSpec, access_key: str, faults: Faults, calls: CallLog) -> None:
        self._moto = moto
        self._aws = aws
        self._spec = spec
        self._access_key = access_key
        self._faults = faults
        self._calls = calls

    def __call__(self, environ: WsgiEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = parse_call(environ)
        if call is None:
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"The request is not signed."]
        effect = self._fault(call)
        if effect is not None:
            time.sleep(effect.delay)
            if effect.drop:
                self._record(call, None, None)
                _drop_connection(environ)
        failure = self._failure(call, effect)
        if failure is not None:
            return self._refuse(call, failure, start_response)
        return self._forward(call, environ, start_response)

    def _fault(self, call: AwsCall) -> AwsEffect | None:
        """Return the fault that hits this call, if any."""
        facts = {**call.form, "service": call.service, "region": call.region, "access_key": call.access_key, "operation": call.required_actions()}
        return self._faults.due("aws", AwsEffect, facts)

    def _failure(self, call: AwsCall, effect: AwsEffect | None) -> AwsFailure | None:
        """Return the error to answer before the request is looked into: who asks, where, and with what right."""
        if call.access_key != self._access_key and not call.access_key.startswith(ISSUED_BY_STS):
            return invalid_credentials(call)
        if call.region in self._spec.regions_off:
            return invalid_credentials(call)
        if effect is not None and effect.code:
            return AwsFailure(effect.code, effect.message or "", effect.status)
        for action in call.required_actions():
            if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self._spec.denied_actions):
                return denied(call, action)
        return None

    def _refuse(self, call: AwsCall, failure: AwsFailure, start_response: StartResponse) -> Iterable[bytes]:
        status, content_type, body = failure.render(call)
        self._record(call, status, failure.code)
        start_response(_status_line(status), [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _forward(self, call: AwsCall, environ: WsgiEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let moto answer, one request at a time: it is not made for threads."""
        statuses: list[str] = []

        def remember_status(status: str, headers: list[tuple[str, str]], *rest: t.Any) -> t.Any:
            statuses.append(status)
            return start_response(status, headers, *rest)

        with self._aws.lock:
            failure = check(self._aws, call)
            if failure is not None:
                return self._refuse(call, failure, start_response)
            body = list(self._moto(environ, remember_status))
        self._record(call, int(statuses[0].split()[0]), None)
        return body

    def _record(self, call: AwsCall, status: int | None, code: str | None) -> None:
        self._calls.record(
            "aws", service=call.service, operation=call.operation, region=call.region, dry_run=call.dry_run, status=status, code=code, parameters=call.form
        )


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _drop_connection(environ: WsgiEnvironment) -> t.NoReturn:
    """Close the client's connection without an answer."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
