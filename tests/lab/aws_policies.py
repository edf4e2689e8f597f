# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of those who act from outside: the lab's user in its own account, and the role in each other one."""

from __future__ import annotations

import json
import threading
import typing as t

from lab.aws_accounts import account_specs
from lab.aws_needs import Need
from lab.fleet import AwsSpec
from lab.iam_policies import Policy, Rights, decide


class AwsPolicies:
    """Allows what the policies do; everything in an account without one. Thread-safe.

    :ivar asked: everything that was judged, each need once, in the order in which it came up.
    """

    def __init__(self, spec: AwsSpec, *, own_id: str) -> None:
        self._lock = threading.Lock()
        self._rights: dict[str, Rights] = {}
        self.asked: dict[Need, None] = {}
        for account_id, account in account_specs(spec, own_id).items():
            self.set(account_id, account.policy)

    def set(self, account_id: str, document: t.Mapping[str, t.Any] | None) -> None:
        """Give whoever acts in an account this policy and no other, and forget what was asked before.

        :param document: ``None`` for all rights.
        """
        with self._lock:
            self.asked = {}
            if document is None:
                self._rights.pop(account_id, None)
            else:
                self._rights[account_id] = Rights((Policy("policy", "user", json.dumps(document)),))

    def limited(self, account_id: str) -> bool:
        """Whether there is a policy for an account."""
        return account_id in self._rights

    def denied(self, account_id: str, needs: t.Iterable[Need]) -> Need | None:
        """Return the first of the needs that the policy does not allow.

        :raises lab.iam_conditions.NotEvaluated: for a condition that is not known here.
        """
        with self._lock:
            rights = self._rights[account_id]
            for need in needs:
                self.asked[need] = None
                if decide(rights, need.action, need.resource, dict(need.context)).decision != "allowed":
                    return need
        return None
