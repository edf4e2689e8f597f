# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reports say of given entries."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.documents import KINDS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.fields import Entry
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Action, Document, Value
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.structured import to_json

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def report(kind: str, *entries: dict[str, t.Any]) -> Document:
    return KINDS[kind](entries, NOW)


def figures(document: Document) -> dict[str, int]:
    """The key figures that are not zero."""
    return {figure.name: figure.value for figure in document.figures if figure.value}


def rows(document: Document, table: str) -> list[dict[str, Value]]:
    found = next(one for one in document.tables if one.name == table)
    return [dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows]


def certificate(instance_id: str, days_left: int | None = None, **fields: t.Any) -> dict[str, t.Any]:
    """An entry of netsec_certificate_info."""
    status = "unknown" if days_left is None else "expired" if days_left < 0 else "expiring" if days_left < 30 else "valid"
    expires_at = None if days_left is None else (NOW + timedelta(days=days_left, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "instance_id": instance_id,
        "changed": False,
        "failed": False,
        "status": status,
        "days_left": days_left,
        "expires_at": expires_at,
        "evidence": None if days_left is None else "registration_tag",
        "reason": f"because of {instance_id}",
        **fields,
    }


def about(document: Document, word: str) -> Action:
    """The one thing to do whose problem has this word."""
    (found,) = [action for action in document.actions if word in action.problem]
    return found


class TestCertificates:
    """When certificates expire."""

    def test_headline_figures_and_order(self) -> None:
        document = report(
            "certificates",
            certificate("i-valid", 400),
            certificate("i-soon", 28),
            certificate("i-sooner", 3),
            certificate("i-over", -2),
            certificate("i-long-over", -200),
            certificate("i-nobody-knows"),
            {"instance_id": "i-failed", "failed": True, "msg": "AWS refused ec2:DescribeInstances."},
            {**certificate("i-gone"), "orphaned": True},
            {**certificate("i-out"), "status": "unregistered"},
            {**certificate("i-theirs"), "status": "hosted"},
        )
        assert document.headline == "2 of 10 certificates have expired, 2 end within 29 days, 1 appliance is not registered, 3 are not known."
        assert figures(document) == {
            "appliances": 10,
            "expired": 2,
            "failed": 1,
            "expiring": 2,
            "unregistered": 1,
            "unknown": 1,
            "orphaned": 1,
            "valid": 1,
            "hosted": 1,
        }
        assert [row["instance_id"] for row in rows(document, "appliances")] == [
            "i-long-over",
            "i-over",
            "i-failed",
            "i-sooner",
            "i-soon",
            "i-out",
            "i-nobody-knows",
            "i-gone",
            "i-valid",
            "i-theirs",
        ]
        assert about(document, "Nothing could be found out").items[0].detail == "AWS refused ec2:DescribeInstances."
        assert {item.subject for item in about(document, "have expired").items} == {"i-over", "i-long-over"}
        assert not document.changes

    @pytest.mark.parametrize(
        ("entries", "headline"),
        [
            ([], "There are no appliances."),
            ([certificate("i-1", 100), certificate("i-2", 200)], "None of 2 certificates has expired."),
            ([certificate("i-1", -1), certificate("i-2", 0)], "1 of 2 certificates has expired, 1 ends within 1 day."),
            ([certificate("i-1"), {**certificate("i-2", 5), "days_left": None}], "None of 2 certificates has expired, 1 ends soon, 1 is not known."),
        ],
    )
    def test_headline(self, entries: list[dict[str, t.Any]], headline: str) -> None:
        assert report("certificates", *entries).headline == headline

    def test_runway(self) -> None:
        document = report(
            "certificates",
            certificate("i-1", -400),
            certificate("i-2", 1),
            certificate("i-3", 40),
            certificate("i-4", 45),
            certificate("i-5", 730),
            certificate("i-6", 900),
            certificate("i-7"),
            # Seen in the log, whatever the date says.
            certificate("i-8", 500, status="expired"),
        )
        (chart,) = document.charts
        counts = {each.label: (each.count, each.level) for each in chart.bars if each.count}
        assert counts == {"Expired": (2, "bad"), "2026-03": (1, "warn"), "2026-04": (2, "good"), "2028-02": (1, "good"), "Later": (1, "good")}
        assert [each.label for each in chart.bars][:2] + [each.label for each in chart.bars][-2:] == ["Expired", "2026-03", "2028-03", "Later"]
        assert chart.summary == "2 certificates have expired. Most others end in 2026-04: 2 of 5."

    def test_an_estimate_says_that_it_is_one(self) -> None:
        document = report(
            "certificates",
            certificate("i-1", 100),
            certificate("i-2", 100, evidence="root_volume"),
            certificate("i-3", 100, evidence="log_evidence", estimated=True),
            certificate("i-4"),
        )
        assert {row["instance_id"]: row["estimated"] for row in rows(document, "appliances")} == {"i-1": False, "i-2": True, "i-3": True, "i-4": None}
        assert any(note.startswith("2 dates are estimates") for note in document.notes)

    def test_what_logs_say(self) -> None:
        document = report(
            "certificates",
            certificate("i-1", -5, certificate_errors={"count": 4}, log_search={"state": "searched", "note": None}),
            certificate("i-2", 100, certificate_errors=None, log_search={"state": "denied", "note": "AWS refused logs:FilterLogEvents."}),
        )
        assert {row["instance_id"]: row["certificate_errors"] for row in rows(document, "appliances")} == {"i-1": 4, "i-2": None}
        assert [(item.subject, item.detail) for item in about(document, "could not be searched").items] == [("i-2", "AWS refused logs:FilterLogEvents.")]

    def test_an_interrupted_renewal(self) -> None:
        assert about(report("certificates", certificate("i-1", 100, unfinished=True)), "interrupted").items[0].subject == "i-1"


class TestRenewal:
    """What a renewal did."""

    def test_done(self) -> None:
        before, after = "2026-03-05T12:00:00Z", "2028-03-01T12:00:00Z"
        document = report(
            "renewal",
            {"instance_id": "i-renewed", "result": "renewed", "expires_before": before, "expires_at": after, "credential": "token", "seconds": 5.04},
            {"instance_id": "i-finished", "result": "finished", "expires_at": after, "hints": ["Redistribute its policies by hand."]},
            {"instance_id": "i-failed", "result": "failed", "msg": "It cannot be reached.", "reason": "expired"},
            {"instance_id": "i-idle", "result": "not_due", "reason": "expires in 2027"},
            {"instance_id": "i-theirs", "result": "hosted", "reason": "the vendor renews it"},
        )
        assert document.headline == "2 of 5 certificates were renewed, 1 failed."
        assert [row["instance_id"] for row in rows(document, "appliances")] == ["i-failed", "i-renewed", "i-finished", "i-idle", "i-theirs"]
        renewed = rows(document, "appliances")[1]
        assert (renewed["expires_before"], renewed["expires_at"], renewed["seconds"]) == ("2026-03-05", "2028-03-01", 5.0)
        assert [change.detail for change in document.changes] == [
            "Renewed with its token in 5 s. The certificate expires on 2028-03-01 now.",
            "Finished. The certificate expires on 2028-03-01 now.",
        ]
        assert about(document, "failed").items[0].detail == "It cannot be reached."
        assert about(document, "by hand").items[0].subject == "i-finished"
        assert not document.notes

    @pytest.mark.parametrize(
        ("results", "headline"),
        [
            ([], "There are no appliances."),
            (["not_due", "hosted"], "None of 2 certificates had to be renewed."),
            (["failed", "not_due"], "None of 2 certificates was renewed, 1 failed."),
            (["renewed", "not_due"], "1 of 2 certificates was renewed."),
            (["would_renew", "would_finish", "not_due"], "2 of 3 certificates would be renewed."),
        ],
    )
    def test_headline(self, results: list[str], headline: str) -> None:
        document = report("renewal", *({"instance_id": f"i-{result}", "result": result} for result in results))
        assert document.headline == headline
        assert bool(document.notes) == ("would" in headline)


class TestLogStreaming:
    """Which logs are streamed."""

    def test_done(self) -> None:
        system, blocks = {"name": "system", "group": "logs-system"}, {"name": "ipsBlock", "group": "logs-blocks"}
        document = report(
            "log_streaming",
            {
                "instance_id": "i-new",
                "result": "configured",
                "streams": [{**system, "receiving": True, "last_event_at": "2026-03-01T11:58:00Z"}, {**blocks, "receiving": False}],
                "before": [system, blocks],
            },
            {"instance_id": "i-same", "result": "unchanged", "streams": [{**system, "receiving": True}]},
            {"instance_id": "i-theirs", "result": "unchanged", "hosted": True, "streams": [system]},
            {"instance_id": "i-none", "result": "unchanged"},
            {"instance_id": "i-failed", "result": "failed", "msg": "It has no role."},
        )
        assert document.headline == "4 of 5 appliances stream logs as wanted, 1 failed, all logs arrive from 1 of the 2 that were looked at."
        shown = {row["instance_id"]: (row["arrival"], row["last_event_at"], row["streams"], row["silent"]) for row in rows(document, "appliances")}
        assert shown == {
            "i-failed": ("not_checked", None, "", None),
            "i-new": ("silent", "2026-03-01 11:58", "system to logs-system, ipsBlock to logs-blocks", "ipsBlock"),
            "i-none": ("not_checked", None, "nothing", None),
            "i-same": ("arriving", None, "system to logs-system", None),
            "i-theirs": ("hosted", None, "system to logs-system", None),
        }
        assert rows(document, "log_types") == [
            {"log_type": "ipsBlock", "log_groups": "logs-blocks", "appliances": 1, "receiving": 0, "silent": 1},
            {"log_type": "system", "log_groups": "logs-system", "appliances": 3, "receiving": 2, "silent": 0},
        ]
        assert [(change.subject, change.detail) for change in document.changes] == [("i-new", "Configured: system, ipsBlock.")]
        assert about(document, "not stream").items[0].detail == "It has no role."
        assert about(document, "no event").items[0].detail == "ipsBlock"

    @pytest.mark.parametrize(
        ("results", "headline"),
        [
            ([], "There are no appliances."),
            (["unchanged"], "1 of 1 appliance streams logs as wanted."),
            (["would_configure", "unchanged"], "1 of 2 appliances streams logs as wanted, 1 would be configured."),
        ],
    )
    def test_headline(self, results: list[str], headline: str) -> None:
        assert report("log_streaming", *({"instance_id": f"i-{result}", "result": result} for result in results)).headline == headline


class TestRtm:
    """Accounts and regions."""

    FIRST: t.ClassVar[dict[str, t.Any]] = {
        "account_id": "111111111111",
        "name": "production",
        "wanted": "present",
        "changes": [
            {"region": "us-east-1", "action": "create", "status": "present", "reason": "There is no stack.", "changed": True, "failed": False},
            {"region": "eu-west-1", "action": "update", "status": "failed", "changed": False, "failed": True, "msg": "AWS refused it."},
            {"region": "af-south-1", "action": "skip", "status": "skipped", "reason": "The region is off.", "changed": False, "failed": False},
        ],
        "looks": [
            {"region": "us-east-1", "status": "present", "reason": None, "failed": False, "last_event_at": "2026-03-01T11:58:00Z"},
            {"region": "eu-west-1", "status": "drifted", "reason": "The rule is disabled.", "failed": False},
            {"region": "af-south-1", "status": "skipped", "reason": "The region is off.", "failed": False},
        ],
        "trails": [{"region": "us-east-1", "recorded": False, "reason": "There is no trail."}, {"region": "eu-west-1", "recorded": True}],
        "failures": ["eu-west-1: AWS refused it."],
        "warnings": ["Conformity could not be asked."],
    }

    def test_two_accounts(self) -> None:
        second = {
            "account_id": "000000000000",
            "changes": [],
            "looks": [{"region": "us-east-1", "status": "present", "failed": False}],
            "failures": [],
        }
        document = report("rtm", self.FIRST, second)
        assert document.headline == "Monitoring is on in 2 of 3 regions in 2 accounts; 1 account failed."
        shown = [(row["account_id"], row["region"], row["status"], row["done"], row["recorded"], row["last_event_at"]) for row in rows(document, "regions")]
        assert shown == [
            ("111111111111", "eu-west-1", "failed", None, True, None),
            ("000000000000", "us-east-1", "present", None, None, None),
            ("111111111111", "us-east-1", "present", "created", False, "2026-03-01 11:58"),
            ("111111111111", "af-south-1", "skipped", None, None, None),
        ]
        assert rows(document, "map") == [
            {"account_id": "000000000000", "name": None, "af-south-1": None, "eu-west-1": None, "us-east-1": "present"},
            {"account_id": "111111111111", "name": "production", "af-south-1": "skipped", "eu-west-1": "failed", "us-east-1": "present"},
        ]
        assert [word.label for word in document.tables[0].legend()] == ["Failed", "On", "Region is off"]
        assert [(change.subject, change.detail) for change in document.changes] == [("111111111111 us-east-1", "Created. There is no stack.")]
        assert about(document, "not as wanted").items[0].detail == "eu-west-1: AWS refused it."
        assert [item.detail for item in about(document, "warnings").items] == [
            "Conformity could not be asked.",
            "Nothing will arrive from us-east-1. There is no trail.",
        ]

    def test_check_mode(self) -> None:
        document = report("rtm", {**self.FIRST, "check_mode": True})
        assert document.notes == ("Check mode: nothing was changed.",)
        assert document.changes[0].detail == "Would be created. There is no stack."

    def test_removal(self) -> None:
        looks = [{"region": "us-east-1", "status": "absent", "failed": False}, {"region": "us-east-2", "status": "present", "failed": False}]
        document = report("rtm", {"account_id": "111111111111", "wanted": "absent", "looks": looks})
        assert document.headline == "Monitoring is off in 1 of 2 regions in 1 account."
        assert {figure.name: figure.level for figure in document.figures}["absent"] == "good"

    def test_an_account_of_which_nothing_is_known(self) -> None:
        document = report("rtm", {"account_id": "111111111111", "failures": ["The credentials are wrong."]})
        assert document.headline == "Monitoring is on in 0 of 0 regions in 1 account; 1 account failed."
        assert report("rtm").headline == "There are no accounts."


# Entries of any form, with the names of fields that the reports look at among them.
NAMES = st.sampled_from(["instance_id", "account_id", "status", "result", "failed", "msg", "reason", "name", "region", "appliance", "hints"]) | st.sampled_from(
    ["days_left", "expires_at", "seconds", "streams", "looks", "changes", "trails", "failures", "recorded", "last_event_at", "certificate_errors", "action"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["expired", "renewed", "failed", "2026-01-01T00:00:00Z"])
)
ENTRIES = st.dictionaries(NAMES, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4)), max_size=8)


@settings(max_examples=50)
@pytest.mark.parametrize("kind", sorted(KINDS))
@given(entries=st.lists(ENTRIES, max_size=4))
def test_entries_of_any_form_become_a_report(kind: str, entries: list[Entry]) -> None:
    document = KINDS[kind](entries, NOW)
    assert document.headline.endswith(".")
    assert document.figures[0].value == len(entries)
    json.loads(to_json(document), parse_constant=pytest.fail)
    for table in document.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
