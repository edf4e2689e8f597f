# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one form in which modules that take many appliances report: one entry each, partial failure included."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome

Result = dict[str, t.Any]


def entries(outcomes: t.Iterable[Outcome[str, Result]]) -> list[Result]:
    """Turn what became of each appliance, by instance ID, into the entries that :func:`finish` takes.

    :param outcomes: a value needs ``changed`` only where something changed.
    """
    return [
        {"instance_id": outcome.item, "changed": False, "failed": False, **outcome.value}
        if outcome.value is not None
        else {"instance_id": outcome.item, "changed": False, "failed": True, "msg": str(outcome.error)}
        for outcome in outcomes
    ]


def failure_summary(results: t.Sequence[Result]) -> str:
    """Name every failed appliance with its reason; empty when none failed.

    :param results: dictionaries with ``instance_id``, ``failed`` and, where failed, ``msg``.
    """
    failed = [result for result in results if result["failed"]]
    if not failed:
        return ""
    reasons = "\n".join(f"{result['instance_id']}: {result['msg']}" for result in failed)
    return f"{len(failed)} of {len(results)} appliances failed; the others were done.\n{reasons}"


def finish(module: AnsibleModule, results: t.Sequence[Result], **extra: t.Any) -> t.NoReturn:
    """End the module: every appliance's result in ``appliances``, failed if one of them failed.

    :param results: dictionaries with ``instance_id``, ``changed``, ``failed`` and, where failed, ``msg``.
    :param extra: further return values (``diff``, ...).
    """
    changed = any(result["changed"] for result in results)
    message = failure_summary(results)
    if message:
        module.fail_json(msg=message, changed=changed, appliances=list(results), **extra)
    module.exit_json(changed=changed, appliances=list(results), **extra)
