# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``known_hosts`` files."""

from __future__ import annotations

import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._known_hosts import add_key, entry_name, find_keys, read_keys

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJzSLTtIcNl5SZOhoWYYXLjIgtmeBvgB8zzrxeJOU3ws"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X"


@pytest.mark.parametrize(
    ("names", "name", "known"),
    [
        ("nsva.example", "nsva.example", True),
        ("other,nsva.example", "nsva.example", True),
        ("NSVA.example", "nsva.example", True),
        ("[10.0.0.5]:2022", "[10.0.0.5]:2022", True),
        ("[10.0.0.5]:2022", "10.0.0.5", False),
        ("10.0.0.5", "[10.0.0.5]:2022", False),
        ("*.example", "nsva.example", True),
        ("[*]:2022", "[10.0.0.5]:2022", True),
        ("10.0.0.?", "10.0.0.5", True),
        ("10.0.0.?", "10.0.0.55", False),
        ("*.example,!nsva.example", "nsva.example", False),
        ("!nsva.example", "other.example", False),
        ("|1|broken|hash", "nsva.example", False),
        ("|1|onlysalt", "nsva.example", False),
    ],
)
def test_names(names: str, name: str, known: bool) -> None:
    assert find_keys(f"{names} ssh-ed25519 {KEY} comment\n", name).accepted == ({KEY: "ssh-ed25519"} if known else {})


def test_markers_comments_and_rubbish() -> None:
    known = find_keys(f"# host ssh-ed25519 {KEY}\n\nhost\nhost ssh-ed25519\n@cert-authority host ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {OTHER}\n", "host")
    assert known.accepted == {}
    assert known.revoked == {OTHER}


def test_entry_name() -> None:
    assert entry_name("NSVA.example", 22) == "nsva.example"
    assert entry_name("10.0.0.5", 2022) == "[10.0.0.5]:2022"


def test_a_file_hashed_by_openssh(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"10.0.0.5 ssh-ed25519 {KEY}\n[10.0.0.5]:2022 ssh-ed25519 {OTHER}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert "10.0.0.5" not in file.read_text()
    assert read_keys([str(file)], "10.0.0.5").accepted == {KEY: "ssh-ed25519"}
    assert read_keys([str(file)], "[10.0.0.5]:2022").accepted == {OTHER: "ssh-ed25519"}
    assert read_keys([str(file)], "10.0.0.6").accepted == {}


def test_read_keys(tmp_path: Path) -> None:
    (tmp_path / "one").write_text(f"host ssh-ed25519 {KEY}")
    (tmp_path / "two").write_bytes(b"\xff\xfe\n" + f"host ssh-ed25519 {OTHER}".encode())
    assert set(read_keys([str(tmp_path / name) for name in ("one", "none", "two")], "host").accepted) == {KEY, OTHER}
    with pytest.raises(IsADirectoryError):
        read_keys([str(tmp_path)], "host")


def test_add_key(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    add_key(str(file), "host", "ssh-ed25519", KEY)
    add_key(str(file), "host", "ssh-ed25519", KEY)
    add_key(str(file), "[host]:2022", "ssh-ed25519", OTHER)
    assert file.read_text() == f"host ssh-ed25519 {KEY}\n[host]:2022 ssh-ed25519 {OTHER}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("# no line end")
    add_key(str(file), "host", "ssh-ed25519", KEY)
    assert file.read_text() == f"# no line end\nhost ssh-ed25519 {KEY}\n"


@given(st.from_regex(r"[a-z0-9.-]{1,30}", fullmatch=True), st.integers(1, 65535))
def test_what_is_added_is_found(host: str, port: int) -> None:
    name = entry_name(host, port)
    assert find_keys(f"other ssh-ed25519 {OTHER}\n{name} ssh-ed25519 {KEY}\n", name).accepted == (
        {OTHER: "ssh-ed25519", KEY: "ssh-ed25519"} if name == "other" else {KEY: "ssh-ed25519"}
    )
    assert KEY not in find_keys(f"{name}x ssh-ed25519 {KEY}\n", name).accepted


@given(st.text(), st.text(min_size=1))
def test_any_text_is_taken(text: str, name: str) -> None:
    find_keys(text, name)


def test_the_time_for_wildcards_does_not_explode() -> None:
    started = time.process_time()
    find_keys(f"{'*a' * 120}b ssh-ed25519 {KEY}\n" * 20, "a" * 250)
    assert time.process_time() - started < 2
