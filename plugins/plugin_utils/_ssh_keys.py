# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private keys to log in with: from files and from an SSH agent."""

from __future__ import annotations

import io
import os
import typing as t
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError

try:
    import cryptography
    import paramiko
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
except ImportError:
    pass  # The connection plugin reports it.

DEFAULT_KEY_FILES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


class KeyFileError(CloudOneError):
    """A private key file cannot be used; the text continues a sentence that begins with its name."""


def candidates(paths: Sequence[str], *, passphrase: str | None, identities_only: bool, problems: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys to try, in this order: ``paths`` (when empty, the user's usual files), then those of the SSH agent.

    :param identities_only: of the agent's keys, only those whose public half lies beside one of ``paths``.
    :param problems: gets a remark on each key file that cannot be used.
    :returns: pairs of a name for messages and a key, read only when its turn has come.
    """
    for path in paths or [path for path in map(os.path.expanduser, DEFAULT_KEY_FILES) if os.path.exists(path)]:
        try:
            yield path, load_key(path, passphrase)
        except KeyFileError as error:
            problems.append(f"{path} {error}")
    agent = None
    try:
        agent = paramiko.Agent()
        wanted = {_public_half(path) for path in paths}
        for key in agent.get_keys():
            if not identities_only or key.get_base64() in wanted:
                yield f"the SSH agent's {key.comment or key.get_name()}", key
    except paramiko.SSHException as error:
        problems.append(f"the SSH agent cannot be used ({error})")
    finally:
        if agent:
            agent.close()


def load_key(path: str, passphrase: str | None) -> paramiko.PKey:
    """Read a private key file: PEM, in which EC2 gives keys out, or OpenSSH's own form; with its certificate, if one lies beside it.

    :raises KeyFileError: it cannot be read, decrypted or understood.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot be read ({error.strerror})") from error
    load = serialization.load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in data else serialization.load_pem_private_key

    # Checking that an RSA key's factors are primes would cost more than the whole connection, and the key is the user's own.
    # Before version 45, cryptography cannot leave it out for each form.
    can_skip = int(cryptography.__version__.partition(".")[0]) >= 45
    options: dict[str, t.Any] = {"unsafe_skip_rsa_key_validation": True} if can_skip else {}
    try:
        try:
            private = load(data, None, **options)
        except (TypeError, ValueError) as error:
            if "password" not in str(error).lower():  # It is not encrypted, but broken.
                raise
            if not passphrase:
                raise KeyFileError("is encrypted: set ansible_nsva_private_key_passphrase, or add the key to an SSH agent") from error
            private = load(data, passphrase.encode(), **options)
        key = _paramiko_key(private)
        if os.path.exists(f"{path}-cert.pub"):
            key.load_certificate(f"{path}-cert.pub")
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, paramiko.SSHException) as error:
        raise KeyFileError(f"is not a private key that can be used{', or the passphrase is wrong' if passphrase else ''}") from error
    return key


def _paramiko_key(private: t.Any) -> paramiko.PKey:
    if isinstance(private, rsa.RSAPrivateKey):
        return paramiko.RSAKey(key=private)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(private, private.public_key()))
    openssh = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    return paramiko.Ed25519Key(file_obj=io.StringIO(openssh.decode()))


def _public_half(path: str) -> str:
    """What lies beside a private key file (or in a public one), in base64; empty if nothing does."""
    try:
        return Path(path if path.endswith(".pub") else f"{path}.pub").read_text(encoding="utf-8").split()[1]
    except (OSError, ValueError, IndexError):
        return ""
