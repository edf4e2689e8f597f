# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import stat
from pathlib import Path

import asyncssh
import pytest

from lab.keys import known_hosts_line, make_key_pair


def test_a_new_private_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    public = make_key_pair(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert public.startswith("ssh-ed25519 ")
    assert asyncssh.read_private_key(tmp_path / "key").public_data == asyncssh.import_public_key(public).public_data


def test_an_existing_key_is_kept(tmp_path: Path) -> None:
    assert make_key_pair(tmp_path / "key") == make_key_pair(tmp_path / "key")


def test_a_file_that_is_no_key_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("something else\n")
    with pytest.raises(asyncssh.KeyImportError):
        make_key_pair(tmp_path / "key")
    assert (tmp_path / "key").read_text() == "something else\n"


def test_the_pem_form_is_that_of_ec2(tmp_path: Path) -> None:
    make_key_pair(tmp_path / "key.pem", algorithm="ssh-rsa", form="pkcs1-pem")
    assert (tmp_path / "key.pem").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----\n")


@pytest.mark.parametrize(("port", "line"), [(22, "127.10.0.4 ssh-ed25519 AAAA"), (2222, "[127.10.0.4]:2222 ssh-ed25519 AAAA")])
def test_known_hosts_lines_name_a_port_only_when_it_is_unusual(port: int, line: str) -> None:
    assert known_hosts_line("127.10.0.4", port, "ssh-ed25519 AAAA") == line
