# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSH's ``known_hosts`` files: whose host key is known, and adding one.

paramiko's own reader parses every key of the file, which costs more than the connection when a fleet is in it, and knows neither
wildcards nor ``@revoked``: with a policy that accepts new keys, both would let a wrong key in.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass
class KnownKeys:
    """What is known about one host; keys as in the files, in base64.

    :ivar accepted: key -> key type (``ssh-ed25519``).
    :ivar revoked: keys that no host may use.
    """

    accepted: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)


def entry_name(host: str, port: int) -> str:
    """The name under which a host's key is kept."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def find_keys(text: str, name: str) -> KnownKeys:
    """Look a host up in the text of a ``known_hosts`` file.

    :param name: as :func:`entry_name` makes it.
    """
    known = KnownKeys()
    for line in text.splitlines():
        marker, fields = "", line.split()
        if fields and fields[0].startswith("@"):
            marker, *fields = fields
        if len(fields) < 3 or fields[0].startswith("#"):
            continue
        names, key_type, key = fields[:3]
        if marker == "@revoked":
            known.revoked.add(key)
        elif not marker and _names_match(names, name):
            known.accepted[key] = key_type
    return known


def read_keys(paths: Iterable[str], name: str) -> KnownKeys:
    """Look a host up in files; one that does not exist holds nothing.

    :raises OSError: a file exists and cannot be read.
    """
    texts = (Path(path).read_text(encoding="utf-8", errors="replace") for path in paths if os.path.exists(path))
    return find_keys("\n".join(texts), name)


def add_key(path: str, name: str, key_type: str, key: str) -> None:
    """Append a key, unless another process has just done so.

    :raises OSError: the file cannot be written.
    """
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+", encoding="utf-8", errors="replace") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        if key not in find_keys(text, name).accepted:
            file.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{name} {key_type} {key}\n")


def _names_match(names: str, name: str) -> bool:
    """Whether the first field of a line, with wildcards, negation and hashes, means this host."""
    matched = False
    for pattern in names.split(","):
        if pattern.startswith("|1|"):
            matched = matched or _hash_matches(pattern, name)
        elif _pattern_matches(pattern.removeprefix("!"), name):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _pattern_matches(pattern: str, name: str) -> bool:
    # Compiling an expression for each line of a fleet's file would cost more than the connection.
    if "*" not in pattern and "?" not in pattern:
        return pattern.lower() == name.lower()
    # The brackets of "[host]:port" are no character class.
    return fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))


def _hash_matches(pattern: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern.removeprefix("|1|").split("|"))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
