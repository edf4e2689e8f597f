# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""enable_rtm.yml and disable_rtm.yml."""

from __future__ import annotations

import typing as t

from faults.catalogue import API_TIMEOUT
from faults.model import Json, Run
from lab.lab import Lab

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "sa-east-1", "ap-south-1", "ca-central-1", "eu-north-1")
ACCOUNTS = ("111122223333", "222233334444", "333344445555", "444455556666", "555566667777", "666677778888")
NAME = "CloudConformityMonitoring"
WEBHOOK = "https://hooks.slack.example/services/T0/B0/OnlyForTheChannelOfTheMatrix"


def _fleet(accounts: t.Sequence[str], regions: t.Sequence[str], standing: Json) -> Json:
    specs = [{"id": each, "trail": "multi_region", "rtm": dict.fromkeys(regions, standing["rtm"]) if standing else {}} for each in accounts]
    return {
        "appliances": [],
        "aws": {"accounts": specs, "cloudformation": {"operation_seconds": 0.3}},
        "conformity": {"accounts": [{"name": each, "aws_account_id": each} for each in accounts]},
    }


def _fleets(**standing: t.Any) -> dict[str, Json]:
    return {
        "small": _fleet(ACCOUNTS[:1], REGIONS[:2], standing),
        "accounts": _fleet(ACCOUNTS, REGIONS[:1], standing),
        "regions": _fleet(ACCOUNTS[:3], REGIONS, standing),
    }


class EnableRtm:
    """Every region of every account is monitored, by one stack, or is named; Slack is told once."""

    playbook = "enable_rtm"
    fleets: t.Mapping[str, Json] = _fleets()

    def arguments(self) -> list[str]:
        return ["-i", "localhost,", "--forks", "6"]

    def variables(self, lab: Lab) -> Json:
        accounts = self.hosts(lab)
        return {
            "conformity_rtm_role_arns": [f"arn:aws:iam::{each}:role/conformity-rtm" for each in accounts],
            "conformity_rtm_regions": self.regions(lab),
            "conformity_api_options": {"api_timeout": API_TIMEOUT},
            "conformity_rtm_concurrency": 20,
            "conformity_rtm_wait_timeout": 30,
            "conformity_rtm_confirm": True,
            "conformity_rtm_confirm_timeout": 6,
            "conformity_rtm_slack_url": WEBHOOK,
            "conformity_rtm_slack_channel": "#matrix",
            "conformity_rtm_slack_risk_levels": ["EXTREME"],
        }

    def regions(self, lab: Lab) -> list[str]:
        """The regions of each account: with more accounts there are fewer."""
        return list(REGIONS[: {1: 2, 3: 8, 6: 1}[len(self.hosts(lab))]])

    def wrong(self, lab: Lab) -> dict[str, list[str]]:
        """What is not as wanted, by account."""
        found: dict[str, list[str]] = {}
        for account in lab.fleet.aws.accounts:
            regions = lab.control.world()["rtm"][account.id]["regions"]
            each = [f"{account.id}/{name}: {problem}" for name in self.regions(lab) for problem in self.region(regions[name])]
            if each or (each := self.account(lab, account.id)):
                found[account.id] = each
        return found

    def region(self, region: Json) -> list[str]:
        """What is wrong with one region."""
        return [] if region["monitored"] and list(region["stacks"]) == [NAME] else [f"monitored: {region['monitored']}, stacks: {region['stacks']}"]

    def account(self, lab: Lab, account_id: str) -> list[str]:
        """What is wrong with one account."""
        accounts = {spec.aws_account_id: spec.id for spec in lab.fleet.conformity.accounts}
        settings = lab.conformity.settings(accounts[account_id])
        right = [setting for setting in settings if setting.attributes["configuration"]["url"] == WEBHOOK and setting.attributes["enabled"]]
        return [] if len(settings) == len(right) == 1 else [f"{account_id}: {len(settings)} settings for Slack, {len(right)} right"]

    def unreported(self, lab: Lab, run: Run) -> list[str]:
        wrong = self.wrong(lab)
        if run.returncode == 0:
            return [f"the exit code is 0, but {each}" for each in wrong.values()]
        if run.killed or "Show the summary" not in run.output:
            return [] if run.killed or "fatal: " in run.output or "ERROR" in run.output else ["the run ended without a reason"]
        unnamed = [f"{each}, and the account is not named" for account, each in wrong.items() if account not in run.failed]
        return unnamed + [f"{account} failed, and no reason is given" for account in run.failed if f"fatal: [{account}" not in run.output]

    def unfinished(self, lab: Lab) -> list[str]:
        return [problem for each in self.wrong(lab).values() for problem in each]

    def let_leases_lapse(self, lab: Lab) -> bool:
        return False

    def hosts(self, lab: Lab) -> list[str]:
        return [account.id for account in lab.fleet.aws.accounts]

    def secrets(self) -> Json:
        return {"webhook URL": WEBHOOK.rpartition("/")[2]}


class DisableRtm(EnableRtm):
    """No rule and no stack is left, or the region is named."""

    playbook = "disable_rtm"
    fleets: t.Mapping[str, Json] = _fleets(rtm={})

    def region(self, region: Json) -> list[str]:
        left = [name for name, status in region["stacks"].items() if status != "DELETE_COMPLETE"]
        return [f"rule: {region['rule']}, stacks: {left}"] if region["rule"] or left else []

    def account(self, lab: Lab, account_id: str) -> list[str]:
        return []
