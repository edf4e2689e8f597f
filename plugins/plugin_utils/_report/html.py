# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one HTML file that asks nothing of any server: style and script are in it, and a policy forbids all others."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Document
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.phrases import MADE, grouped

_HERE = Path(__file__).parent
# How many things a list names, or subjects share a sentence, before it refers to the table.
_LISTED = 100
# How many rows of a table a browser shows at first, as report.js has it too.
_SHOWN = 200


def to_html(document: Document) -> str:
    """Write the document as HTML."""
    return _template().render(document=document, made=f"{document.generated_at:{MADE}}")


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style, script = ((_HERE / f"report.{ending}").read_text(encoding="utf-8") for ending in ("css", "js"))
    environment.globals |= {
        "style": Markup(style),
        "style_hash": _hash(style),
        "script": Markup(script),
        "script_hash": _hash(script),
        "grouped": grouped,
        "listed": _LISTED,
        "shown": _SHOWN,
    }
    return environment.get_template("report.html.j2")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
