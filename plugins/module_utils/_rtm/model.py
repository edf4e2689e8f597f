# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RTM in one region: what stands there, and what is wanted. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import RULE_NAME, RULE_TYPE, Json, parameters, pattern, target_arn

# States in which CloudFormation has nothing under way. A stack in one of these holds its resources and can be updated.
USABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})
# From these a stack comes back only by being deleted. A stack in review is one that never had a resource.
BROKEN = frozenset(
    {
        "CREATE_FAILED",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_FAILED",
        "IMPORT_ROLLBACK_FAILED",
        "DELETE_FAILED",
        "REVIEW_IN_PROGRESS",
    }
)

# Asked to see which stack holds a rule. The vendor's own policy does not have it; without it the owner is not known.
OWNER_ACTION = "cloudformation:DescribeStackResources"

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_RESOURCE_TYPE = re.compile(r"""\bType["']?\s*:\s*["']?([A-Za-z0-9]+::[A-Za-z0-9_@:-]+)""")


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack.

    :ivar status: ``CREATE_COMPLETE``, ...
    :ivar reason: why it is in that state, if CloudFormation says so.
    :ivar protected: whether termination protection is on.
    :ivar template: a JSON template as a dictionary, a YAML template as its text; ``None`` if there is none, or it was not asked for.
    """

    name: str
    id: str
    status: str
    reason: str | None = None
    parameters: t.Mapping[str, str] = field(default_factory=dict)
    tags: t.Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    template: Json | str | None = None

    @property
    def in_progress(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status not in BROKEN

    @property
    def mismatch(self) -> str | None:
        """What shows that this is no stack of RTM but one of something else, that must not be touched; ``None`` if nothing does."""
        return template_mismatch(self.template)


@dataclass(frozen=True)
class Rule:
    """The EventBridge rule.

    :ivar state: ``ENABLED``, ``DISABLED`` or ``ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS``.
    :ivar targets: as EventBridge lists them.
    :ivar owner: name of the stack that holds it; ``None`` if none does, or that is not known.
    """

    arn: str
    state: str
    pattern: Json
    targets: tuple[Json, ...]
    owner: str | None
    owner_known: bool = True
    description: str | None = None


@dataclass(frozen=True)
class Observed:
    """What stands in one region of one account."""

    account_id: str
    region: str
    stack: Stack | None
    rule: Rule | None


@dataclass(frozen=True)
class Wanted:
    """What the user wants in each region.

    :ivar tags: those that the stack must have; it may have others.
    :ivar protection: whether termination protection is to be on; ``None`` leaves it alone.
    :ivar template_url: where CloudFormation gets the template, if not from here.
    """

    present: bool
    stack_name: str
    conformity_account_id: str
    sources: tuple[str, ...]
    tags: t.Mapping[str, str] = field(default_factory=dict)
    protection: bool | None = None
    template_url: str | None = None

    @property
    def parameters(self) -> dict[str, str]:
        return parameters(self.conformity_account_id, self.sources)

    def target_arn(self, region: str) -> str:
        return target_arn(region, self.conformity_account_id)

    def pattern(self, account_id: str, present: Json | None) -> Json:
        """The wanted event pattern. A template of the user's own may have more in it than accounts and sources: that stays."""
        own = pattern(account_id, list(self.sources))
        if self.template_url and present is not None:
            return {**present, "account": own["account"], "source": own["source"]}
        return own


def account_number(value: str, option: str) -> str:
    """An AWS account ID with all of its 12 digits. One that was written as a number may have lost its leading zeros.

    :raises InputError: it is none.
    """
    padded = value.strip().zfill(12)
    if not _ACCOUNT_ID.fullmatch(padded):
        raise InputError(f"{option}: {value!r} is not the ID of an AWS account, which has 12 digits.")
    return padded


def template_mismatch(template: Json | str | None) -> str | None:
    """What shows that a template is not one of RTM; ``None`` if nothing does, or there is no template.

    :param template: a dictionary, or a template's text in JSON or YAML.
    """
    if template is None:
        return None
    text = template if isinstance(template, str) else json.dumps(template)
    others = sorted(set(_RESOURCE_TYPE.findall(text)) - {RULE_TYPE})
    if others:
        return f"its template has {', '.join(others)}"
    return None if RULE_NAME in text else f"its template does not have the rule {RULE_NAME}"
