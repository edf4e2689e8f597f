# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault does to an answer of AWS after the call was carried out: lost, cut, replaced, or not yet up to date."""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from xml.etree import ElementTree

from lab.aws_call import WsgiEnvironment
from lab.faults import AwsEffect

StartResponse = Callable[..., t.Any]


def spoils(effect: AwsEffect) -> bool:
    """Whether an effect is about the answer of a call that is carried out."""
    return bool(effect.lose or effect.truncate or effect.hide) or effect.body is not None


def spoiled(effect: AwsEffect, environ: WsgiEnvironment, start_response: StartResponse, answer: Callable[[StartResponse], Iterable[bytes]]) -> Iterable[bytes]:
    """Return the body that is left of an answer.

    :param answer: carries the call out.
    :raises ConnectionResetError: where the connection is to end.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(answer(lambda status, headers, *_rest: started.append((status, headers))))
    status, headers = started[-1]
    if effect.lose:
        if effect.lose == "half":
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
            environ["werkzeug.socket"].sendall(head.encode() + body[: len(body) // 2])
        drop_connection(environ)
    if effect.hide:
        body = without(body, effect.hide)
    elif effect.truncate:
        body = body[: len(body) // 2]
    elif effect.body is not None:
        body = effect.body.encode()
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*kept, ("Content-Length", str(len(body)))])
    return [body]


def without(document: bytes, pattern: str) -> bytes:
    """Return an XML answer without the list items that have a text of this pattern directly in them."""
    root = ElementTree.fromstring(document)
    parents = {child: parent for parent in root.iter() for child in parent}
    for item in [element for element in root.iter() if _name(element) in ("item", "member")]:
        if any(fnmatchcase(child.text or "", pattern) for child in item):
            parents[item].remove(item)
    return t.cast(bytes, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=None))


def drop_connection(environ: WsgiEnvironment) -> t.NoReturn:
    """Close the client's connection without a further word."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError


def _name(element: ElementTree.Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]
