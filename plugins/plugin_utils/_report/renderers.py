# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of a report: how a document becomes text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.html import to_html
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.markdown import to_markdown
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Document
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.structured import to_json

# By the name of the format: how to render it, and the ending of its files.
FORMATS: Mapping[str, tuple[Callable[[Document], str], str]] = {
    "html": (to_html, "html"),
    "markdown": (to_markdown, "md"),
    "json": (to_json, "json"),
}
