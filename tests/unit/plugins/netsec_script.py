# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Network Security API as tests see it: its documented examples, and a script of the calls that must be made, in order."""

from __future__ import annotations

import typing as t

import responses
from responses import matchers
from responses.registries import OrderedRegistry

BASE_URL = "https://network.us-1.cloudone.trendmicro.com/api"
API_KEY = "tmc12Example:SecretPart"
OPTIONS = {"api_key": API_KEY, "cloudone_region": "us-1", "concurrency": 1}

Json = dict[str, t.Any]


def appliance(number: int = 1, instance_id: str = "i-00000000000000001", **changes: t.Any) -> Json:
    """One appliance, with the fields and values of the documentation's example."""
    return {
        "ID": number,
        "instanceId": instance_id,
        "provider": "AWS",
        "hostName": instance_id,
        "tosVersion": "2021.1.0.11234",
        "dvVersion": "4.0.0.9442",
        "auxDv": {"Malware": {"Version": None}},
        "providerMetadata": [
            {"key": "accountId", "value": "123456789012"},
            {"key": "availabilityZone", "value": "sa-east-1a"},
            {"key": "instanceType", "value": "c5n.2xlarge"},
            {"key": "region", "value": "sa-east-1"},
            {"key": "vpc", "value": "vpc-00000000000000001"},
        ],
        **changes,
    }


def page(*appliances: Json, following: str | None = None) -> Json:
    return {"next": following, "totalCount": len(appliances), "appliances": list(appliances)}


def log_type(name: str, *, group: str = "ips", stream: str | None = None, enable: bool = False) -> Json:
    return {"logGroupName": group, "logStreamName": stream or f"{name}_{{instance_id}}", "logName": name, "enable": enable}


def log_config(*log_types: Json) -> Json:
    return {"next": None, "totalCount": None, "logTypes": list(log_types)}


def search_body(instance_id: str) -> Json:
    criteria = [{"fieldName": "instanceId", "stringTest": "equal", "stringValue": instance_id}]
    return {"searchCriteria": criteria, "limit": 1000, "cursor": ""}


class Script(responses.RequestsMock):
    """Calls that must be made in exactly this order, each with its documented headers; any other call fails."""

    base_url = BASE_URL
    headers: t.ClassVar[dict[str, str]] = {"Authorization": f"ApiKey {API_KEY}", "api-version": "v1"}

    def __init__(self) -> None:
        super().__init__(assert_all_requests_are_fired=True, registry=OrderedRegistry)

    def expect(self, method: str, path: str, answer: t.Any = None, *, status: int = 200, query: Json | None = None, body: t.Any = None, text: str = "") -> None:
        """Add a call.

        :param answer: the JSON that it gets; ``None``: ``text`` instead.
        :param body: the JSON that it must have; ``None``: it must have none.
        """
        self.add(
            method,
            self.base_url + path,
            status=status,
            match=[
                matchers.header_matcher(self.headers),
                matchers.query_param_matcher(query or {}),
                without_body if body is None else matchers.json_params_matcher(body),
            ],
            **({"body": text} if answer is None else {"json": answer}),
        )

    def expect_search(self, instance_id: str, *found: Json) -> None:
        """Add a search for an instance ID."""
        self.expect("POST", "/appliances/search", page(*found), body=search_body(instance_id))

    def expect_list(self, *found: Json, **query: t.Any) -> None:
        """Add the list of all appliances, on one page."""
        self.expect("GET", "/appliances", page(*found), query={"cursor": "", "limit": 1000, **query})


def without_body(request: t.Any) -> tuple[bool, str]:
    return not request.body, "the request has a body"
