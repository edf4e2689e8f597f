# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory folder with which Ansible asks the lab's API and AWS which appliances there are, as a user would write it.

What the inventory plugin cannot know is in variables beside it: how SSH gets to the appliances, and what may be typed into single ones.
"""

from __future__ import annotations

import shutil
import typing as t

import yaml

from lab.appliance_state import ApplianceState
from lab.fleet import OWN_ACCOUNT_ID, AwsSpec
from lab.state_dir import GROUP, SshAccess, StateDir, registration_variables, ssh_variables, write_private

Json = dict[str, t.Any]

PLUGIN = "trendmicro.cloudone.netsec"


def write_plugin_inventory(state_dir: StateDir, appliances: t.Iterable[ApplianceState], aws: AwsSpec, access: SshAccess) -> None:
    """Write the folder anew: what is left from an earlier lab would be read too."""
    folder, everyone = state_dir.plugin_inventory, list(appliances)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "group_vars").mkdir(parents=True)
    write_private(folder / "fleet.netsec.yml", _yaml(plugin_options(everyone, aws)))
    write_private(folder / "group_vars" / f"{GROUP}.yml", _yaml(ssh_variables(state_dir, access)))
    for appliance in everyone:
        if variables := registration_variables(appliance):
            # Only if it is needed: Ansible looks into it for every host.
            (folder / "host_vars").mkdir(exist_ok=True)
            write_private(folder / "host_vars" / f"{appliance.instance_id}.yml", _yaml(variables))


def plugin_options(appliances: t.Iterable[ApplianceState], aws: AwsSpec) -> Json:
    """Return the inventory plugin's options: the regions and accounts that the fleet's instances are in."""
    specs = [appliance.spec for appliance in appliances if appliance.spec.in_aws]
    used = {spec.account for spec in specs}
    further = [_by_role(account.role_arn, account.external_id) for account in aws.accounts if account.id in used]
    own: list[Json] = [{}] if OWN_ACCOUNT_ID in used else []
    return {
        "plugin": PLUGIN,
        "regions": sorted({spec.region for spec in specs}) or ["us-east-1"],
        **({"accounts": own + further} if further else {}),
    }


def _by_role(role_arn: str, external_id: str | None) -> Json:
    """Return an account that is reached by a role."""
    return {"assume_role_arn": role_arn, **({"assume_role_external_id": external_id} if external_id is not None else {})}


def _yaml(content: Json) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, explicit_start=True)
    return text
