# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH key pairs, host keys and ``known_hosts`` lines."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import asyncssh

Algorithm = t.Literal["ssh-ed25519", "ssh-rsa"]
Form = t.Literal["openssh", "pkcs1-pem"]


def make_key_pair(path: Path, *, algorithm: Algorithm = "ssh-ed25519", form: Form = "openssh") -> str:
    """Make sure that ``path`` holds a private key (mode 0600); an existing one is kept.

    :param form: ``openssh``, or ``pkcs1-pem`` (RSA only) as EC2 hands out its ``.pem`` files.
    :returns: the public key as one line, ``ssh-ed25519 AAAA…``, without comment.
    :raises asyncssh.KeyImportError: the file exists and is no private key.
    """
    try:
        key = asyncssh.read_private_key(path)
    except FileNotFoundError:
        # EC2's RSA keys have 2048 bits.
        key = asyncssh.generate_private_key(algorithm, key_size=2048) if algorithm == "ssh-rsa" else asyncssh.generate_private_key(algorithm)
        _write_private(path, key.export_private_key(form))
    return public_line(key)


def public_line(key: asyncssh.SSHKey) -> str:
    """The public half as one line, without comment and line end."""
    return key.export_public_key("openssh").decode().strip()


def known_hosts_line(host: str, port: int, public_key: str) -> str:
    """One line of a ``known_hosts`` file, without line end; a port other than 22 stands as ``[host]:port``."""
    name = host if port == 22 else f"[{host}]:{port}"
    return f"{name} {public_key}"


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, not even for a moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
