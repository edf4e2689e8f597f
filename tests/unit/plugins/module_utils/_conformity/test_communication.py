# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning a communication setting."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.communication import (
    CHANNELS,
    DISPLAY,
    SECRETS,
    Plan,
    Setting,
    Wanted,
    find,
    plan,
    plan_absence,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import WEBHOOK, setting

Json = dict[str, t.Any]

SLACK = {"url": WEBHOOK, "channel": "#alerts"}
OTHER_WEBHOOK = "https://hooks.slack.example/services/T0/B0/SecondSecret"


def wanted(account_id: str | None = "a", **options: t.Any) -> Wanted:
    params = {"id": None, "channel": "slack", "enabled": None, "manual": None, "filter": None, "configuration": None, **options}
    return Wanted.from_options(params, account_id)


def present(setting_id: str = "1", account_id: str | None = "a", **fields: t.Any) -> Setting:
    return Setting.from_api(setting(setting_id, account_id, **{"configuration": SLACK, **fields}), account_id)


def masked(configuration: Json) -> Json:
    return {name: "https://hooks.slack.example/****" if name in SECRETS else value for name, value in configuration.items()}


def without_secrets(configuration: Json) -> Json:
    return {name: value for name, value in configuration.items() if name not in SECRETS}


def sent(made: Plan) -> Json:
    """The attributes that a plan sends."""
    assert made.payload is not None
    document = made.payload["data"]
    return t.cast(Json, (document[0] if isinstance(document, list) else document)["attributes"])


def test_what_is_sent_to_create_one_for_an_account() -> None:
    made = plan(None, wanted(configuration=SLACK, filter={"risk_levels": ["EXTREME"], "rule_ids": None, "tags": []}))
    assert made.payload == {
        "data": [
            {
                "type": "settings",
                "attributes": {
                    "type": "communication",
                    "channel": "slack",
                    "enabled": True,
                    "filter": {"riskLevels": ["EXTREME"]},
                    "configuration": SLACK,
                },
                "relationships": {"account": {"data": {"type": "accounts", "id": "a"}}},
            }
        ]
    }


def test_what_is_sent_to_create_one_for_the_organisation() -> None:
    options = {"channel": "sns", "configuration": {"arn": "arn:aws:sns:us-east-1:1:t"}, "enabled": False, "manual": True}
    made = plan(None, wanted(None, **options))
    assert made.payload is not None
    assert made.payload["data"][0]["relationships"] == {"account": {"data": None}}
    assert sent(made) == {
        "type": "communication",
        "channel": "sns",
        "enabled": False,
        "manual": True,
        "configuration": {"arn": "arn:aws:sns:us-east-1:1:t"},
    }


def test_what_is_sent_to_change_one_is_the_whole_setting() -> None:
    made = plan(
        present(filter={"regions": ["us-east-1"]}, configuration={**SLACK, "displayTags": True}, manual=True),
        wanted(configuration={"display_resource": True}, filter={"services": ["S3"]}, manual=False),
    )
    assert made.payload == {
        "data": {
            "type": "settings",
            "attributes": {
                "type": "communication",
                "channel": "slack",
                "enabled": True,
                "manual": False,
                "filter": {"suppressed": False, "regions": ["us-east-1"], "services": ["S3"]},
                "configuration": {**SLACK, "displayTags": True, "displayResource": True},
            },
        }
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"enabled": True, "manual": False},
        {"filter": {"regions": ["eu-west-1", "us-east-1"], "tags": []}},
        {"filter": {}, "configuration": {"channel": "#alerts", "url": WEBHOOK, "display_tags": False, "channel_name": ""}},
    ],
)
def test_what_is_there_already_is_left_alone(options: Json) -> None:
    made = plan(present(filter={"regions": ["us-east-1", "eu-west-1"]}), wanted(**options))
    assert (made.changed, made.payload, made.before) == (False, None, made.after)


@pytest.mark.parametrize(
    ("options", "attribute", "value"),
    [
        ({"enabled": False}, "enabled", False),
        ({"manual": True}, "manual", True),
        ({"filter": {"regions": ["us-east-1"]}}, "filter", {"suppressed": False, "regions": ["us-east-1"]}),
        ({"filter": {"regions": []}}, "filter", {"suppressed": False}),
        ({"configuration": {"url": OTHER_WEBHOOK}}, "configuration", {"url": OTHER_WEBHOOK, "channel": "#alerts"}),
        ({"configuration": {"display_tags": True}}, "configuration", {**SLACK, "displayTags": True}),
    ],
)
def test_each_difference_is_written(options: Json, attribute: str, value: t.Any) -> None:
    made = plan(present(filter={"regions": ["us-east-1", "eu-west-1"]}), wanted(**options))
    assert made.changed
    assert sent(made)[attribute] == value


@pytest.mark.parametrize(("channel", "missing"), [(name, kind.required) for name, kind in CHANNELS.items()])
def test_a_new_setting_needs_its_fields(channel: str, missing: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="A new setting needs configuration.") as caught:
        plan(None, wanted(channel=channel))
    assert str(caught.value).count("configuration.") == len(missing)


def test_what_is_emptied_is_gone() -> None:
    there = present(filter={"regions": ["us-east-1"], "services": []}, configuration={**SLACK, "channelName": "Team"})
    made = plan(there, wanted(filter={"regions": [], "services": []}, configuration={"channel_name": ""}))
    assert made.after is not None
    assert (made.after.filter, made.after.configuration) == ({"suppressed": False, "services": []}, SLACK)


def test_fields_of_another_channel_are_refused() -> None:
    problem = "The channel slack has no configuration arn, users. It has: url, channel, display_introduced_by, .*, channel_name."
    with pytest.raises(InputError, match=problem):
        wanted(configuration={"users": ["u"], "arn": "x", "url": None})


@pytest.mark.parametrize("hide", [masked, without_secrets])
def test_a_secret_that_is_not_shown(hide: t.Callable[[Json], Json]) -> None:
    there = present(configuration=hide(SLACK))
    same = wanted(configuration=SLACK)
    assert not plan(there, same).changed
    rewritten = plan(there, same, rewrite_hidden=True)
    assert rewritten.changed
    assert sent(rewritten)["configuration"] == SLACK
    other = plan(there, wanted(enabled=False, configuration=SLACK))
    assert sent(other)["configuration"] == SLACK
    with pytest.raises(InputError, match="To change the setting 1, all of it is sent, and the API does not show configuration.url: give it"):
        plan(there, wanted(enabled=False))


def test_a_token_that_may_be_there_or_not() -> None:
    """Whether it is not set or not shown cannot be told."""
    there = present(channel="webhook", configuration={"url": WEBHOOK})
    asked = wanted(channel="webhook", configuration={"url": WEBHOOK, "security_token": "t"})
    assert not plan(there, asked).changed
    assert sent(plan(there, asked, rewrite_hidden=True))["configuration"] == {"url": WEBHOOK, "securityToken": "t"}


def test_a_configuration_that_is_not_shown() -> None:
    with pytest.raises(InputError, match="does not show the configuration of 1. Use an API key of the role ADMIN"):
        plan(present(configuration=None), wanted(enabled=False))


def test_absence() -> None:
    there = present()
    assert (plan_absence(there).changed, plan_absence(there).payload) == (True, None)
    assert not plan_absence(None).changed


SETTINGS = [
    present("1"),
    present("2", configuration={**SLACK, "channelName": "Team"}),
    present("3", configuration={**SLACK, "channel": "#other"}),
    present("4", channel="email", configuration={"users": ["u", "v"]}),
    present("5", channel="webhook", configuration={"url": WEBHOOK}),
    present("6", channel="pager-duty", configuration={"serviceName": "Night", "serviceKey": "k"}),
    present("7", channel="sns", configuration={"arn": "arn:x"}),
    present("8", channel="ms-teams", configuration={"url": WEBHOOK, "channel": "General"}),
]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"configuration": {"channel_name": "Team"}}, "2"),
        ({"configuration": {"channel_name": "Team", "channel": "#new"}}, "2"),
        ({"configuration": {"channel_name": "New", "channel": "#other"}}, None),
        ({"configuration": {"channel_name": "", "channel": "#other"}}, "3"),
        ({"id": "1"}, "1"),
        ({"id": "x"}, None),
        ({"channel": "email", "configuration": {"users": ["v", "u"]}}, "4"),
        ({"channel": "email", "configuration": {"users": ["u"]}}, None),
        ({"channel": "sms", "configuration": {"users": ["u", "v"]}}, None),
        ({"channel": "webhook", "configuration": {"url": WEBHOOK}}, "5"),
        ({"channel": "pager-duty", "configuration": {"service_name": "Night"}}, "6"),
        ({"channel": "sns", "configuration": {"arn": "arn:x"}}, "7"),
        ({"channel": "ms-teams", "configuration": {"channel": "General"}}, "8"),
    ],
)
def test_which_setting_is_meant(options: Json, found: str | None) -> None:
    setting = find(SETTINGS, wanted(**options))
    assert (setting.id if setting else None) == found


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"configuration": {"channel": "#alerts"}}, "More than one setting has this configuration.channel: 1, 2. Give the id"),
        ({"configuration": {"url": WEBHOOK}}, "Give configuration.channel, configuration.channel_name or id"),
        ({"channel": "webhook"}, "Give configuration.url, configuration.channel_name or id"),
        ({"id": "4"}, "The setting 4 is for the channel email, not slack"),
    ],
)
def test_what_cannot_be_told(options: Json, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        find(SETTINGS, wanted(**options))


def test_no_duplicate_beside_a_setting_that_cannot_be_read() -> None:
    unreadable = present("9", configuration=None)
    assert find([unreadable, SETTINGS[0]], wanted(configuration={"channel": "#alerts"})) == SETTINGS[0]
    with pytest.raises(InputError, match="cannot be told, since the API does not show configuration.channel of 9"):
        find([unreadable, SETTINGS[0]], wanted(configuration={"channel": "#new"}))
    with pytest.raises(InputError, match="configuration.channel_name of 9. Give id, or an API key"):
        find([unreadable], wanted(configuration={"channel_name": "Team"}))
    webhook = present("9", channel="webhook", configuration={"url": "https://x/****"})
    with pytest.raises(InputError, match="does not show configuration.url of 9"):
        find([webhook], wanted(channel="webhook", configuration={"url": WEBHOOK}))


def test_nothing_shows_a_secret() -> None:
    there = present(configuration={**SLACK, "displayTags": True})
    made = plan(there, wanted(configuration={"url": OTHER_WEBHOOK}))
    shown = (
        json.dumps([made.diff(), there.as_result(), plan(None, wanted(configuration=SLACK)).diff()])
        + repr(made)
        + str(made)
        + repr(wanted(configuration=SLACK))
    )
    assert "Secret" not in shown
    assert made.diff()["before"]["configuration"] == {"channel": "#alerts", "display_tags": True, "url": "(not shown)"}
    assert made.diff()["after"]["configuration"] == {"channel": "#alerts", "display_tags": True, "url": "(not shown), new"}
    assert there.secrets == {WEBHOOK}
    assert present(configuration=masked(SLACK)).secrets == set()


def test_the_diff_of_what_comes_and_goes() -> None:
    assert plan(None, wanted(configuration=SLACK)).diff()["before"] == {}
    gone = plan_absence(present(configuration=None)).diff()
    assert (gone["before"]["id"], gone["before"]["configuration"], gone["after"]) == ("1", None, {})


def test_a_result_has_the_names_of_the_options() -> None:
    assert present(filter={"riskLevels": ["LOW"], "ruleIds": ["S3-016"]}, configuration={**SLACK, "displayIntroducedBy": True}).as_result() == {
        "id": "1",
        "account_id": "a",
        "channel": "slack",
        "enabled": True,
        "manual": False,
        "filter": {"suppressed": False, "risk_levels": ["LOW"], "rule_ids": ["S3-016"]},
        "configuration": {"channel": "#alerts", "display_introduced_by": True},
    }


def test_what_is_left_to_do_in_words() -> None:
    assert str(plan(present(), wanted(enabled=False, filter={"tags": ["x"]}))) == "the setting 1 has another enabled and another filter"
    assert str(plan(None, wanted(configuration=SLACK))) == "the setting is not there"
    assert str(plan_absence(present())) == "the setting 1 is there"
    assert str(plan_absence(None)) == "nothing"


TEXTS = st.sampled_from(["x", "y"])
LISTS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3)


@st.composite
def options_of(draw: st.DrawFn, channel: str, *, complete: bool) -> Json:
    """Options of the module for a channel.

    :param complete: whether they suffice to create a setting; else any may be missing but secrets that a setting needs.
    """
    kind = CHANNELS[channel]
    values = {name: LISTS if name == "users" else st.booleans() if name in DISPLAY else TEXTS for name in kind.fields}
    optional = {name: values[name] for name in kind.fields if not (name in kind.required and (complete or name in SECRETS))}
    configuration = {name: draw(st.none() | one if name in optional else one) for name, one in values.items()}
    filters = {name: draw(st.none() | st.just([]) | LISTS) for name in ("regions", "rule_ids", "risk_levels")}
    return {
        "channel": channel,
        "enabled": draw(st.none() | st.booleans()),
        "manual": draw(st.none() | st.booleans()),
        "filter": draw(st.none() | st.just(filters)),
        "configuration": camel_dict_to_snake_dict(configuration),
    }


def applied(before: Json | None, made: Plan) -> Json:
    """What the API has after a plan."""
    if made.payload is None:
        assert before is not None
        return before
    document = copy.deepcopy(made.payload["data"])
    if isinstance(document, list):
        return {"id": "1", **document[0]}
    assert before is not None
    return {**before, "attributes": document["attributes"]}


def meaning(value: t.Any) -> t.Any:
    return (frozenset(value) if isinstance(value, list) else value) or None


@given(st.data(), st.sampled_from(sorted(CHANNELS)), st.booleans(), st.sampled_from([dict, masked, without_secrets]))
def test_a_plan_reaches_what_is_wanted_and_is_then_done(data: st.DataObject, channel: str, exists: bool, shown: t.Callable[[Json], Json]) -> None:
    """Also where the API hides secrets, and drops what is empty or false."""

    def read(entry: Json) -> Setting:
        attributes = entry["attributes"]
        configuration = {name: value for name, value in attributes["configuration"].items() if value}
        return Setting.from_api({**entry, "attributes": {**attributes, "configuration": shown(configuration)}}, "a")

    stored = applied(None, plan(None, wanted(**data.draw(options_of(channel, complete=True))))) if exists else None
    asked = wanted(**data.draw(options_of(channel, complete=not exists)))
    before = read(stored) if stored else None
    hidden = {name for name in SECRETS if before and (shown is not dict or name not in (before.configuration or {}))}
    stored = applied(stored, plan(before, asked))
    again = plan(read(stored), asked)
    assert (again.changed, again.payload) == (False, None)
    for part, fields in (("filter", asked.filter), ("configuration", asked.configuration)):
        has = stored["attributes"].get(part, {})
        assert all(meaning(has.get(name)) == meaning(value) for name, value in fields.items() if name not in hidden)
    assert asked.enabled in (None, stored["attributes"]["enabled"])
    assert asked.manual in (None, stored["attributes"].get("manual", False))


@given(st.data(), st.sampled_from(sorted(CHANNELS)))
def test_what_is_not_named_stays(data: st.DataObject, channel: str) -> None:
    stored = applied(None, plan(None, wanted(**data.draw(options_of(channel, complete=True)))))
    asked = wanted(**data.draw(options_of(channel, complete=False)))
    after = applied(stored, plan(Setting.from_api(stored, "a"), asked))["attributes"]
    for part, named in (("filter", asked.filter), ("configuration", asked.configuration)):
        for name, value in stored["attributes"].get(part, {}).items():
            assert name in named or after[part][name] == value


@given(st.data(), st.sampled_from(sorted(set(CHANNELS) - {"ms-teams"})))
def test_what_was_created_is_found_again(data: st.DataObject, channel: str) -> None:
    asked = wanted(**data.draw(options_of(channel, complete=True)))
    assert find([], asked) is None
    found = find([Setting.from_api(applied(None, plan(None, asked)), "a")], asked)
    assert found is not None
    assert found.id == "1"


@pytest.mark.parametrize("attributes", [None, [], "x", {"filter": "abc", "configuration": [1]}, {"filter": [1], "configuration": "x"}])
def test_a_setting_of_another_form(attributes: t.Any) -> None:
    read = Setting.from_api({"id": "1", "attributes": attributes}, "a")
    assert (read.filter, read.configuration) == ({}, None)
