# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto as a WSGI application, without what it works out anew for every call."""

from __future__ import annotations

import functools
import typing as t

import xmltodict
from botocore.model import Shape
from moto.core import responses, serialize, utils
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from lab.instance_filters import teach_moto

responses.method_names_from_class = functools.cache(utils.method_names_from_class)
xmltodict._validate_name = functools.cache(xmltodict._validate_name)


class _AttributePicker(serialize.XFormedAttributePicker):
    """Finds the value of a field of an answer in one of moto's objects, under one of several names.

    Which names those are depends on nothing but the object's class and the field, and what is done with the value on nothing but the field's path.
    """

    _names: t.ClassVar[dict[tuple[type, str, Shape], tuple[str, ...]]] = {}

    def __init__(self, *arguments: t.Any, **named: t.Any) -> None:
        super().__init__(*arguments, **named)
        self._all_transformers = self.response_transformers
        self._transformers: dict[str, dict[str, t.Any]] = {}

    def __call__(self, context: serialize.AttributePickerContext) -> t.Any:
        path = f"{context.key_path}.{context.key}"
        if path not in self._transformers:
            self._transformers[path] = {end: transform for end, transform in self._all_transformers.items() if path.endswith(end)}
        self.response_transformers = self._transformers[path]
        return super().__call__(context)

    def get_possible_keys(self, context: serialize.AttributePickerContext) -> t.Iterable[str]:
        question = type(context.obj), context.key, context.shape
        names = self._names.get(question)
        if names is None:
            names = self._names[question] = tuple(dict.fromkeys(super().get_possible_keys(context)))
        return names


responses.XFormedAttributePicker = _AttributePicker
teach_moto()


def _own_tags(resource: TaggedEC2Resource) -> list[dict[str, str]]:
    """Return a resource's tags, for which moto looks through those of all resources."""
    tags = resource.ec2_backend.tags.get(resource.id, {}) if resource.id else {}
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource.id), "") if tags else ""
    return [{"resource_id": resource.id, "key": key, "value": value, "resource_type": kind} for key, value in tags.items()]


TaggedEC2Resource.get_tags = _own_tags  # type: ignore[method-assign]


class MotoApp(DomainDispatcherApplication):
    """All of moto's services."""

    # moto looks through its folder and a list of patterns.
    get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)

    def __init__(self) -> None:
        super().__init__(create_backend_app)
