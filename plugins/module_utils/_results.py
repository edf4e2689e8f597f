# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one form in which modules that handle many things report: one entry each, partial failure included.

The things are appliances, named by ``instance_id``, unless a module says otherwise.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome

Result = dict[str, t.Any]


def entries(outcomes: t.Iterable[Outcome[str, Result]], *, key: str = "instance_id") -> list[Result]:
    """Turn what became of each thing, by its name, into the entries that :func:`finish` takes.

    :param outcomes: a value needs ``changed`` only where something changed.
    :param key: the entries' key for the name.
    """
    return [
        {key: outcome.item, "changed": False, "failed": False, **outcome.value}
        if outcome.value is not None
        else {key: outcome.item, "changed": False, "failed": True, "msg": str(outcome.error)}
        for outcome in outcomes
    ]


def failure_summary(results: t.Sequence[Result], *, of: str = "appliances", key: str = "instance_id") -> str:
    """Name every failed thing with its reason; empty when none failed.

    :param results: dictionaries with ``key``, ``failed`` and, where failed, ``msg``.
    """
    failed = [result for result in results if result["failed"]]
    if not failed:
        return ""
    reasons = "\n".join(f"{result[key]}: {result['msg']}" for result in failed)
    return f"{len(failed)} of {len(results)} {of.replace('_', ' ')} failed; the others were done.\n{reasons}"


def finish(module: AnsibleModule, results: t.Sequence[Result], *, of: str = "appliances", key: str = "instance_id", **extra: t.Any) -> t.NoReturn:
    """End the module: every thing's result in the return value ``of``, failed if one of them failed.

    :param results: dictionaries with ``key``, ``changed``, ``failed`` and, where failed, ``msg``.
    :param extra: further return values (``diff``, ...).
    """
    changed = any(result["changed"] for result in results)
    message = failure_summary(results, of=of, key=key)
    returned: Result = {"changed": changed, of: list(results), **extra}
    if message:
        module.fail_json(msg=message, **returned)
    module.exit_json(**returned)
