# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lab.certificate import LIFETIME, Certificate
from lab.security_rules import Rule, admits
from lab.system_log import MOST_ERRORS, system_log

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
    lines = system_log("nsva", [Certificate(issued_at, end_of_use)], NOW)
    assert lines == sorted(lines)
    errors = [datetime.strptime(line[:23] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z") for line in lines if "sslv3 alert certificate" in line]
    last_use = end_of_use or NOW
    assert len(errors) <= MOST_ERRORS
    assert bool(errors) == (issued_at + LIFETIME <= last_use)
    assert all(issued_at + LIFETIME - timedelta(seconds=1) < moment <= last_use for moment in errors)
