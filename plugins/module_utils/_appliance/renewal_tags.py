# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the record of a renewal into the tags of the appliances' EC2 instances, and remove it."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import REGISTERED_AT, Settings, record_keys, tags_to_start
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call, chunks, prove_permission
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text, to_text

Errors = dict[str, CloudOneError]


class _Change(t.NamedTuple):
    """What EC2 does in one call to any number of instances of a region.

    :ivar tags: keys and values; to delete tags, whatever their values are, ``None``.
    """

    region: str
    method: t.Literal["create_tags", "delete_tags"]
    tags: tuple[tuple[str, str | None], ...]


_Portion = tuple[_Change, list[str]]


class RenewalTags:
    """The tags of instances. Each method tells of every instance, by its id and in their order, whether anything changes, or would change."""

    def __init__(self, clients: AwsClients, *, check_mode: bool, concurrency: int) -> None:
        """
        :param check_mode: change nothing, but let EC2 say whether the changes would be permitted.
        """
        self._clients = clients
        self._check_mode = check_mode
        self._concurrency = concurrency

    def start(self, wanted: t.Iterable[tuple[Instance, Settings]], now: datetime) -> list[Outcome[str, bool]]:
        """Record what registrations may lose, unless an interrupted renewal has recorded it already."""
        planned = for_each(lambda one: (one[0], tags_to_start(one[0].tags, one[1], now)), wanted, concurrency=1)
        possible = [outcome.value for outcome in planned if outcome.value]
        # The record will have to be removed again: whether that is permitted is found out now, while nothing is written or unregistered.
        refused = self._carry_out([(one, _removal(one, list(tags) or record_keys(one.tags))) for one, tags in possible], dry_run=True)
        errors = refused | self._write([(one, tags) for one, tags in possible if tags and one.id not in refused])
        changing = {one.id for one, tags in possible if tags}
        ids_and_errors = [(outcome.item[0].id, outcome.error) for outcome in planned]
        return [Outcome(instance_id, instance_id in changing, error or errors.get(instance_id)) for instance_id, error in ids_and_errors]

    def registered(self, instances: t.Sequence[Instance], at: datetime) -> list[Outcome[str, bool]]:
        """Record when the appliances registered."""
        changing = [one for one in instances if from_text(one.tags.get(REGISTERED_AT, "")) != at]
        errors = self._write([(one, {REGISTERED_AT: to_text(at)}) for one in changing])
        return [Outcome(one.id, one in changing, errors.get(one.id)) for one in instances]

    def finish(self, instances: t.Sequence[Instance]) -> list[Outcome[str, bool]]:
        """Remove what :meth:`start` recorded."""
        keys = {one.id: record_keys(one.tags) for one in instances}
        errors = self._carry_out([(one, _removal(one, keys[one.id])) for one in instances if keys[one.id]], dry_run=self._check_mode)
        return [Outcome(one.id, bool(keys[one.id]), errors.get(one.id)) for one in instances]

    def _write(self, wanted: t.Sequence[tuple[Instance, dict[str, str]]]) -> Errors:
        changes = [(one, _Change(one.region, "create_tags", tuple(tags.items()))) for one, tags in wanted]
        return self._carry_out(changes, dry_run=self._check_mode)

    def _carry_out(self, wanted: t.Sequence[tuple[Instance, _Change]], *, dry_run: bool) -> Errors:
        """Change instances, in one call those for which the change is the same.

        :returns: the errors of those for which EC2 refuses it.
        """
        alike: dict[_Change, list[str]] = {}
        for instance, change in wanted:
            alike.setdefault(change, []).append(instance.id)
        outcomes = self._call([(change, portion) for change, instance_ids in alike.items() for portion in chunks(instance_ids)], dry_run=dry_run)
        # A call that EC2 refuses because of one instance does nothing for the others either: then each is tried by itself.
        refused = [outcome.item for outcome in outcomes if outcome.error]
        alone = [(change, [instance_id]) for change, portion in refused if len(portion) > 1 for instance_id in portion]
        outcomes += self._call(alone, dry_run=dry_run)
        return {outcome.item[1][0]: outcome.error for outcome in outcomes if outcome.error and len(outcome.item[1]) == 1}

    def _call(self, portions: t.Sequence[_Portion], *, dry_run: bool) -> list[Outcome[_Portion, None]]:
        ask = prove_permission if dry_run else call

        def change(portion: _Portion) -> None:
            (region, method, tags), instance_ids = portion
            named = [{"Key": key} if value is None else {"Key": key, "Value": value} for key, value in tags]
            ask(self._clients.ec2(region), method, Resources=instance_ids, Tags=named)

        return for_each(change, portions, concurrency=self._concurrency)


def _removal(instance: Instance, keys: t.Iterable[str]) -> _Change:
    return _Change(instance.region, "delete_tags", tuple((key, None) for key in keys))
