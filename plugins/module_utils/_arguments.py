# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specifications that several modules share, and the check for their Python libraries."""

from __future__ import annotations

import importlib
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

Spec = dict[str, dict[str, t.Any]]


def cloudone_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.cloudone``: how to reach the Network Security API."""
    return {
        **_api_spec(timeout=30),
        "netsec_url": {"type": "str", "fallback": (env_fallback, ["CLOUDONE_NETSEC_URL"])},
        "legacy_account": {"type": "bool", "default": False},
    }


def conformity_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.conformity``: how to reach the Conformity API."""
    return {
        # A request may take 30 seconds, says the vendor.
        **_api_spec(timeout=60),
        "conformity_url": {"type": "str", "fallback": (env_fallback, ["CLOUDONE_CONFORMITY_URL"])},
        "conformity_authorization": {"type": "str", "choices": ["apikey", "bearer"], "default": "apikey"},
    }


def _api_spec(timeout: int) -> Spec:
    return {
        "api_key": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["CLOUDONE_API_KEY"])},
        "cloudone_region": {"type": "str", "default": "us-1", "fallback": (env_fallback, ["CLOUDONE_REGION"])},
        "api_timeout": {"type": "int", "default": timeout},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
    }


def aws_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.aws``; everything omitted is left to boto3's own search."""
    return {
        "profile": {"type": "str"},
        "access_key": {"type": "str", "no_log": False},
        "secret_key": {"type": "str", "no_log": True},
        "session_token": {"type": "str", "no_log": True},
        **role_spec(),
        "region": {"type": "str"},
        "endpoint_url": {"type": "str"},
    }


def role_spec() -> Spec:
    """The options that name a role of the AWS account in which an appliance is."""
    return {"assume_role_arn": {"type": "str"}, "assume_role_external_id": {"type": "str"}}


def ec2_appliances_spec() -> Spec:
    """Option ``appliances`` of the modules that ask or change EC2."""
    return {
        "appliances": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "instance_id": {"type": "str", "required": True},
                "region": {"type": "str"},
                "management_interface": {"type": "str"},
                **role_spec(),
            },
        },
        "regions": {"type": "list", "elements": "str", "default": []},
    }


def log_types_spec(*, required: bool) -> Spec:
    """Option ``log_types``: the log streaming of an appliance."""
    options = {
        "name": {"type": "str", "required": True},
        "group": {"type": "str"},
        "stream": {"type": "str"},
        "enabled": {"type": "bool", "default": True},
    }
    return {"log_types": {"type": "list", "elements": "dict", "required": required, "options": options}}


def concurrency_spec(default: int = 10) -> Spec:
    """Option ``concurrency`` of the doc fragment ``trendmicro.cloudone.concurrency``."""
    return {"concurrency": {"type": "int", "default": default}}


def require_libraries(module: AnsibleModule, *names: str) -> None:
    """End the module with Ansible's usual message if a Python library is missing."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            module.fail_json(msg=missing_required_lib(name), exception=traceback.format_exc())
