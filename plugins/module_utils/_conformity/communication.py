# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan a communication setting: what is, what should be, what to send. Pure.

Names of fields are those of the API; only options and results have Ansible's.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict, snake_dict_to_camel_dict

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import setting_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

Json = dict[str, t.Any]

LABEL = "channelName"
SECRETS = frozenset({"url", "serviceKey", "securityToken"})
NOT_SHOWN = "(not shown)"


@dataclass(frozen=True)
class Channel:
    """What the configuration of one kind of channel holds.

    :ivar required: fields that it must have.
    :ivar optional: fields that it may have; each kind may have a label, too.
    :ivar destination: the field that tells settings without a label apart.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...]
    destination: str

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.required, *self.optional, LABEL)


DISPLAY = ("displayIntroducedBy", "displayResource", "displayTags", "displayExtraData")
CHANNELS = {
    "email": Channel(("users",), (), "users"),
    "sms": Channel(("users",), (), "users"),
    "slack": Channel(("url", "channel"), DISPLAY, "channel"),
    "pager-duty": Channel(("serviceName", "serviceKey"), (), "serviceName"),
    "sns": Channel(("arn",), (), "arn"),
    "ms-teams": Channel(("url",), ("channel", *DISPLAY), "channel"),
    "webhook": Channel(("url",), ("securityToken",), "url"),
}


@dataclass(frozen=True)
class Setting:
    """A setting that is there, or will be.

    :ivar id: ``None`` if it is not there yet.
    :ivar account_id: ``None``: of the organisation.
    :ivar configuration: ``None``: the API does not show it, for want of rights.
    """

    id: str | None
    account_id: str | None
    channel: str
    enabled: bool
    manual: bool
    filter: Json
    configuration: Json | None = field(repr=False)

    @classmethod
    def from_api(cls, entry: Json, account_id: str | None) -> Setting:
        """Read one of the API's answer.

        :param account_id: what was asked for, in case that the answer does not say.
        """
        attributes = _object(entry.get("attributes")) or {}
        return cls(
            id=str(entry.get("id")),
            account_id=setting_account(entry, otherwise=account_id),
            channel=str(attributes.get("channel")),
            enabled=bool(attributes.get("enabled")),
            manual=bool(attributes.get("manual")),
            filter=_object(attributes.get("filter")) or {},
            configuration=_object(attributes.get("configuration")),
        )

    @property
    def secrets(self) -> set[str]:
        """What must not be shown to anybody."""
        return {str(value) for name, value in (self.configuration or {}).items() if name in SECRETS and not _hidden(self.configuration, name)}

    def as_result(self) -> Json:
        """The same with Ansible's names, without secrets."""
        shown = {name: value for name, value in (self.configuration or {}).items() if name not in SECRETS}
        return {
            **dataclasses.asdict(self),
            "filter": camel_dict_to_snake_dict(self.filter),
            "configuration": None if self.configuration is None else camel_dict_to_snake_dict(shown),
        }


@dataclass(frozen=True)
class Wanted:
    """What a user wants of a setting; ``None``, or no entry, where nothing is said."""

    id: str | None
    account_id: str | None
    channel: str
    enabled: bool | None
    manual: bool | None
    filter: Json
    configuration: Json = field(repr=False)

    @classmethod
    def from_options(cls, params: t.Mapping[str, t.Any], account_id: str | None) -> Wanted:
        """Read the module's options.

        :param account_id: the account, ``None`` for the organisation.
        :raises InputError: a field of the configuration that this channel does not have.
        """
        configuration = _given(params["configuration"])
        strange = configuration.keys() - set(CHANNELS[params["channel"]].fields)
        if strange:
            allowed = ", ".join(_option(name) for name in CHANNELS[params["channel"]].fields)
            named = ", ".join(sorted(_option(name) for name in strange))
            raise InputError(f"The channel {params['channel']} has no configuration {named}. It has: {allowed}.")
        return cls(
            id=params["id"],
            account_id=account_id,
            channel=params["channel"],
            enabled=params["enabled"],
            manual=params["manual"],
            filter=_given(params["filter"]),
            configuration=configuration,
        )


@dataclass(frozen=True)
class Plan:
    """What to do.

    :ivar before: the setting as it is, ``None`` if there is none.
    :ivar after: as it will be, ``None`` if there will be none.
    :ivar payload: the document to send, ``None`` if there is nothing to be created or changed.
    """

    before: Setting | None
    after: Setting | None
    payload: Json | None = field(default=None, repr=False)

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def __str__(self) -> str:
        if self.after is None:
            return f"the setting {self.before.id} is there" if self.before else "nothing"
        if self.before is None:
            return "the setting is not there"
        differing = (name for name in ("enabled", "manual", "filter", "configuration") if getattr(self.before, name) != getattr(self.after, name))
        return f"the setting {self.before.id} has another {' and another '.join(differing)}"

    def diff(self) -> dict[str, Json]:
        """What differs. Of a secret, only that it will be another."""
        before, after = (setting.as_result() if setting else {} for setting in (self.before, self.after))
        if self.after and self.after.configuration:
            known = (self.before.configuration if self.before else None) or {}
            news = {name for name in SECRETS if self.after.configuration.get(name) != known.get(name)}
            after["configuration"] = {**after["configuration"], **{_option(name): f"{NOT_SHOWN}, new" for name in news}}
            if self.before:
                before["configuration"] = {**before["configuration"], **{_option(name): NOT_SHOWN for name in news & known.keys()}}
        return {"before": before, "after": after}


def find(settings: t.Sequence[Setting], wanted: Wanted) -> Setting | None:
    """The setting that is meant: by its ID, else by its label, else by where it sends to.

    :param settings: all of the account or the organisation.
    :raises InputError: it cannot be told, or it is of another channel.
    """
    if wanted.id is not None:
        by_id = next((setting for setting in settings if setting.id == wanted.id), None)
        if by_id and by_id.channel != wanted.channel:
            raise InputError(f"The setting {wanted.id} is for the channel {by_id.channel}, not {wanted.channel}. Delete it and create another.")
        return by_id
    name = LABEL if wanted.configuration.get(LABEL) else CHANNELS[wanted.channel].destination
    if not wanted.configuration.get(name):
        raise InputError(f"Give configuration.{_option(name)}, configuration.{_option(LABEL)} or id: they tell which setting is meant.")
    candidates = [setting for setting in settings if setting.channel == wanted.channel]
    found = [setting for setting in candidates if _same((setting.configuration or {}).get(name), wanted.configuration[name])]
    if len(found) > 1:
        raise InputError(f"More than one setting has this configuration.{_option(name)}: {_ids(found)}. Give the id of the one that is meant.")
    if found:
        return found[0]
    unreadable = [setting for setting in candidates if _hidden(setting.configuration, name)]
    if unreadable:
        instead = "id" if name == LABEL else f"id or configuration.{_option(LABEL)}"
        raise InputError(
            f"Whether the setting is there cannot be told, since the API does not show configuration.{_option(name)} of {_ids(unreadable)}. "
            f"Give {instead}, or an API key of the role ADMIN or with full access to the account."
        )
    return None


def plan(present: Setting | None, wanted: Wanted, *, rewrite_hidden: bool = False) -> Plan:
    """Bring a setting to what is wanted; what is not named stays.

    :param present: what :func:`find` found.
    :param rewrite_hidden: send a secret that cannot be compared, because the API does not show it. Then the plan never ends.
    :raises InputError: it cannot be created or changed without something more.
    """
    if present is None:
        after = Setting(
            id=None,
            account_id=wanted.account_id,
            channel=wanted.channel,
            enabled=wanted.enabled is not False,
            manual=bool(wanted.manual),
            filter=_without_empty(wanted.filter),
            configuration=_without_empty(wanted.configuration),
        )
        return Plan(None, after, _payload(None, after, wanted))
    if present.configuration is None:
        raise InputError(f"The API does not show the configuration of {present.id}. Use an API key of the role ADMIN or with full access to the account.")
    comparable = {name: value for name, value in wanted.configuration.items() if rewrite_hidden or not _hidden(present.configuration, name)}
    after = dataclasses.replace(
        present,
        enabled=present.enabled if wanted.enabled is None else wanted.enabled,
        manual=present.manual if wanted.manual is None else wanted.manual,
        filter=_merged(present.filter, wanted.filter),
        configuration=_merged(present.configuration, comparable),
    )
    return Plan(present, after, None if after == present else _payload(present, after, wanted))


def plan_absence(present: Setting | None) -> Plan:
    """Delete a setting."""
    return Plan(present, None)


def _payload(before: Setting | None, after: Setting, wanted: Wanted) -> Json:
    """The document to send. It is the whole setting, since what a PATCH does to attributes that it does not name is not documented."""
    readable = {name: value for name, value in (after.configuration or {}).items() if not _hidden(after.configuration, name)}
    configuration = _without_empty({**readable, **wanted.configuration})
    missing = [_option(name) for name in CHANNELS[after.channel].required if name not in configuration]
    if missing:
        task = f"To change the setting {before.id}, all of it is sent, and the API does not show" if before else "A new setting needs"
        raise InputError(f"{task} configuration.{', configuration.'.join(missing)}: give it.")
    attributes: Json = {"type": "communication", "channel": after.channel, "enabled": after.enabled, "configuration": configuration}
    if after.filter or (before and before.filter):
        attributes["filter"] = _without_empty(after.filter)
    if after.manual or (before and before.manual):
        attributes["manual"] = after.manual
    setting: Json = {"type": "settings", "attributes": attributes}
    if before:
        return {"data": setting}
    account = None if after.account_id is None else {"type": "accounts", "id": after.account_id}
    return {"data": [{**setting, "relationships": {"account": {"data": account}}}]}


def _object(value: t.Any) -> Json | None:
    """A JSON object; ``None`` for anything else."""
    return dict(value) if isinstance(value, dict) else None


def _hidden(configuration: Json | None, name: str) -> bool:
    """Whether the API keeps a value to itself: all of a configuration, or a secret that is missing or has asterisks in it."""
    if configuration is None:
        return True
    return name in SECRETS and (not configuration.get(name) or "*" in str(configuration[name]))


def _merged(present: Json, wanted: Json) -> Json:
    changes = {name: value for name, value in wanted.items() if not _same(present.get(name), value)}
    return {**{name: value for name, value in present.items() if name not in changes}, **_without_empty(changes)}


def _same(one: t.Any, other: t.Any) -> bool:
    """Whether two values mean the same: lists in any order, and what is empty or false like what is missing."""
    return bool(_comparable(one) == _comparable(other))


def _comparable(value: t.Any) -> t.Any:
    return (set(map(str, value)) if isinstance(value, list) else value) or None


def _without_empty(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _given(options: t.Mapping[str, t.Any] | None) -> Json:
    return dict(snake_dict_to_camel_dict({name: value for name, value in (options or {}).items() if value is not None}))


def _option(name: str) -> str:
    return str(*camel_dict_to_snake_dict({name: None}))


def _ids(settings: t.Iterable[Setting]) -> str:
    return ", ".join(str(setting.id) for setting in settings)
