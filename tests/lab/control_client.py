# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client for the control endpoint."""

from __future__ import annotations

import typing as t

import requests

Json = dict[str, t.Any]


class ControlClient:
    """Orders faults and reads the truth.

    :param url: base of the control endpoint, as ``control_url`` in ``lab.json``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and loopback

    def _call(self, method: str, path: str, **arguments: t.Any) -> requests.Response:
        response = self._session.request(method, f"{self._url}/_lab/{path}", timeout=30, **arguments)
        if response.status_code >= 400:
            raise ValueError(f"The lab refused {method} {path}: {response.text}")
        return response

    def world(self) -> Json:
        """Return the state of the whole lab, see :func:`lab.world_report.world_report`."""
        return t.cast(Json, self._call("GET", "world").json())

    def appliance(self, name: str) -> Json:
        """Return one appliance of :meth:`world` by its name in the fleet file or its instance id.

        :raises KeyError: if there is none.
        """
        for appliance in self.world()["appliances"]:
            if name in (appliance["name"], appliance["instance_id"]):
                return t.cast(Json, appliance)
        raise KeyError(name)

    def calls(self, target: str | None = None) -> list[Json]:
        """Return the calls that reached the lab, oldest first.

        :param target: ``api``, ``aws`` or ``cli``; all if not given.
        """
        return t.cast(list[Json], self._call("GET", "calls", params={"target": target} if target else {}).json())

    def aws_writes(self) -> list[Json]:
        """Return the calls to AWS that were to change something, whether they succeeded or not; dry runs are none."""
        return [call for call in self.calls("aws") if call["write"]]

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        self._call("DELETE", "calls")

    def add_fault(self, target: str, effect: Json, *, match: dict[str, str] | None = None, after: int = 0, times: int | None = 1) -> int:
        """Order a fault, see :class:`lab.faults.FaultSpec`.

        :returns: its id.
        :raises ValueError: if the lab knows no such target or effect.
        """
        fault = {"target": target, "effect": effect, "match": match or {}, "after": after, "times": times}
        return t.cast(int, self._call("POST", "faults", json=fault).json()["id"])

    def faults(self) -> list[Json]:
        """Return all faults with how often each has ``fired``."""
        return t.cast(list[Json], self._call("GET", "faults").json())

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._call("DELETE", "faults")

    def issue_token(self, lifetime: float | None = None) -> str:
        """Make a deployment token as a person does in the management interface.

        :param lifetime: seconds.
        """
        return t.cast(str, self._call("POST", "tokens", params={} if lifetime is None else {"lifetime": lifetime}).json()["token"])

    def stop(self) -> None:
        """End the lab."""
        self._call("POST", "stop")
