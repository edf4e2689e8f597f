# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import timedelta

import pytest
from lab_world import API_KEY, START, Clock, id_of, make_world

from lab.appliance_cli.interface import NotRegistered, RegistrationRefused
from lab.appliance_state import LogType
from lab.world import UnknownId


def test_the_api_lists_a_registration_after_its_delay_under_a_new_id() -> None:
    clock = Clock()
    world = make_world({"name": "a", "registered_days_ago": 740, "registration_delay": 5, "registration_blocks": True}, clock=clock)
    instance_id = id_of(world, "a")
    [old_id] = world.api_ids(instance_id)

    world.unregister_in_api(old_id)
    world.unregister_on_appliance(instance_id)
    registration = world.register(instance_id, world.issue_token().value)

    assert (registration.seconds, registration.blocks) == (5, True)
    assert world.api_ids(instance_id) == []
    clock.pass_by(seconds=4.9)
    assert world.api_ids(instance_id) == []
    assert not world.communicates(instance_id)
    clock.pass_by(seconds=0.1)
    [new_id] = world.api_ids(instance_id)
    assert new_id != old_id
    assert world.communicates(instance_id)
    assert [(event.credential, event.api_id) for event in world.appliances[instance_id].registrations] == [("initial", old_id), ("token", new_id)]


def test_an_appliance_can_keep_its_id() -> None:
    world = make_world({"name": "a", "new_id_on_registration": False})
    instance_id = id_of(world, "a")
    [old_id] = world.api_ids(instance_id)
    world.unregister_in_api(old_id)
    world.unregister_on_appliance(instance_id)
    world.register(instance_id, API_KEY)
    assert world.api_ids(instance_id) == [old_id]


def test_without_unregistering_in_the_api_the_instance_is_listed_twice() -> None:
    world = make_world({"name": "a"})
    instance_id = id_of(world, "a")
    world.unregister_on_appliance(instance_id)
    world.register(instance_id, API_KEY)
    assert len(world.api_ids(instance_id)) == 2


def test_registering_needs_unregistering_on_the_appliance_first() -> None:
    world = make_world({"name": "a"}, {"name": "b", "registered": False})
    with pytest.raises(RegistrationRefused, match="already registered"):
        world.register(id_of(world, "a"), API_KEY)
    with pytest.raises(NotRegistered):
        world.unregister_on_appliance(id_of(world, "b"))


def test_a_registration_given_up_half_way_never_appears() -> None:
    clock = Clock()
    world = make_world({"name": "a", "registered": False, "registration_delay": 5}, clock=clock)
    instance_id = id_of(world, "a")
    world.register(instance_id, API_KEY)
    clock.pass_by(seconds=1)
    world.unregister_on_appliance(instance_id)
    clock.pass_by(seconds=10)
    assert world.api_ids(instance_id) == []


def test_a_token_is_good_once_and_for_a_limited_time() -> None:
    clock = Clock()
    world = make_world({"name": "a", "registered": False}, {"name": "b", "registered": False}, clock=clock)
    token, late, revoked = world.issue_token(), world.issue_token(lifetime=60), world.issue_token()
    world.register(id_of(world, "a"), token.value)
    with pytest.raises(RegistrationRefused, match="token is used"):
        world.register(id_of(world, "b"), token.value)
    clock.pass_by(seconds=60)
    with pytest.raises(RegistrationRefused, match="token is expired"):
        world.register(id_of(world, "b"), late.value)
    assert world.revoke_token(revoked.id) and not world.revoke_token("none")
    with pytest.raises(RegistrationRefused, match="token is revoked"):
        world.register(id_of(world, "b"), revoked.value)
    with pytest.raises(RegistrationRefused, match="token is not valid"):
        world.register(id_of(world, "b"), "made-up")
    assert world.count_tokens() == {"unused": 0, "used": 1, "revoked": 1, "expired": 1}


def test_an_appliance_without_token_support_takes_only_the_api_key() -> None:
    world = make_world({"name": "a", "registered": False, "supports_tokens": False})
    instance_id, token = id_of(world, "a"), world.issue_token()
    with pytest.raises(RegistrationRefused, match="API key is not valid"):
        world.register(instance_id, token.value)
    assert world.count_tokens()["unused"] == 1
    world.register(instance_id, API_KEY)
    assert world.appliances[instance_id].registrations[-1].credential == "api_key"


def test_an_expired_certificate_shows_in_the_log_and_stops_distributions() -> None:
    clock = Clock()
    world = make_world({"name": "a", "registered_days_ago": 729.5}, profiles=[{"id": 1, "name": "Default-Profile"}, {"id": 2, "name": "P"}], clock=clock)
    instance_id = id_of(world, "a")
    [api_id] = world.api_ids(instance_id)
    assert not any("sslv3 alert certificate" in line for line in world.system_log(instance_id))
    assert world.distribute(api_id, 2).state == "distributed"

    clock.pass_by(days=1)
    assert world.certificate_expired(instance_id)
    errors = [line for line in world.system_log(instance_id) if "sslv3 alert certificate" in line]
    assert errors[0].startswith("2026-03-02T00:00:00.000Z") and len(errors) == 3
    assert world.distribute(api_id, 1).state == "pending"
    assert world.appliances[instance_id].profile_id == 2
    assert world.api_ids(instance_id) == [api_id], "the API goes on listing it"


def test_old_errors_stay_in_the_log_after_a_renewal_and_no_new_ones_come() -> None:
    clock = Clock()
    world = make_world({"name": "a", "registered_days_ago": 735}, clock=clock)
    instance_id = id_of(world, "a")
    world.unregister_on_appliance(instance_id)
    world.register(instance_id, API_KEY)
    clock.pass_by(days=3)
    errors = [line for line in world.system_log(instance_id) if "sslv3 alert certificate" in line]
    assert errors and all(line[:19] <= f"{START:%Y-%m-%dT%H:%M:%S}" for line in errors)
    assert not world.certificate_expired(instance_id)


def test_a_registration_loses_what_the_fleet_says_and_nothing_else() -> None:
    settings = {"log_types": {"ipsBlock": {"group": "blocks"}}, "registered": True}
    world = make_world({"name": "forgetful", "registration_loses": ["log_types", "profile"], **settings}, {"name": "faithful", **settings})
    for name in ("forgetful", "faithful"):
        instance_id = id_of(world, name)
        world.unregister_in_api(world.api_ids(instance_id)[0])
        world.unregister_on_appliance(instance_id)
        world.register(instance_id, API_KEY)
        assert world.settings_as_at_start(instance_id) == (name == "faithful")

    [api_id] = world.api_ids(id_of(world, "forgetful"))
    assert not any(log_type.enable for log_type in world.log_types(api_id))
    world.set_log_types(api_id, [LogType("ipsBlock", "blocks", enable=True)])
    world.distribute(api_id, 1)
    assert world.settings_as_at_start(id_of(world, "forgetful"))


@pytest.mark.parametrize(("behaviour", "kept"), [("kept", True), ("reset", False)])
def test_what_a_post_does_to_unnamed_log_types_can_be_set(behaviour: str, kept: bool) -> None:
    world = make_world({"name": "a", "log_types": {"system": {"group": "g"}}}, api={"unnamed_log_types": behaviour})
    [api_id] = world.api_ids(id_of(world, "a"))
    world.set_log_types(api_id, [LogType("ipsBlock", "blocks", enable=True)])
    enabled = {log_type.logName for log_type in world.log_types(api_id) if log_type.enable}
    assert enabled == ({"ipsBlock", "system"} if kept else {"ipsBlock"})


def test_ids_that_the_api_does_not_list_are_unknown() -> None:
    world = make_world({"name": "a", "registered": False}, {"name": "b"})
    [api_id] = world.api_ids(id_of(world, "b"))
    for attempt in (
        lambda: world.unregister_in_api(99),
        lambda: world.log_types(99),
        lambda: world.set_log_types(99, []),
        lambda: world.distribute(99, 1),
        lambda: world.distribute(api_id, 99),
    ):
        with pytest.raises(UnknownId):
            attempt()


def test_an_appliance_can_be_listed_twice_or_half_unregistered_from_the_start() -> None:
    world = make_world({"name": "twice", "listed_twice": True}, {"name": "half", "registered": False, "registered_on_appliance": True})
    assert len(world.api_ids(id_of(world, "twice"))) == 2
    assert world.api_ids(id_of(world, "half")) == []
    assert world.registered_on_appliance(id_of(world, "half"))


def test_an_appliance_renewed_by_hand_has_two_certificates() -> None:
    world = make_world({"name": "a", "deployed_days_ago": 1000, "registered_days_ago": 100})
    certificates = world.appliances[id_of(world, "a")].certificates
    assert [certificate.issued_at for certificate in certificates] == [START - timedelta(days=1000), START - timedelta(days=100)]
    assert certificates[0].given_up_at == certificates[1].issued_at
    assert any("sslv3 alert certificate" in line for line in world.system_log(id_of(world, "a")))


def test_ssh_is_the_networks_decision() -> None:
    world = make_world({"name": "a"})
    assert world.ssh_allowed(id_of(world, "a"), "127.20.0.5")
    assert not world.ssh_allowed(id_of(world, "a"), "127.0.0.1")
