# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a connection goes through, and as whom."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils import _ssh_route
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_route import (
    SYSTEM_KNOWN_HOSTS,
    Hop,
    Login,
    Route,
    Wishes,
    parse_jumps,
    parse_ssh_arguments,
    plan_route,
)


def configure(home: Path, text: str) -> None:
    (home / ".ssh" / "config").write_text(text)


def plan(host: str = "10.0.0.5", **wishes: object) -> Route:
    return plan_route(Wishes(Login(host), **wishes))  # type: ignore[arg-type]


def hosts(route: Route) -> list[str]:
    return [f"{hop.user}@{hop}" for hop in route.hops]


def test_defaults(home: Path) -> None:
    assert plan() == Route(
        (
            Hop(
                host="10.0.0.5",
                port=22,
                user="admin",
                known_as="10.0.0.5",
                known_hosts_files=(str(home / ".ssh" / "known_hosts"), SYSTEM_KNOWN_HOSTS),
            ),
        )
    )


def test_variables_go_before_the_configuration(home: Path) -> None:
    configure(home, "Host 10.*\n User other\n Port 2022\n IdentityFile ~/configured\n UserKnownHostsFile ~/a ~/b\n StrictHostKeyChecking accept-new\n")
    [hop] = plan().hops
    assert (hop.user, hop.port, hop.known_as, hop.host_key_policy) == ("other", 2022, "[10.0.0.5]:2022", "accept-new")
    assert hop.known_hosts_files == (str(home / "a"), str(home / "b"), SYSTEM_KNOWN_HOSTS)
    assert hop.key_files == (str(home / "configured"),)
    wishes = Wishes(Login("10.0.0.5", 22, "admin", ("~/given",)), known_hosts_file="~/mine", host_key_policy="strict")
    [hop] = plan_route(wishes).hops
    assert (hop.user, hop.port, hop.known_as, hop.host_key_policy) == ("admin", 22, "10.0.0.5", "strict")
    assert hop.known_hosts_files == (str(home / "mine"), SYSTEM_KNOWN_HOSTS)
    assert hop.key_files == (str(home / "given"), str(home / "configured"))


def test_host_of_the_configuration(home: Path) -> None:
    configure(home, "Host i-0abc\n HostName 10.9.8.7\n HostKeyAlias i-0abc\n IdentitiesOnly yes\n")
    [hop] = plan("i-0abc").hops
    assert (hop.host, hop.known_as, hop.identities_only) == ("10.9.8.7", "i-0abc", True)


def test_bastion() -> None:
    route = plan(bastion=Login("jump.example", 2222, "ec2-user", ("~/jump.pem",)))
    assert hosts(route) == ["ec2-user@jump.example:2222", "admin@10.0.0.5:22"]
    assert route.hops[0].key_files[0].endswith("/jump.pem")
    assert not route.hops[1].key_files


def test_the_local_user_is_the_default_on_a_bastion(home: Path) -> None:
    assert hosts(plan(bastion=Login("jump.example")))[0] == "operator@jump.example:22"
    configure(home, "Host jump.example\n User ec2-user\n HostName 192.0.2.1\n")
    assert hosts(plan(bastion=Login("jump.example")))[0] == "ec2-user@192.0.2.1:22"


def test_a_bastion_goes_before_the_configuration_of_the_appliance(home: Path) -> None:
    configure(home, "Host 10.*\n ProxyJump other\nHost old\n ProxyCommand nc %h %p\n")
    assert hosts(plan(bastion=Login("jump"))) == ["operator@jump:22", "admin@10.0.0.5:22"]
    assert hosts(plan("old", bastion=Login("jump"))) == ["operator@jump:22", "admin@old:22"]


def test_a_bastion_may_have_a_way_of_its_own(home: Path) -> None:
    configure(home, "Host jump\n ProxyJump outer\nHost outer\n ProxyCommand corkscrew proxy %h %p %r\n")
    route = plan(bastion=Login("jump"))
    assert hosts(route) == ["operator@outer:22", "operator@jump:22", "admin@10.0.0.5:22"]
    assert route.proxy_command == "corkscrew proxy outer 22 operator"


def test_proxy_jump(home: Path) -> None:
    configure(home, "Host 10.*\n ProxyJump one@first:2201,ssh://two@[::1]:2202/,third\nHost third\n User three\n Port 2203\n")
    assert hosts(plan()) == ["one@first:2201", "two@::1:2202", "three@third:2203", "admin@10.0.0.5:22"]
    assert hosts(plan(ssh_arguments="-J other")) == ["operator@other:22", "admin@10.0.0.5:22"]
    assert hosts(plan(ssh_arguments="-o ProxyJump=none")) == ["admin@10.0.0.5:22"]


def test_a_pattern_may_name_a_jump_host_for_itself(home: Path) -> None:
    configure(home, "Host *\n ProxyJump jump\n")
    assert hosts(plan()) == ["operator@jump:22", "admin@10.0.0.5:22"]


def test_a_circle_is_an_error(home: Path) -> None:
    configure(home, "Host 10.* b\n ProxyJump a\nHost a\n ProxyJump b\n")
    with pytest.raises(InputError, match="leads through more than 8 hosts"):
        plan()


def test_proxy_command_knows_user_and_port(home: Path) -> None:
    configure(home, "Host 10.*\n ProxyCommand nc -l %r %h %p\n")
    assert plan().proxy_command == "nc -l admin 10.0.0.5 22"
    assert plan_route(Wishes(Login("10.0.0.5", 2022, "me"))).proxy_command == "nc -l me 10.0.0.5 2022"
    assert plan(ssh_arguments="-o 'ProxyCommand=other %h'").proxy_command == "other 10.0.0.5"
    assert plan(ssh_arguments="-o ProxyCommand=none").proxy_command is None


def test_one_way_in_the_arguments_replaces_another_in_the_configuration(home: Path) -> None:
    configure(home, "Host 10.*\n ProxyCommand nc %h %p\nHost 11.*\n ProxyJump jump\n")
    route = plan(ssh_arguments="-J jump")
    assert (hosts(route), route.proxy_command) == (["operator@jump:22", "admin@10.0.0.5:22"], None)
    route = plan("11.0.0.1", ssh_arguments="-o ProxyCommand='nc %h'")
    assert (hosts(route), route.proxy_command) == (["admin@11.0.0.1:22"], "nc 11.0.0.1")


@pytest.mark.parametrize(
    "wishes",
    [
        {"bastion": Login("jump"), "ssh_arguments": "-J other"},
        {"bastion": Login("jump"), "ssh_arguments": "-o ProxyCommand=nc"},
        {"ssh_arguments": "-J other -o ProxyCommand=nc"},
    ],
)
def test_two_ways_are_an_error(wishes: dict[str, object]) -> None:
    with pytest.raises(InputError, match="More than one way to the appliance is set"):
        plan(**wishes)


def test_two_ways_in_the_configuration_are_an_error(home: Path) -> None:
    configure(home, "Host 10.*\n ProxyJump jump\n ProxyCommand nc %h %p\n")
    with pytest.raises(InputError, match=re.escape("both ProxyJump and ProxyCommand for 10.0.0.5")):
        plan()


def test_host_key_policy(home: Path) -> None:
    def policies(**wishes: object) -> list[str]:
        return [hop.host_key_policy for hop in plan(bastion=Login("jump"), **wishes).hops]

    assert policies() == ["strict", "strict"]
    assert policies(check_host_keys=False) == ["off", "off"]
    assert policies(check_host_keys=False, host_key_policy="accept-new") == ["accept-new", "accept-new"]
    assert policies(check_host_keys=False, ssh_arguments="-o StrictHostKeyChecking=yes") == ["strict", "strict"]
    assert policies(ssh_arguments="-o StrictHostKeyChecking=no") == ["off", "off"]
    configure(home, "Host jump\n StrictHostKeyChecking accept-new\nHost 10.*\n StrictHostKeyChecking ask\n")
    assert policies() == ["accept-new", "strict"]
    configure(home, "StrictHostKeyChecking maybe\n")
    with pytest.raises(InputError, match="StrictHostKeyChecking 'maybe' is none of yes, ask"):
        policies()


def test_known_hosts_in_the_arguments_hold_for_the_whole_way() -> None:
    route = plan(ssh_arguments="-o UserKnownHostsFile=/k -J jump")
    assert [hop.known_hosts_files[0] for hop in route.hops] == ["/k", "/k"]


def test_parse_ssh_arguments() -> None:
    parsed = parse_ssh_arguments("-i one -F /c -o identityfile=two -o 'ProxyCommand ssh -W %h:%p x=y' -o ProxyCommand=second -o HostKeyAlias=a")
    assert parsed.key_files == ("one", "two")
    assert parsed.config_file == "/c"
    assert parsed.settings == {"proxycommand": "ssh -W %h:%p x=y", "hostkeyalias": "a"}


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ("-o ControlMaster=auto", "-o ControlMaster"),
        ("-C", "option -C not recognized"),
        ("-o ProxyJump", "-o ProxyJump"),
        ("-J", "option -J requires argument"),
        ("host", "unexpected 'host'"),
        ("-o 'unbalanced", "No closing quotation"),
    ],
)
def test_no_argument_is_passed_over(arguments: str, culprit: str) -> None:
    with pytest.raises(InputError, match=f"{culprit} is not understood by this connection"):
        parse_ssh_arguments(arguments)


@pytest.mark.parametrize("text", ["", ",", "a,,b", "user@", "host:port", "ssh://", "[::1"])
def test_jump_hosts_that_cannot_be_understood(text: str) -> None:
    with pytest.raises(InputError, match="cannot be understood"):
        parse_jumps(text)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z0-9.-]{1,20}", fullmatch=True),
            st.none() | st.integers(1, 65535),
            st.none() | st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True),
        ),
        min_size=1,
    )
)
def test_jump_hosts_are_read_as_written(jumps: list[tuple[str, int | None, str | None]]) -> None:
    text = ",".join(f"{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}" for host, port, user in jumps)
    assert parse_jumps(text) == [Login(*jump) for jump in jumps]


def test_configuration_files(home: Path, tmp_path: Path) -> None:
    configure(home, "User default\n")
    (tmp_path / "other").write_text("User other\n")
    assert plan().hops[0].user == "default"
    assert plan(ssh_config_file="none").hops[0].user == "admin"
    assert plan(ssh_config_file=str(tmp_path / "other")).hops[0].user == "other"
    assert plan(ssh_arguments=f"-F {tmp_path / 'other'}").hops[0].user == "other"
    with pytest.raises(InputError, match="missing cannot be read: .*No such file"):
        plan(ssh_config_file=str(tmp_path / "missing"))


def test_includes(home: Path) -> None:
    configure(home, "Include conf.d/*.conf\nUser last\nHost 10.*\n Include ~/ports\n IdentityFile k\n")
    (home / ".ssh" / "conf.d").mkdir()
    (home / ".ssh" / "conf.d" / "a.conf").write_text("Host other\n User wrong\n")
    (home / ".ssh" / "conf.d" / "b.conf").write_text("Host 10.*\n HostName 10.1.1.1\nHost other\n Port 1\n")
    (home / "ports").write_text("Port=2022\n")
    assert hosts(plan()) == ["last@10.1.1.1:2022"]
    assert plan().hops[0].key_files == ("k",)


def test_an_include_of_itself_is_an_error(home: Path) -> None:
    configure(home, "Include config\n")
    with pytest.raises(InputError, match="includes itself"):
        plan()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Port many\n", "unusable Port: many"),
        ("nonsense\n", "cannot be understood: Unparsable line nonsense"),
        ("Host 'open\n", "cannot be understood"),
    ],
)
def test_a_broken_configuration(home: Path, text: str, message: str) -> None:
    configure(home, text)
    with pytest.raises(InputError, match=message):
        plan()


def test_line_breaks_do_not_add_settings() -> None:
    with pytest.raises(InputError, match="line break"):
        plan_route(Wishes(Login("10.0.0.5", user="admin\nProxyCommand touch /tmp/x")))


def test_a_local_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr(_ssh_route.getpass, "getuser", fail)
    with pytest.raises(InputError, match="set LOGNAME"):
        plan()


@pytest.mark.parametrize("host", ["a b", "a\n* ssh-ed25519 KEY", "*", "a,b", "!a", "@revoked", "#a", "a\x00b", "|1|x"])
def test_a_name_that_would_mean_more_in_a_file_of_known_hosts(host: str) -> None:
    with pytest.raises(InputError, match="is no name of a host"):
        plan(host)
