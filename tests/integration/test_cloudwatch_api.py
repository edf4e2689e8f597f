# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's log configuration as a user tries it out: the real curl, with the documented method, headers and body, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import time
import typing as t

import pytest
from conftest import Json, Site

StartSite = t.Callable[..., Site]

BLOCK_EVENTS = '{"logTypes":[{"logGroupName":"network-security-block-events","logName":"ipsBlock","enable":true}]}'
ALERT_EVENTS = '{"logTypes":[{"logGroupName":"network-security-alert-events","logName":"ipsAlert","enable":true}]}'


class Curl:
    """curl on a user's machine beside a running lab."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.headers = [f"Authorization: ApiKey {site.lab.environment['CLOUDONE_API_KEY']}", "api-version: v1"]

    def __call__(self, method: str, path: str, body: str | None = None, *, headers: t.Sequence[str] | None = None) -> tuple[int, Json]:
        """Return the status and the JSON of the answer."""
        command = ["curl", "--silent", "--show-error", "--request", method, "--write-out", "\n%{http_code}"]
        for header in self.headers if headers is None else headers:
            command += ["--header", header]
        command += [] if body is None else ["--data", body]
        command.append(self._site.lab.environment["CLOUDONE_NETSEC_URL"] + path)
        done = subprocess.run(command, env={**os.environ, **self._site.lab.environment}, capture_output=True, text=True, timeout=30, check=True)
        answer, _newline, status = done.stdout.rpartition("\n")
        return int(status), json.loads(answer)


@pytest.fixture
def site(start_site: StartSite) -> Site:
    return start_site({"name": "first"}, {"name": "second", "deployment": "gateway_load_balancer"})


def test_the_documented_calls(site: Site) -> None:
    curl = Curl(site)
    status, listed = curl("GET", "/appliances")
    assert (status, listed["totalCount"], listed["next"]) == (200, 2, None)
    path = f"/appliances/{listed['appliances'][0]['ID']}/cloudwatchlogconfig"
    status, before = curl("GET", path)
    assert (status, before["next"], before["totalCount"], len(before["logTypes"])) == (200, None, None, 9)
    status, _answer = curl("POST", path, BLOCK_EVENTS)
    assert status == 200
    _status, after = curl("GET", path)
    changed = [entry for entry in after["logTypes"] if entry not in before["logTypes"]]
    assert changed == [
        {"logGroupName": "network-security-block-events", "logStreamName": "ipsBlock_{instance_id}", "logName": "ipsBlock", "enable": True},
    ]


def test_what_is_wrong_is_answered_as_documented(site: Site) -> None:
    curl = Curl(site)
    path = "/appliances/1/cloudwatchlogconfig"
    status, answer = curl("POST", path, BLOCK_EVENTS.replace("ipsBlock", "ipsblock"))
    assert status == 400
    assert "logName" in answer["details"]
    assert curl("GET", path, headers=["Authorization: ApiKey wrong", "api-version: v1"]) == (401, {"message": "Authorization Required"})
    for headers in (curl.headers[:1], [curl.headers[0], "api-version: v2"]):
        status, answer = curl("POST", path, BLOCK_EVENTS, headers=headers)
        assert status == 400
        assert "api-version" in answer["details"]
    _status, config = curl("GET", path)
    assert not any(entry["enable"] for entry in config["logTypes"])


def test_the_documentations_example_lets_events_of_every_appliance_arrive(site: Site) -> None:
    curl = Curl(site)
    _status, listed = curl("GET", "/appliances")
    for appliance in listed["appliances"]:
        for body in (BLOCK_EVENTS, ALERT_EVENTS):
            assert curl("POST", f"/appliances/{appliance['ID']}/cloudwatchlogconfig", body)[0] == 200
    for name in ("first", "second"):
        instance_id = site.id_of(name)
        _wait_until_events_arrive(
            site, name, {("network-security-block-events", f"ipsBlock_{instance_id}"), ("network-security-alert-events", f"ipsAlert_{instance_id}")}
        )


def _wait_until_events_arrive(site: Site, name: str, streams: set[tuple[str, str]]) -> None:
    """Wait until the log streams in which an appliance's events have arrived are these and no other."""
    deadline = time.monotonic() + 30
    while True:
        found = {(group, stream) for group, counts in site.appliance(name)["log_streams"].items() for stream, count in counts.items() if count}
        if found == streams:
            return
        assert time.monotonic() < deadline, f"events have arrived in {found} only"
        time.sleep(0.1)
