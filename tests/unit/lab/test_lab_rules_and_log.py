# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lab.certificate import LIFETIME, Certificate
from lab.security_rules import Rule, admits
from lab.system_log import BEGINNING, HEALTH_EVERY, MOST_ERRORS, MOST_HEALTH_LINES, moments, system_entries

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ports = st.integers(0, 65535)


@given(protocol=st.sampled_from(["tcp", "6", "udp", "icmp", "-1"]), first=ports, last=ports, port=ports)
def test_a_rule_covers_a_tcp_port_by_protocol_and_range(protocol: str, first: int, last: int, port: int) -> None:
    covered = Rule(protocol, first, last, "0.0.0.0/0").covers_tcp(port)
    assert covered == (protocol == "-1" or (protocol in ("tcp", "6") and first <= port <= last))


@given(source=st.ip_addresses(v=4), prefix=st.integers(0, 32), other=st.ip_addresses(v=4))
def test_a_rule_admits_exactly_its_network(source: object, prefix: int, other: object) -> None:
    rule = Rule("tcp", 22, 22, f"{source}/{prefix}")
    same_network = int(source) >> (32 - prefix) == int(other) >> (32 - prefix)  # type: ignore[call-overload]
    assert rule.admits(str(source), 22)
    assert rule.admits(str(other), 22) == same_network


def test_all_protocols_have_no_ports_and_ipv6_is_another_world() -> None:
    assert Rule("-1", None, None, "127.20.0.0/16").admits("127.20.0.5", 22)
    assert not Rule("tcp", 22, 22, "::/0").admits("127.20.0.5", 22)
    assert not admits([], "127.20.0.5", 22)
    assert admits([Rule("tcp", 80, 90, "0.0.0.0/0"), Rule("tcp", 20, 30, "127.20.0.5/32")], "127.20.0.5", 22)


@given(age=st.floats(0, 3000), given_up=st.one_of(st.none(), st.floats(0, 3000)))
def test_certificate_errors_lie_between_the_end_of_validity_and_the_end_of_use(age: float, given_up: float | None) -> None:
    issued_at = NOW - timedelta(days=age)
    end_of_use = None if given_up is None else min(NOW, issued_at + timedelta(days=given_up))
    entries = system_entries([Certificate(issued_at, end_of_use)], started_at=NOW, after=BEGINNING, until=NOW)
    assert entries == sorted(entries)
    errors = [entry.time for entry in entries if "sslv3 alert certificate" in entry.text]
    last_use = end_of_use or NOW
    assert len(errors) <= MOST_ERRORS
    assert bool(errors) == (issued_at + LIFETIME <= last_use)
    assert all(issued_at + LIFETIME <= moment <= last_use for moment in errors)


def test_a_line_is_written_as_the_appliance_writes_it() -> None:
    entry = system_entries([Certificate(NOW)], started_at=NOW, after=NOW - timedelta(seconds=1), until=NOW)[0]
    assert entry.line("nsva") == "2026-03-01T00:00:00.000Z nsva tmcloud[1187]: registered with Cloud One, certificate valid until 2028-02-29"


@given(cuts=st.lists(st.floats(0, 100_000)), age=st.floats(720, 733), lasts=st.floats(0, 100_000))
def test_a_log_read_piece_by_piece_is_the_log_read_at_once(cuts: list[float], age: float, lasts: float) -> None:
    """For as long as nothing rotates away in between."""
    certificates = [Certificate(NOW - timedelta(days=age), NOW + timedelta(seconds=lasts)), Certificate(NOW + timedelta(seconds=lasts))]
    times = [NOW + timedelta(seconds=cut) for cut in sorted(cuts)]
    pieces = [
        entry
        for after, until in itertools.pairwise([BEGINNING, *times])
        for entry in system_entries(certificates, started_at=NOW, after=after, until=until)
        if "health" not in entry.text
    ]
    whole = system_entries(certificates, started_at=NOW, after=BEGINNING, until=times[-1]) if times else []
    assert pieces == [entry for entry in whole if "health" not in entry.text]


@given(after=st.integers(-100, 100), until=st.integers(-100, 100), every=st.integers(1, 20), most=st.integers(1, 10))
def test_moments_are_those_of_the_span_that_a_log_still_holds(after: int, until: int, every: int, most: int) -> None:
    found = moments(NOW, timedelta(seconds=every), after=NOW + timedelta(seconds=after), until=NOW + timedelta(seconds=until), most=most)
    held = list(range(0, until + 1, every))[-most:]
    assert [(moment - NOW).total_seconds() for moment in found] == [second for second in held if second > after]


def test_a_healthy_appliance_goes_on_writing() -> None:
    def lines(after: datetime, until: datetime) -> int:
        return len(system_entries([Certificate(NOW)], started_at=NOW, after=after, until=until))

    assert lines(NOW, NOW + 3 * HEALTH_EVERY) == 3
    assert lines(NOW, NOW + timedelta(days=1)) == MOST_HEALTH_LINES
