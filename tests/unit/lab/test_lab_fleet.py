# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lab.fleet import OWN_ACCOUNT_ID, FleetError, load_fleet, parse_fleet
from lab.fleet_generator import OLDEST_DAYS, generate_fleet, generate_mixed_fleet

DEMO = Path(__file__).parents[2] / "lab" / "fleets" / "demo.yml"


def test_names_alone_make_an_appliance_with_a_stable_instance_id() -> None:
    first, again = (parse_fleet({"appliances": [{"name": "a"}]}).appliances[0] for attempt in range(2))
    assert first.instance_id == again.instance_id
    assert first.instance_id.startswith("i-") and len(first.instance_id) == 19
    assert first.host_name == first.instance_id


def test_the_demo_holds_the_seven_situations() -> None:
    fleet = load_fleet(DEMO)
    ages = {spec.name: (spec.deployment, spec.registered, spec.registered_days_ago) for spec in fleet.appliances}
    assert len(ages) == 7
    assert sum(deployment == "hosted" for deployment, _registered, _age in ages.values()) == 1
    assert sum(not registered for _deployment, registered, _age in ages.values()) == 1
    assert sum(registered and age >= 730 for _deployment, registered, age in ages.values()) == 3
    assert sum(registered and 700 < age < 730 for _deployment, registered, age in ages.values()) == 1
    assert [spec.name for spec in fleet.appliances if not spec.supports_tokens] == ["expired-without-tokens"]


@pytest.mark.parametrize(
    ("fleet", "where"),
    [
        ({"appliances": [{"name": "a", "colour": "red"}]}, "appliances.0.colour"),
        ({"appliances": [{"name": "a", "registered_days_ago": "long"}]}, "appliances.0.registered_days_ago"),
        ({"appliances": [{"name": "a", "log_types": {"ipsblock": {"group": "g"}}}]}, "ipsblock"),
        ({"appliances": [{"name": "a", "instance_role_lacks": ["logs:PutEvents"]}]}, "appliances.0.instance_role_lacks"),
        ({"appliances": [{"name": "a", "instance_role": False, "instance_role_lacks": ["logs:PutLogEvents"]}]}, "needs instance_role"),
        ({"appliances": [], "aws": {"log_delivery_interval": 0}}, "aws.log_delivery_interval"),
        ({"appliances": [], "aws": {"log_stream_created": "never"}}, "aws.log_stream_created"),
        ({"appliances": [{"name": "a"}, {"name": "a"}]}, "name used twice: a"),
        ({"appliances": [{"name": "a", "profile": "Nope"}]}, "unknown profile: Nope"),
        ({"appliances": [{"name": "a", "extra_security_groups": 5}]}, "extra_security_groups"),
        ({"appliances": [{"name": "a", "instance_state": "lost"}]}, "appliances.0.instance_state"),
        ({"appliances": [{"name": "a", "account": "210987654321"}]}, "not in aws.accounts: 210987654321"),
        ({"appliances": [{"name": "a", "deployment": "hosted", "account": "210987654321"}]}, "takes no account"),
        ({}, "appliances"),
        ([], "fleet"),
    ],
)
def test_anything_unknown_or_wrong_is_refused_by_name(fleet: object, where: str) -> None:
    with pytest.raises(FleetError, match=where):
        parse_fleet(fleet)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"none\.yml: No such file"):
        load_fleet(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_text("a: [")
    with pytest.raises(FleetError, match=r"bad\.yml is no valid YAML"):
        load_fleet(tmp_path / "bad.yml")
    (tmp_path / "wrong.yml").write_text("appliances: [{}]")
    with pytest.raises(FleetError, match=r"(?s)wrong\.yml.*appliances\.0\.name"):
        load_fleet(tmp_path / "wrong.yml")


def test_generated_fleets_are_spread_over_deployments_and_regions() -> None:
    fleet = generate_fleet(50, regions=["us-east-1", "eu-central-1"], registration_delay=5)
    assert len({spec.instance_id for spec in fleet.appliances}) == 50
    assert {spec.deployment for spec in fleet.appliances} == {"inline", "gateway_load_balancer"}
    assert {spec.region for spec in fleet.appliances} == {"us-east-1", "eu-central-1"}
    assert all(spec.registration_blocks and spec.registration_delay == 5 for spec in fleet.appliances)


def test_mixed_fleets_have_every_age_and_history_everywhere() -> None:
    regions = ["us-east-1", "eu-central-1"]
    fleet = generate_mixed_fleet(600, accounts=3, regions=regions, ssh=False, api_delay=0.04, aws_delay=0.05)
    assert fleet == generate_mixed_fleet(600, accounts=3, regions=regions, ssh=False, api_delay=0.04, aws_delay=0.05)
    assert (fleet.ssh, fleet.api.delay, fleet.aws.delay) == (False, 0.04, 0.05)
    own = [spec for spec in fleet.appliances if spec.deployment != "hosted"]
    assert Counter((spec.account, spec.region) for spec in own).keys() == {
        (account, region) for account in (OWN_ACCOUNT_ID, *(account.id for account in fleet.aws.accounts)) for region in regions
    }
    ages = [spec.registered_days_ago for spec in own]
    assert min(ages) < 30 and max(ages) > OLDEST_DAYS - 30 and any(700 < age < 730 for age in ages)
    histories = {
        "by the collection": sum(spec.registration_tag and (spec.deployed_days_ago or 0) > spec.registered_days_ago for spec in own),
        "by hand": sum(not spec.registration_tag and (spec.deployed_days_ago or 0) > spec.registered_days_ago for spec in own),
        "restarted": sum(spec.restarted_days_ago is not None for spec in own),
        "stopped": sum(spec.instance_state == "stopped" for spec in own),
        "gone": sum(spec.instance_state == "gone" for spec in own),
        "unregistered": sum(not spec.registered for spec in own),
        "hosted": len(fleet.appliances) - len(own),
    }
    assert all(number > 5 for number in histories.values()), histories
    assert sum("system" in spec.log_types for spec in fleet.appliances) == 200
