# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies that users are told to give the AWS credentials: ``docs/policies``."""

from __future__ import annotations

import json
import typing as t

from conftest import ROOT, Json


def policy_document(name: str) -> Json:
    """The policy in ``docs/policies/<name>.json``."""
    return t.cast(Json, json.loads((ROOT / "docs" / "policies" / f"{name}.json").read_text(encoding="utf-8")))


def actions_of(document: Json) -> set[str]:
    """All actions that a policy allows."""
    return {action for statement in document["Statement"] for action in listed(statement["Action"])}


def listed(value: str | list[str]) -> list[str]:
    """A policy may have a single value where it may have a list."""
    return [value] if isinstance(value, str) else value
