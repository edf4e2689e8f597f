# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the documentation site of these guides, the repository's own Markdown and the generated reference: ``make docs``."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[1]
HOMEPAGE = "https://github.com/trendmicro/ansible-cloudone"

project = "trendmicro.cloudone"
author = "trendmicro.cloudone contributors"
project_copyright = f"2026, {author}"
html_title = "Trend Cloud One for Ansible"
html_theme = "furo"
html_copy_source = False
extensions = ["myst_parser", "sphinx_antsibull_ext"]
# Anchors as GitHub makes them.
myst_heading_anchors = 4

# What the generated reference takes for granted of Ansible's own documentation. Sphinx would download an index of it to know more.
ANSIBLE = "https://docs.ansible.com/ansible/latest"
ANSIBLE_PAGES = {
    r"common_return_values": "reference_appendices/common_return_values.html",
    r"ansible_configuration_settings": "reference_appendices/config.html",
    r"(\w+)_plugins": r"plugins/\1.html",
    r"ansible_collections\.ansible\.builtin\.(\w+_module)": r"collections/ansible/builtin/\1.html",
    r"(ANSIBLE_\w+)": r"reference_appendices/config.html#envvar-\1",
}


def site_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Links of the Markdown files are right on GitHub, from where the files stand there. Let them lead to the same thing in the site, if it is in the site.

    In the site the folder ``docs`` is the root, where the repository's own Markdown is too.
    """
    folder = os.path.dirname(f"docs/{docname}") if (ROOT / "docs" / f"{docname}.md").exists() else ""

    def link(match: re.Match[str]) -> str:
        path, anchor = re.sub(rf"^{HOMEPAGE}(?:/(?:blob|raw|tree)/main/|(?=$))", "", match["path"]), match["anchor"] or ""
        if re.match(r"\w+:", path):
            return match[0]
        if not path:
            return f"](/README.md{anchor})" if match["path"] else match[0]
        path = path if match["path"] != path else os.path.normpath(os.path.join(folder, path))
        page = path.removeprefix("docs/")
        return f"](/{page}{anchor})" if (Path(app.srcdir) / page).is_file() else f"]({HOMEPAGE}/blob/main/{path}{anchor})"

    source[0] = re.sub(r"\]\((?P<path>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)", link, source[0])


def ansible_links(_app: Sphinx, _env: BuildEnvironment, node: pending_xref, content: nodes.TextElement) -> nodes.reference | None:
    """Lead to Ansible's own documentation what is not in the site."""
    for name, page in ANSIBLE_PAGES.items():
        if match := re.fullmatch(name, node["reftarget"]):
            return nodes.reference("", "", content, internal=False, refuri=f"{ANSIBLE}/{match.expand(page)}")
    return None


def setup(app: Sphinx) -> dict[str, t.Any]:
    app.connect("source-read", site_links)
    app.connect("missing-reference", ansible_links)
    return {"parallel_read_safe": True}
