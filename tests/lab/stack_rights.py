# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudFormation does to rules in the name of whoever changes their stack.

The actions are those that the handlers of ``AWS::Events::Rule`` name in the published schema of the resource type. A rule has its stack's tags.
"""

from __future__ import annotations

from lab.aws_call import AwsCall
from lab.aws_needs import Need, Target, need, rule_arn
from lab.cloudformation import Refusal, call_tags, call_template
from lab.stack_life import RULE, backend_of
from lab.stack_template import TemplateRefused, parse_template

_READ = ("events:DescribeRule", "events:ListTargetsByRule")
_HANDLERS = {
    "cloudformation:CreateStack": (*_READ, "events:PutRule", "events:PutTargets"),
    "cloudformation:UpdateStack": (*_READ, "events:PutRule", "events:PutTargets", "events:RemoveTargets"),
    "cloudformation:DeleteStack": ("events:DeleteRule", "events:ListTargetsByRule", "events:RemoveTargets"),
}


def needs_of_stack(account_id: str, call: AwsCall) -> list[Need]:
    """Return what must be allowed for the operation that a call begins; nothing for a call that begins none, or that will be refused."""
    if call.operation not in _HANDLERS:
        return []
    wanted = call.form.get("StackName", "")
    stack = next((one for one in backend_of(account_id, call.region).stacks.values() if wanted in (one.name, one.stack_id)), None)
    try:
        body = call_template(account_id, call) or (stack.template if stack else None)
        given = call_tags(call)
        resources = parse_template(str(body))["Resources"] if body else {}
    except (Refusal, TemplateRefused):
        return []
    tags = given if given is not None else stack.tags if stack else {}
    tagging = ("events:TagResource",) if tags and call.action != "DeleteStack" else ()
    return [
        need(action, Target(rule_arn(account_id, call.region, resource.get("Properties", {}).get("Name", "*"))), call)
        for resource in resources.values()
        if resource.get("Type") == RULE
        for action in (*_HANDLERS[call.operation], *tagging)
    ]
